"""What the API says of sign-ins, in plain Python: which session is alive, and what each of its tokens is good for."""

from dataclasses import dataclass, field

from tests.machines.reference import NOT_FOUND, Refused

REPEATABLE_SECONDS = 60
AT_ONCE_SECONDS = 10
RECENT_SECONDS = 20
"""How long ago a recent sign-in may be, in the deployment that the machine is for."""

_INVALID_TOKEN = Refused(401, "invalid_token")
_INVALID_CREDENTIALS = Refused(401, "invalid_credentials")


@dataclass
class Session:
    """``tokens``: every refresh token it gave out, the one that is good last. ``key``, ``used_at``: of the last
    refresh. ``shown_at``: when the password was shown last; ``told_at``: what of that the access token in use says."""

    id: str
    person: str
    tokens: list[str] = field(default_factory=list)
    alive: bool = True
    key: str | None = None
    used_at: float = 0.0
    shown_at: float = 0.0
    told_at: float = 0.0


class Sessions:
    """All sign-ins. Methods raise ``Refused``, or do what they say. ``at``: seconds, from whenever."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.all: list[Session] = []

    # ----------------------------------------------------------------------------------------------- what is there
    def of(self, person: str) -> list[Session]:
        """Oldest first."""
        return [session for session in self.all if session.person == person and session.alive]

    # ------------------------------------------------------------------------------------------------ what is done
    def sign_in(self, person: str, password: str) -> None:
        if self.passwords[person] != password:
            raise _INVALID_CREDENTIALS

    def refresh(self, session: Session, token: str, key: str | None, at: float) -> bool:
        """Whether this is the response of the last refresh again. A new token is for the caller to add."""
        if not session.alive:
            raise _INVALID_TOKEN
        served = key is not None and key == session.key and at < session.used_at + REPEATABLE_SECONDS
        if token != session.tokens[-1]:
            if served and token == session.tokens[-2]:
                session.told_at = min(session.shown_at, session.used_at)
                return True
            if token == session.tokens[-2] and at < session.used_at + AT_ONCE_SECONDS:
                raise Refused(409, "refresh_in_progress")
            session.alive = False
            raise _INVALID_TOKEN
        if served:
            raise Refused(422, "idempotency_key_reused")
        session.key, session.used_at = key, at
        session.told_at = session.shown_at
        return False

    def sign_out(self, session: Session, token: str) -> None:
        """With any token it was given, whose successors may have been lost."""
        if token in session.tokens:
            session.alive = False

    def end(self, caller: Session, session: Session) -> None:
        self.require(caller)
        if session.person != caller.person or not session.alive:
            raise NOT_FOUND
        session.alive = False

    def end_all(self, caller: Session) -> None:
        self.require(caller)
        for session in self.of(caller.person):
            session.alive = False

    def change_password(self, caller: Session, current: str, new: str) -> None:
        self.require(caller)
        if new == current:
            raise Refused(422, "validation_failed")
        if self.passwords[caller.person] != current:
            raise _INVALID_CREDENTIALS
        self.passwords[caller.person] = new
        for session in self.of(caller.person):
            session.alive = session is caller

    def recover(self, person: str, new: str) -> None:
        """With a recovery token."""
        self.passwords[person] = new
        for session in self.of(person):
            session.alive = False

    def show_password(self, caller: Session, password: str, at: float) -> None:
        self.require(caller)
        if self.passwords[caller.person] != password:
            raise _INVALID_CREDENTIALS
        caller.shown_at = caller.told_at = at

    def change_address(self, caller: Session, at: float) -> None:
        """The seconds of a token are whole ones, and half of one has passed in which it was made."""
        self.require(caller)
        if at - caller.told_at >= RECENT_SECONDS:
            raise Refused(401, "reauthentication_required")

    def require(self, caller: Session) -> None:
        if not caller.alive:
            raise Refused(401, "token_revoked")
