"""The HTTP server of the local stack: uvicorn with httptools, a parser that is not written in Python."""

import asyncio
import contextlib
import re
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

# Names of methods are tokens: https://www.rfc-editor.org/rfc/rfc9110#name-tokens
_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ ")

_SETTINGS: dict[str, Any] = {
    "lifespan": "on",
    "ws": "wsproto",
    # The caller's address is the connection's.
    "proxy_headers": False,
    # ministack adds a date where there is none.
    "date_header": False,
    "server_header": False,
    # API Gateway has neither.
    "ws_ping_interval": None,
    "ws_per_message_deflate": False,
    # Addresses in the log would have tickets in them.
    "access_log": False,
    "log_config": None,
    "log_level": "error",
    "timeout_graceful_shutdown": 2,
}


async def serve(
    application: Any,
    sockets: list[socket.socket],
    stopped: Callable[[], Awaitable[None]],
    unknown_method: Callable[[], Response],
) -> None:
    """Serve an ASGI application until ``stopped`` is over, which begins when the application has started.

    Requests in progress then have two seconds. ``unknown_method`` makes the response to a method that the parser does
    not know, and API Gateway takes for a route that there is not.
    """

    class Protocol(HttpToolsProtocol):
        _received = b""

        def data_received(self, data: bytes) -> None:
            self._received = data
            super().data_received(data)

        def send_400_response(self, msg: str) -> None:
            invalid = isinstance(sys.exception(), httptools.HttpParserInvalidMethodError)
            if invalid and _METHOD.match(self._received):
                self.transport.write(_written(*unknown_method()))
                self.transport.close()
            else:
                super().send_400_response(msg)

    settings = {**_SETTINGS, "http": cast(type[asyncio.Protocol], Protocol)}
    await _Server(uvicorn.Config(application, **settings), stopped).serve(sockets)


class _Server(uvicorn.Server):
    """Signals are the process's own."""

    def __init__(self, config: uvicorn.Config, stopped: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._stopped = stopped

    def capture_signals(self) -> Any:
        return contextlib.nullcontext()

    async def main_loop(self) -> None:
        await self._stopped()


def _written(status: int, headers: dict[str, str], body: bytes) -> bytes:
    """A response after which the connection is closed."""
    headers = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items()]
    return b"".join([STATUS_LINE[status], *lines, b"\r\n", body])
