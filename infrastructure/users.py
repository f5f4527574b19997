"""Operator changes of a user, outside the API: finds an active user by username and changes it.

The keys and attributes are those of ``tasksync.dynamodb.users.items``: the item of a username's claim names the
user.
"""

import sys
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from infrastructure import deployed


class UnknownUser(Exception):
    """Nobody has this username."""


def find_user(dynamodb: Any, users_table: str, username: str) -> str:
    """The id of the user who has this username, however it is written. Raises UnknownUser.

    ``dynamodb``: a boto3 client.
    """
    comparable = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())
    claim = {"user_id": {"S": f"NAME#{comparable}"}}
    found = dynamodb.get_item(TableName=users_table, Key=claim, ConsistentRead=True).get("Item")
    if found is None:
        raise UnknownUser
    return str(found["owner"]["S"])


def update_user(
    dynamodb: Any, users_table: str, user_id: str, expression: str, values: Mapping[str, Mapping[str, str]]
) -> None:
    """Carries out an update expression. Raises UnknownUser if the user's deletion was accepted.

    ``values``: those of the expression, as DynamoDB spells them. ``#role`` is the attribute ``role``, whose name
    DynamoDB reserves.
    """
    names = {"#status": "status", **({"#role": "role"} if "#role" in expression else {})}
    try:
        dynamodb.update_item(
            TableName=users_table,
            Key={"user_id": {"S": user_id}},
            UpdateExpression=expression,
            ConditionExpression="#status = :active",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={**values, ":active": {"S": "active"}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        raise UnknownUser from None


def written(at: datetime) -> Mapping[str, str]:
    """A time in UTC as the functions store it."""
    return {"S": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def run_for_user(doc: str | None, target: str, act: Callable[[deployed.Deployed, str, str], str]) -> int:
    """The command line of ``make TARGET USERNAME=…``, which ``doc`` describes. Returns the exit status.

    ``act`` is given the stack, the username and the ARN of whoever calls the command; it returns what to print, and
    raises UnknownUser.
    """
    parser = deployed.arguments(doc)
    parser.add_argument("--username", required=True)
    arguments = parser.parse_args()
    if not arguments.username:
        print(f"Say for whom: make {target} USERNAME=…", file=sys.stderr)
        return 1
    try:
        stack = deployed.find(arguments.stack)
        print(act(stack, arguments.username, stack.client("sts").get_caller_identity()["Arn"]))
    except UnknownUser:
        print(f"There is no user with the name {arguments.username}.", file=sys.stderr)
    except deployed.Failure as error:
        print(error, file=sys.stderr)
    else:
        return 0
    return 1
