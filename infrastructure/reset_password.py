"""`make reset-password`: issues a recovery token for a user who has forgotten the password.

Prints the token, which is good once, for 30 minutes, and the request that sets a new password with it. Until that
request the old password and all sessions go on. A new token ends the one before. Only its digest is stored; the
security log says who issued it.
"""

import hashlib
import secrets
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from infrastructure import deployed, security_log
from infrastructure.users import find_user, run_for_user, update_user, written

LIFETIME = timedelta(minutes=30)


def issue(dynamodb: Any, users_table: str, username: str) -> tuple[str, str]:
    """The user's id and a recovery token. Raises UnknownUser. ``dynamodb``: a boto3 client."""
    user_id = find_user(dynamodb, users_table, username)
    token = f"{user_id}.{secrets.token_urlsafe(32)}"
    # The token is for this version of the user, so any change of the user ends it: another password, another address.
    expression = "SET recovery_hash = :hash, recovery_expires_at = :expires, recovery_version = version"
    values = {
        ":hash": {"S": hashlib.sha256(token.encode()).hexdigest()},
        ":expires": written(datetime.fromtimestamp(time.time_ns() / 1_000_000_000, UTC) + LIFETIME),
    }
    update_user(dynamodb, users_table, user_id, expression, values)
    return user_id, token


def note(logs: Any, log_group: str, user_id: str, by: str) -> None:
    """Writes the line that says for whom a token was issued, and by whom. ``logs``: a boto3 client; ``by``: an ARN."""
    security_log.note(logs, log_group, "reset-password", by, "recovery_issued", user_id=user_id)


def _act(stack: deployed.Deployed, username: str, by: str) -> str:
    user_id, token = issue(stack.client("dynamodb"), stack.outputs["UsersTable"], username)
    note(stack.client("logs"), stack.outputs["AuthFunctionLogs"], user_id, by)
    return (
        f"Recovery token of {username}, good once, for {LIFETIME.seconds // 60} minutes:\n\n  {token}\n\n"
        'A new password is set with it by POST /auth/recovery/complete {"token": "…", "new_password": "…"}'
    )


if __name__ == "__main__":
    sys.exit(run_for_user(__doc__, "reset-password", _act))
