"""Copies what the functions log into files, one per function, to be read while the stack runs and afterwards."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infrastructure.local.deploy import STACK
from infrastructure.local.stack import Addresses

_PREFIX = f"/{STACK}/"
_SECONDS_BETWEEN_READS = 1.0
_OVERLAP_SECONDS = 10
_DELETED_AT_ONCE = 50
# Lambda's own lines about an invocation; a function's lines carry the request id already.
_PLATFORM = ("START RequestId:", "END RequestId:", "REPORT RequestId:")


def follow_function_logs(addresses: Addresses, directory: Path, stop: threading.Event) -> None:
    """Until ``stop`` is set, appends each function's lines to ``directory``/NAME.log about a second after it ran."""
    follower = _Follower(addresses.client("logs"))
    while True:
        last = stop.wait(_SECONDS_BETWEEN_READS)
        try:
            for function, lines in follower.take():
                with (directory / f"{function}.log").open("a", encoding="utf-8") as file:
                    file.writelines(line + "\n" for line in lines)
        except (BotoCoreError, ClientError):
            # The server is going down, or too busy to answer: the next read takes what this one did not.
            pass
        if last:
            return


class _Follower:
    """Reads each log stream once.

    ministack makes one stream for each invocation, whole, when it ends; keeps it in memory and in its saved state, and
    never expires it. So a stream that was read is deleted, a few at a time to stay out of the way of requests.
    """

    def __init__(self, logs: Any) -> None:
        self._logs = logs
        self._read: dict[tuple[str, str], float] = {}
        self._to_delete: list[tuple[str, str]] = []

    def take(self) -> Iterator[tuple[str, list[str]]]:
        since = time.time() - _OVERLAP_SECONDS
        self._read = {stream: at for stream, at in self._read.items() if at > since - _OVERLAP_SECONDS}
        for group in self._logs.describe_log_groups(logGroupNamePrefix=_PREFIX)["logGroups"]:
            name = group["logGroupName"]
            events = self._logs.filter_log_events(logGroupName=name, startTime=int(since * 1000))["events"]
            new = [event for event in events if (name, event["logStreamName"]) not in self._read]
            for event in new:
                self._read[name, event["logStreamName"]] = time.time()
            self._to_delete += dict.fromkeys((name, event["logStreamName"]) for event in new)
            lines = [event["message"] for event in new if not event["message"].startswith(_PLATFORM)]
            if lines:
                yield function_name(name), lines
        self._delete()

    def _delete(self) -> None:
        for _ in range(min(_DELETED_AT_ONCE, len(self._to_delete))):
            group, stream = self._to_delete.pop()
            self._logs.delete_log_stream(logGroupName=group, logStreamName=stream)


def function_name(log_group: str) -> str:
    """The name of a function in the template, from its log group: ``/STACK/NAME``."""
    return log_group.removeprefix(_PREFIX)
