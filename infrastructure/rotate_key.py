"""`make rotate-key`: replaces the key that signs access tokens, in the running local stack or in a stack on AWS.

The secret is given another seed, and each key published so far a time at which it is withdrawn: later than the last
token it signed ends. Containers notice at their next signature (`auth_api.signing`); nobody is signed out. Where the
key may be known to somebody, WITHDRAW=now withdraws it at once: everybody needs one refresh, and tokens signed with it
are refused after a minute at most, and the gateway's cached answers.
"""

import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any

from infrastructure import deployed, security_log

# The longest that AccessTokenSeconds may be, and five minutes for signatures that are being made.
KEPT_SECONDS = 3600 + 300

_SEED_BYTES = 48


def rotate(secretsmanager: Any, dynamodb: Any, secret: str, sessions_table: str, kept_seconds: int) -> list[str]:
    """Replaces the seed and retires the keys published so far, whose ids it returns; with boto3 clients.

    The seed goes first. If it ends between the two, the old keys merely stay published, and may be retired by another
    call; the other way round, a key still in use would be withdrawn.
    """
    published = dynamodb.query(
        TableName=sessions_table,
        IndexName="by_user",
        KeyConditionExpression="user_id = :keys",
        FilterExpression="attribute_not_exists(expires_at) OR expires_at > :until",
        ExpressionAttributeValues={":keys": {"S": "KEYS"}, ":until": _after(kept_seconds)},
    )["Items"]
    secretsmanager.put_secret_value(SecretId=secret, SecretString=secrets.token_urlsafe(_SEED_BYTES))
    for item in published:
        dynamodb.update_item(
            TableName=sessions_table,
            Key={"session_id": item["session_id"]},
            UpdateExpression="SET expires_at = :until",
            ConditionExpression="attribute_exists(session_id)",
            ExpressionAttributeValues={":until": _after(kept_seconds)},
        )
    return [item["session_id"]["S"].removeprefix("KEY#") for item in published]


def _after(seconds: int) -> dict[str, str]:
    return {"N": str(int(time.time()) + seconds)}


def main() -> int:
    parser = deployed.arguments(__doc__)
    parser.add_argument("--withdraw", default="", choices=["", "now"], help="now: the old keys are known to somebody")
    arguments = parser.parse_args()
    kept_seconds = 0 if arguments.withdraw else KEPT_SECONDS
    try:
        stack = deployed.find(arguments.stack)
        clients = stack.client("secretsmanager"), stack.client("dynamodb")
        retired = rotate(*clients, stack.outputs["SigningSecret"], stack.outputs["SessionsTable"], kept_seconds)
        logs, by = stack.client("logs"), stack.client("sts").get_caller_identity()["Arn"]
        security_log.note(
            logs, stack.outputs["AuthFunctionLogs"], "make-rotate-key", by, "key_rotated", retired=retired
        )
    except deployed.Failure as error:
        print(error, file=sys.stderr)
        return 1
    until = datetime.fromtimestamp(time.time() + kept_seconds, UTC).isoformat(timespec="seconds")
    for kid in retired:
        print(f"The key {kid} signs no more; it is withdrawn at {until}.")
    print("The next sign-in or refresh publishes the new key.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
