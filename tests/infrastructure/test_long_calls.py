"""Calls of functions that take minutes: what keeps their connection open, and that every command makes them so."""

import ast
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infrastructure import deployed
from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

# https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
NAT_GATEWAY_SECONDS = 350

# The name on Linux, or that on macOS.
_FIRST_PACKET: int = getattr(socket, "TCP_KEEPIDLE", None) or vars(socket)["TCP_KEEPALIVE"]


class Lambda:
    """Lambda's endpoint for one call. ``options``: those of the caller's socket while it waits for the response."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(10)
        self._url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.options: dict[str, int] = {}

    def client(self, service: Any, /, *, config: Config | None = None) -> Any:
        return boto3.client(service, endpoint_url=self._url, config=config)

    def close(self) -> None:
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        connection, caller = self._listening.accept()
        with connection:
            connection.recv(65536)
            self.options = _options_of(caller)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"ok"')


def _options_of(address: Any) -> dict[str, int]:
    """Of the socket of this process that has this address."""
    for descriptor in Path("/dev/fd").iterdir():
        try:
            found = socket.socket(fileno=os.dup(int(descriptor.name)))
        except OSError:
            continue  # not a socket, or closed since
        with found:
            if found.family == socket.AF_INET and found.getsockname() == address:
                return {
                    "keep alive": found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                    "first packet": found.getsockopt(socket.IPPROTO_TCP, _FIRST_PACKET),
                    "between packets": found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
                }
    raise AssertionError(f"no socket has the address {address}")


@pytest.fixture
def endpoint() -> Iterator[Lambda]:
    endpoint = Lambda()
    yield endpoint
    endpoint.close()


def test_a_waiting_connection_sends_keep_alive_before_a_nat_gateway_drops_it(endpoint: Lambda) -> None:
    functions = deployed.functions(endpoint.client)

    assert deployed.invoke(functions, "AuditorFunction", {}) == "ok"

    assert endpoint.options["keep alive"]
    assert 0 < endpoint.options["first packet"] < NAT_GATEWAY_SECONDS
    assert 0 < endpoint.options["between packets"] < NAT_GATEWAY_SECONDS


def test_a_call_waits_for_the_function_timeout_and_is_not_retried(endpoint: Lambda) -> None:
    functions = deployed.functions(endpoint.client)
    longest = max(properties.get("Timeout", 0) for properties in Stack().functions.values())

    assert deployed.invoke(functions, "AuditorFunction", {}) == "ok"

    assert functions.meta.config.read_timeout > longest >= NAT_GATEWAY_SECONDS
    assert functions.meta.config.retries["total_max_attempts"] == 1


def test_every_command_calls_functions_with_that_client() -> None:
    """``deployed.invoke`` is the one call of Lambda's Invoke, with a client that ``deployed.functions`` has made.

    What is in the folders of ``infrastructure`` calls functions on this machine, with no gateway between.
    """
    found = {}
    for path in (REPOSITORY / "infrastructure").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
        called = {call for call in calls if call.split(".")[-1] in ("invoke", "invoke_async")}
        if called:
            found[path.name] = called, "deployed.functions(stack.client)" in source

    assert found.pop("deployed.py") == ({"functions.invoke"}, False)
    assert found == {name: ({"deployed.invoke"}, True) for name in ("audit.py", "migrate.py", "replay.py")}
