"""Stores the log lines of functions and adds up the metrics in them, as CloudWatch Logs does.

Lines are kept in files, one for each function. It runs in the server's own process and speaks to ministack's services
without a network between, so what is counted is saved at the same stop as the rest: no line is counted twice or left
out, however often the stack is stopped and started.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from infrastructure.local import extraction
from infrastructure.local.deploy import STACK
from infrastructure.local.errors import ServerFailed

Response = tuple[int, Any, str | bytes]
Service = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Response]]
"""A service of ministack's: method, path, headers, body and query in; status, headers and body out."""

_PREFIX = f"/{STACK}/"
_SECONDS_BETWEEN_READS = 1.0
_SECONDS_OF_SILENCE = 0.1
_GROUPS_AT_ONCE = 50
_LOGS = "Logs_20140328"
_METRICS = "GraniteServiceVersion20100801"
# Lambda's own lines about an invocation; a function's lines carry the request id already.
_FIRST = "START RequestId:"
_LAST = "REPORT RequestId:"
_PLATFORM = (_FIRST, "END RequestId:", _LAST)


class FunctionLogs:
    """Takes what the functions have logged, each line once.

    The functions' own lines are heard as they are written. ministack would wait for them after each invocation, up to
    50 ms, before it responds. Here it gets none of them and does not wait. It has a log stream for each invocation, and
    what else is in those is taken, above all why a function failed; then they are deleted, for ministack keeps them in
    memory and in its saved state, and never expires them.
    """

    def __init__(self, directory: Path, logs: Service, metrics: Service) -> None:
        """``directory``: where the files are. ``logs``, ``metrics``: ministack's services."""
        self._directory = directory
        self._logs = logs
        self._metrics = metrics
        self._heard: deque[tuple[str, str]] = deque()

    def listen(self, worker: Any) -> None:
        """Hear what is written by all workers that start from now on. ``worker``: ministack's class of them."""

        def read(process: Any) -> None:
            group = (process.config.get("LoggingConfig") or {}).get("LogGroup", "")
            for written in process._proc.stderr:  # noqa: SLF001  # this takes the place of a method of that class
                line = written.rstrip("\n")
                # All that a function logs by itself is JSON.
                if group.startswith(_PREFIX) and line.startswith("{"):
                    self._heard.append((group, line))
                else:
                    process._stderr_queue.put(line)  # noqa: SLF001  # ministack has no place to listen at

        wait = worker._drain_stderr_bounded  # noqa: SLF001  # ministack has no place to listen at

        def drain(process: Any) -> str:
            # Only a process that failed is waited for: why it did is on its way. It is taken away before this.
            if process._proc is None:  # noqa: SLF001  # ministack has no place to listen at
                return str(wait(process))
            return str(process._drain_stderr())  # noqa: SLF001  # ministack has no place to listen at

        worker._read_stderr = read  # noqa: SLF001  # ministack has no place to listen at
        worker._drain_stderr_bounded = drain  # noqa: SLF001  # ministack has no place to listen at

    async def follow(self) -> None:
        """Until it is cancelled, takes lines about a second after they were written."""
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_READS)
            await self.take()

    async def finish(self) -> None:
        """Takes what is left. A line is on its way before its request is answered, but may not have been heard yet."""
        heard = -1
        while len(self._heard) != heard:
            heard = len(self._heard)
            await asyncio.sleep(_SECONDS_OF_SILENCE)
        await self.take()

    async def take(self) -> None:
        """Takes all that is there."""
        lines: dict[str, list[str]] = {}
        for _ in range(len(self._heard)):
            group, line = self._heard.popleft()
            lines.setdefault(group, []).append(line)
        for call in extraction.calls(line for heard in lines.values() for line in heard):
            await self._ask(self._metrics, _METRICS, "PutMetricData", **call)
        for group, heard in lines.items():
            self._keep(group, heard)
        for group in await self._groups():
            while await self._empty(group):
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

    async def _empty(self, group: str) -> bool:
        """Whether there was anything, and so may be more."""
        found = await self._ask(self._logs, _LOGS, "FilterLogEvents", logGroupName=group)
        streams: dict[str, list[str]] = {}
        for event in found["events"]:
            streams.setdefault(event["logStreamName"], []).append(event["message"])
        whole = []
        for name, messages in streams.items():
            if not messages[0].startswith(_FIRST):
                # Not of an invocation: a command wrote it.
                self._keep(group, messages)
            elif messages[-1].startswith(_LAST):
                self._keep(group, [line for line in messages if not line.startswith((*_PLATFORM, "{"))])
            else:
                # A response holds 10,000 events, and the last stream in it may go on.
                continue
            whole.append(name)
        for stream in whole:
            await self._ask(self._logs, _LOGS, "DeleteLogStream", logGroupName=group, logStreamName=stream)
        return bool(whole)

    def _keep(self, group: str, lines: list[str]) -> None:
        if lines:
            with (self._directory / f"{function_name(group)}.log").open("a", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in lines)

    async def _ask(self, service: Service, target: str, operation: str, **arguments: Any) -> Any:
        headers = {"x-amz-target": f"{target}.{operation}", "content-type": "application/x-amz-json-1.1"}
        status, _, body = await service("POST", "/", headers, json.dumps(arguments).encode(), {})
        if status != 200:
            raise ServerFailed(f"{operation} was answered {status}: {body!r}")
        return json.loads(body) if body else {}


def function_name(log_group: str) -> str:
    """The name of a function in the template, from its log group: ``/STACK/NAME``."""
    return log_group.removeprefix(_PREFIX)
