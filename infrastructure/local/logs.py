"""What CloudWatch Logs does with what the functions log: keeps the lines, and adds up the metrics in them.

Lines are kept in files, one for each function. It runs in the server's own process and speaks to ministack's services
without a network between: a line is either in ministack's logs or counted, and both are saved in the same state. So no
line is counted twice or left out, however often the stack is stopped and started.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from infrastructure.local import extraction
from infrastructure.local.deploy import STACK
from infrastructure.local.errors import ServerFailed

Answer = tuple[int, Any, str | bytes]
Service = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Answer]]
"""A service of ministack's: method, path, headers, body and query in; status, headers and body out."""

_PREFIX = f"/{STACK}/"
_SECONDS_BETWEEN_READS = 1.0
_GROUPS_AT_ONCE = 50
_LOGS = "Logs_20140328"
_METRICS = "GraniteServiceVersion20100801"
# Lambda's own lines about an invocation; a function's lines carry the request id already.
_LAST = "REPORT RequestId:"
_PLATFORM = ("START RequestId:", "END RequestId:", _LAST)


class FunctionLogs:
    """Takes what the functions have logged, each line once.

    ministack makes one stream for each invocation, whole, when it ends; keeps it in memory and in its saved state, and
    never expires it. So a stream that was read is deleted. ``directory``: where the files are. ``logs``, ``metrics``:
    ministack's services.
    """

    def __init__(self, directory: Path, logs: Service, metrics: Service) -> None:
        self._directory = directory
        self._logs = logs
        self._metrics = metrics

    async def follow(self) -> None:
        """Until it is cancelled, takes lines about a second after they were written."""
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_READS)
            await self.take()

    async def take(self) -> None:
        """Takes all that is there. Between a metric that is counted and a line that is gone, nothing else runs."""
        for group in await self._groups():
            while await self._take(group):
                pass

    async def _groups(self) -> list[str]:
        while True:
            try:
                found = await self._ask(
                    self._logs, _LOGS, "DescribeLogGroups", logGroupNamePrefix=_PREFIX, limit=_GROUPS_AT_ONCE
                )
            except RuntimeError:
                # ministack adds up the sizes of streams, and a function has just logged another from its own thread.
                continue
            return [group["logGroupName"] for group in found["logGroups"]]

    async def _take(self, group: str) -> bool:
        """Whether there was anything, and so may be more."""
        found = await self._ask(self._logs, _LOGS, "FilterLogEvents", logGroupName=group)
        streams: dict[str, list[str]] = {}
        for event in found["events"]:
            streams.setdefault(event["logStreamName"], []).append(event["message"])
        # An answer holds 10,000 events, and the last stream in it may go on.
        whole = {name: messages for name, messages in streams.items() if messages[-1].startswith(_LAST)}
        lines = [line for messages in whole.values() for line in messages if not line.startswith(_PLATFORM)]
        for call in extraction.calls(lines):
            await self._ask(self._metrics, _METRICS, "PutMetricData", **call)
        for stream in whole:
            await self._ask(self._logs, _LOGS, "DeleteLogStream", logGroupName=group, logStreamName=stream)
        if lines:
            with (self._directory / f"{function_name(group)}.log").open("a", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in lines)
        return bool(whole)

    async def _ask(self, service: Service, target: str, operation: str, **arguments: Any) -> Any:
        headers = {"x-amz-target": f"{target}.{operation}", "content-type": "application/x-amz-json-1.1"}
        status, _, body = await service("POST", "/", headers, json.dumps(arguments).encode(), {})
        if status != 200:
            raise ServerFailed(f"{operation} was answered {status}: {body!r}")
        return json.loads(body) if body else {}


def function_name(log_group: str) -> str:
    """The name of a function in the template, from its log group: ``/STACK/NAME``."""
    return log_group.removeprefix(_PREFIX)
