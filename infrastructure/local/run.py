"""`make run`: starts the local stack, tells where it is, and stops it on Ctrl-C."""

import argparse
import contextlib
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from infrastructure.local.errors import LocalStackError, PortInvalid, ServerFailed
from infrastructure.local.stack import DATA, Addresses, LocalStack

_GREETING = """
TaskSync answers at {url}
Reference pages: {url}/docs; a client to click and type in: {url}/client

A first request:

    curl -i {url}/auth/register -H 'Content-Type: application/json' \\
        -d '{{"username": "ann", "password": "violet kettle drum 17"}}'

Each function logs to {logs}/<function>.log, the server to {logs}/ministack.log.
AWS calls go to {aws} (access key and secret key: local; region us-east-1).
Ctrl-C stops it; the data stays in {data}.
"""

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stopped(BaseException):
    """Somebody asked for the end. Not an Exception: nothing on the way may take it for a fault of its own."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="8000", help="port of the API on 127.0.0.1 (default 8000)")
    parser.add_argument("--data", type=Path, default=DATA, help="directory that keeps the data (default .local)")
    parser.add_argument("--cors-allowed-origins", default="", help="other origins whose pages may use the API")
    arguments = parser.parse_args()
    try:
        port = port_number(arguments.port)
    except PortInvalid as error:
        print(error, file=sys.stderr)
        return 1
    started = time.monotonic()

    def progress(line: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {line}", flush=True)

    data = arguments.data.resolve()
    parameters = {"CorsAllowedOrigins": arguments.cors_allowed_origins}
    stack = LocalStack(port, data, parameters, progress=progress)
    try:
        for name in _ENDINGS:
            signal.signal(name, _raise_stopped)
        addresses = stack.start()
        progress("Ready")
        _greet(addresses, data)
        _stay(stack, data / "logs")
    except _Stopped:
        return _stop(stack)
    except LocalStackError as error:
        with contextlib.suppress(LocalStackError):
            stack.stop()
        print(error, file=sys.stderr)
        return 1
    return 0


def port_number(text: str, highest: int = 65535) -> int:
    """The port that was given on a command line. Raises PortInvalid."""
    if not (text.isdecimal() and text.isascii() and 1 <= int(text) <= highest):
        raise PortInvalid(text, highest)
    return int(text)


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    # Once: the stop itself must not be broken off by a second Ctrl-C.
    for name in _ENDINGS:
        signal.signal(name, signal.SIG_IGN)
    raise _Stopped


def _greet(addresses: Addresses, data: Path) -> None:
    data = data.relative_to(Path.cwd()) if data.is_relative_to(Path.cwd()) else data
    print(
        _GREETING.format(
            url=addresses.api_url,
            aws=addresses.aws_endpoint,
            data=data,
            logs=data / "logs",
        ),
        flush=True,
    )


def _stay(stack: LocalStack, logs: Path) -> None:
    """Until a signal ends it, or the server ends by itself."""
    while stack.alive():
        time.sleep(0.5)
    raise ServerFailed(f"The server ended by itself; see its log, {logs / 'ministack.log'}.")


def _stop(stack: LocalStack) -> int:
    # The terminal may be the thing that went away.
    with contextlib.suppress(OSError):
        print("\nStopping", flush=True)
    try:
        stack.stop()
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    with contextlib.suppress(OSError):
        print("Stopped; the data is kept", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
