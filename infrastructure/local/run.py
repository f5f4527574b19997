"""`make run`: starts the local stack, prints its addresses, and stops it on Ctrl-C."""

import argparse
import contextlib
import re
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from infrastructure import template as templates
from infrastructure.local.addresses import DATA, Addresses
from infrastructure.local.errors import LocalStackError, ParameterInvalid, PortInvalid, ServerFailed
from infrastructure.local.stack import LocalStack

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
    parser.add_argument("--parameters", nargs="*", default=[], metavar="NAME=VALUE", help="of template.yaml")
    arguments = parser.parse_args()
    try:
        port = port_number(arguments.port)
        given = parameters_named(arguments.parameters)
    except (ParameterInvalid, PortInvalid) as error:
        print(error, file=sys.stderr)
        return 1
    started = time.monotonic()

    def progress(line: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {line}", flush=True)

    data = arguments.data.resolve()
    parameters = {"CorsAllowedOrigins": arguments.cors_allowed_origins, **given}
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


def parameters_named(texts: Iterable[str]) -> dict[str, str]:
    """The parameters of the template that were given on a command line as ``NAME=VALUE``. Raises ParameterInvalid."""
    declared = templates.load()["Parameters"]
    given = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in declared or not _allowed(declared[name], value):
            raise ParameterInvalid(text)
        given[name] = value
    return given


def _allowed(declaration: Mapping[str, Any], value: str) -> bool:
    """As CloudFormation checks it; ministack does not."""
    if declaration["Type"] == "Number":
        if not (value.isdecimal() and value.isascii()):
            return False
        least, most = int(declaration.get("MinValue", value)), int(declaration.get("MaxValue", value))
        return least <= int(value) <= most
    allowed = declaration.get("AllowedValues", [value])
    return value in allowed and re.fullmatch(declaration.get("AllowedPattern", ".*"), value) is not None


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
        for sentence in stack.reports():
            print(sentence, file=sys.stderr, flush=True)
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
