"""`make admin`: gives a user the role ``admin``, in the running local stack or in a stack on AWS.

The first admin cannot be made over the API. No function is asked, so the line of the security log is written from here.
"""

import sys
from datetime import UTC, datetime
from typing import Any

from infrastructure import deployed, security_log
from infrastructure.users import find_user, run_for_user, update_user, written


def make_admin(dynamodb: Any, users_table: str, username: str) -> str:
    """The user's id. Raises UnknownUser. ``dynamodb``: a boto3 client."""
    expression = "SET #role = :admin, updated_at = :now ADD version :one"
    values = {":admin": {"S": "admin"}, ":now": written(datetime.now(UTC)), ":one": {"N": "1"}}
    user_id = find_user(dynamodb, users_table, username)
    update_user(dynamodb, users_table, user_id, expression, values)
    return user_id


def note(logs: Any, log_group: str, user_id: str, by: str) -> None:
    """Writes the line that says who was given the role, and by whom. ``logs``: a boto3 client; ``by``: an ARN."""
    security_log.note(logs, log_group, "make-admin", by, "role_given", user_id=user_id, role="admin")


def _act(stack: deployed.Deployed, username: str, by: str) -> str:
    user_id = make_admin(stack.client("dynamodb"), stack.outputs["UsersTable"], username)
    note(stack.client("logs"), stack.outputs["AuthFunctionLogs"], user_id, by)
    return f"{username} is an admin, once the gateway's cached answers expire (30 s by default)."


if __name__ == "__main__":
    sys.exit(run_for_user(__doc__, "admin", _act))
