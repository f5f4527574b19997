"""`make admin`: gives a user the role ``admin``, in the running local stack or in a stack on AWS.

The first admin cannot be made over the API. What is written is what ``tasksync.tables.users`` reads: a username's claim
names the user it belongs to, and a change of the profile counts up its version. No function is asked, so the line of
the security log is written from here.
"""

import sys
import unicodedata
from datetime import UTC, datetime
from typing import Any

from infrastructure import deployed, security_log


class UnknownUser(Exception):
    """Nobody has this username."""


def make_admin(dynamodb: Any, users_table: str, username: str) -> str:
    """The user's id. Raises UnknownUser. ``dynamodb``: a boto3 client."""
    comparable = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())
    claim = {"user_id": {"S": f"NAME#{comparable}"}}
    found = dynamodb.get_item(TableName=users_table, Key=claim, ConsistentRead=True).get("Item")
    if found is None:
        raise UnknownUser
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        dynamodb.update_item(
            TableName=users_table,
            Key={"user_id": found["owner"]},
            UpdateExpression="SET #role = :admin, updated_at = :now ADD version :one",
            # A user whose deletion was accepted is gone to everybody.
            ConditionExpression="#status = :active",
            ExpressionAttributeNames={"#role": "role", "#status": "status"},
            ExpressionAttributeValues={
                ":admin": {"S": "admin"},
                ":now": {"S": now},
                ":one": {"N": "1"},
                ":active": {"S": "active"},
            },
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        raise UnknownUser from None
    return str(found["owner"]["S"])


def note(logs: Any, log_group: str, user_id: str, by: str) -> None:
    """Writes the line that says who was given the role, and by whom. ``logs``: a boto3 client; ``by``: an ARN."""
    security_log.note(logs, log_group, "make-admin", by, "role_given", user_id=user_id, role="admin")


def main() -> int:
    parser = deployed.arguments(__doc__)
    parser.add_argument("--username", required=True)
    arguments = parser.parse_args()
    if not arguments.username:
        print("Say whom: make admin USERNAME=…", file=sys.stderr)
        return 1
    try:
        stack = deployed.find(arguments.stack)
        by = stack.client("sts").get_caller_identity()["Arn"]
        user_id = make_admin(stack.client("dynamodb"), stack.outputs["UsersTable"], arguments.username)
        note(stack.client("logs"), stack.outputs["AuthFunctionLogs"], user_id, by)
    except UnknownUser:
        print(f"There is no user with the name {arguments.username}; register them first.", file=sys.stderr)
    except deployed.Failure as error:
        print(error, file=sys.stderr)
    else:
        print(f"{arguments.username} is an admin, once the gateway's cached answers expire (30 s by default).")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
