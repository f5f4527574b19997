"""P2: the CPU of a process that starts, imports a function and answers its first request.

Beside it the floor: a process that makes a boto3 client and reads one item. AWS is a server of this process on this
machine, which gives the recorded responses; processes reach it by ``AWS_ENDPOINT_URL``.

``python -m bench.cold RECORDING OUTPUT [ROUNDS [FUNCTION…]]``: of all functions that were recorded, or of these.
"""

import json
import os
import random
import sys
import tempfile
import threading
from collections import defaultdict, deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.exchanges import Call, Recording, headers
from bench.measuring import ratio

_ROUNDS = 15

_FLOOR = "boto3"


def measure(recording: Recording, rounds: int = _ROUNDS, functions: Collection[str] = ()) -> dict[str, Any]:
    """By function, how many times as much its first request takes as the floor."""
    with tempfile.TemporaryDirectory() as folder, aws(recording) as url:
        commands: dict[str, list[str]] = {_FLOOR: [_FLOOR]}
        for function in functions or recording.first:
            exchange = recording.first[function]
            file = Path(folder, f"{function}.json")
            file.write_text(json.dumps(exchange.event), encoding="utf-8")
            commands[function] = [exchange.handler, str(file)]
        environment = {**os.environ, **recording.variables}
        taken: dict[str, list[float]] = {name: [] for name in commands}
        order = list(commands)
        for number in range(rounds + 1):
            random.shuffle(order)
            for name in order:
                seconds = _cpu_seconds(commands[name], {**environment, "AWS_ENDPOINT_URL": f"{url}/{name}/{number}"})
                if number > 0:  # the first time, Python compiles
                    taken[name].append(seconds)
    return {name: asdict(ratio(taken, name, _FLOOR)) for name in commands if name != _FLOOR}


def _cpu_seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """Of a process, in itself and in the system's calls for it."""
    command = [sys.executable, "-m", "bench.first_request", *arguments]
    nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, command, environment, file_actions=nowhere)
    _, status, usage = os.wait4(process, 0)
    if status != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed")
    return usage.ru_utime + usage.ru_stime


@contextmanager
def aws(recording: Recording) -> Iterator[str]:
    """The URL of a server; below it, at ``FUNCTION/NUMBER``, is found what was recorded of a function.

    What was asked more than once is answered in that order, and then from the beginning. At another NUMBER everything
    begins anew.
    """
    calls = {name: [*exchange.calls, *recording.now_and_then] for name, exchange in recording.first.items()}
    calls[_FLOOR] = [Call("DynamoDB_20120810.GetItem", "", next(_items(recording)))]
    served: dict[str, _Responses] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go together: apart, the second would wait for the first to be acknowledged.
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            name = self.path.strip("/").partition("/")[0]
            # Several calls of one process may be on their way, and those of two processes never.
            call = served.setdefault(self.path, _Responses(calls[name])).to(self.headers["X-Amz-Target"], body)
            self.send_response_only(200)
            for field, value in headers(call).items():
                self.send_header(field, value)
            self.end_headers()
            self.wfile.write(call.response.encode())

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        # A process that was measured ends with its connections open.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Responses:
    """To one process. Calls that were not recorded with these parameters, as those that tell the time, are given the
    responses of their operation in the order they were recorded."""

    def __init__(self, calls: list[Call]) -> None:
        self._exact: dict[tuple[str, str], deque[Call]] = defaultdict(deque)
        for call in calls:
            self._exact[call.target, _unordered(call.request)].append(call)
        self._in_order: dict[str, deque[Call]] = defaultdict(deque)
        for call in calls:
            self._in_order[call.target].append(call)

    def to(self, target: str, body: str) -> Call:
        recorded = self._exact.get((target, _unordered(body))) or self._in_order[target]
        recorded.rotate(-1)
        return recorded[-1]


def _unordered(body: str) -> str:
    """The same for lists in any order: keys that are a set in Python come in another one in each process."""

    def in_order(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: in_order(value[name]) for name in sorted(value)}
        return sorted(map(in_order, value), key=json.dumps) if isinstance(value, list) else value

    return json.dumps(in_order(json.loads(body or "null")))


def _items(recording: Recording) -> Iterator[str]:
    """Answers of GetItem."""
    for exchange in recording.exchanges["get a task"].values():
        yield from (call.response for call in exchange.calls if call.target.endswith(".GetItem"))


if __name__ == "__main__":
    asked = int(sys.argv[3]) if sys.argv[3:] else _ROUNDS
    found = measure(Recording.read(Path(sys.argv[1])), asked, sys.argv[4:])
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")
