"""A WebSocket client (RFC 6455) for checks and tests."""

import json
import socket
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, RejectConnection, Request, TextMessage

_SECONDS = 90
"""None of what is waited for takes more than a few seconds, but for a machine that has much else to do."""

Json = dict[str, Any]


class HandshakeRefused(Exception):
    """The server did not open the WebSocket."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class WebSocket:
    """An open WebSocket. Also a context manager, which closes it."""

    def __init__(self, url: str, seconds: float = _SECONDS) -> None:
        """Raises ``HandshakeRefused``. ``seconds``: how long it waits for anything."""
        address = urlsplit(url)
        host, encrypted = str(address.hostname), address.scheme == "wss"
        port = address.port or (443 if encrypted else 80)
        self._socket = socket.create_connection((host, port), timeout=seconds)
        if encrypted:
            self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._events: list[Event] = []
        target = address.path + (f"?{address.query}" if address.query else "")
        self._socket.sendall(self._connection.send(Request(host=address.netloc, target=target)))
        opened = self._next()
        if not isinstance(opened, AcceptConnection):
            self._socket.close()
            raise HandshakeRefused(opened.status_code if isinstance(opened, RejectConnection) else 0)

    def ask(self, message: Json) -> None:
        self._socket.sendall(self._connection.send(TextMessage(data=json.dumps(message))))

    def message(self, seconds: float | None = None) -> Json | None:
        """The next message; None if the server closes the WebSocket. ``seconds``: how long it waits, from now on.

        Raises ``TimeoutError``.
        """
        if seconds is not None:
            self._socket.settimeout(seconds)
        while True:
            event = self._next()
            if isinstance(event, TextMessage):
                read: Json = json.loads(event.data)
                return read
            if event is None or isinstance(event, CloseConnection):
                return None

    def await_message(self, wanted: Callable[[Json], bool]) -> bool:
        """Whether a message comes that is wanted. Others are passed over."""
        while (message := self.message()) is not None:
            if wanted(message):
                return True
        return False

    def until(self, last: Json) -> list[Json]:
        """The messages before this one."""
        found = []
        while (message := self.message()) != last:
            if message is None:
                raise ConnectionError(f"closed before {last}")
            found.append(message)
        return found

    def await_close(self) -> bool:
        """Whether the server closes it. Messages before that are passed over."""
        while self.message() is not None:
            pass
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._socket.close()

    def _next(self) -> Event | None:
        while not self._events:
            received = self._socket.recv(65536)
            if not received:
                return None
            self._connection.receive_data(received)
            self._events += self._connection.events()
        return self._events.pop(0)
