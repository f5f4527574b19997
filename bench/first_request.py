"""The first request of a fresh process: what a cold start is made of. ``python -m bench.first_request WHAT FILE``.

WHAT is a handler, and FILE the event it is called with; or it is ``boto3``, which is one GetItem on a bare client.
"""

import importlib
import json
import sys
from pathlib import Path


class Context:
    """As much of Lambda's context as is asked for."""

    function_name = "measured"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


def on_boto3() -> None:
    import boto3  # noqa: PLC0415  # its time is what is measured

    boto3.client("dynamodb").get_item(TableName="tasks", Key={"task_id": {"S": "1"}}, ConsistentRead=True)


def of(handler: str, event: object) -> None:
    module, _, name = handler.rpartition(".")
    response = getattr(importlib.import_module(module), name)(event, Context())
    if response.get("statusCode", 200) >= 300 or response.get("batchItemFailures"):
        raise RuntimeError(f"{handler} answered {response}")


if __name__ == "__main__":
    if sys.argv[1] == "boto3":
        on_boto3()
    else:
        of(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
