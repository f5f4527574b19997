"""Step-up authentication (RFC 9470): some operations need a recent sign-in, so a stolen token cannot take an
account."""

from datetime import timedelta

from tasksync.model import times
from tasksync.model.entities import Caller
from tasksync.model.errors import ReauthenticationRequired


def require_recent_sign_in(caller: Caller, most: timedelta) -> None:
    """Raises ``ReauthenticationRequired`` if the caller last entered the password more than ``most`` ago."""
    if times.now() - caller.authenticated_at > most:
        raise ReauthenticationRequired(int(most.total_seconds()))
