"""The HTTP server of the local stack, over sockets, with an application in the place of the stack."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import websockets.sync.client

from infrastructure.local import http_server

Message = dict[str, Any]

GONE = (410, {"Content-Type": "text/plain"}, b"gone")


class Application:
    """Responds with what arrived; ``/slow`` once it is let go."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.let_go = threading.Event()
        self.waiting = threading.Event()

    async def __call__(self, scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._echo(receive, send)
        else:
            await self._respond(scope, receive, send)

    async def _live(self, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        for _ in range(2):
            kind = (await receive())["type"]
            self.events.append(kind)
            await send({"type": f"{kind}.complete"})

    async def _echo(self, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})

    async def _respond(self, scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        body, message = b"", {"more_body": True}
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        if scope["path"] == "/slow":
            self.waiting.set()
            await asyncio.to_thread(self.let_go.wait)
            self.events.append("slow")
        seen = {
            "method": scope["method"],
            "path": scope["path"],
            "raw_path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "x": [value.decode() for name, value in scope["headers"] if name == b"x"],
            "caller": scope["client"][0],
            "body": body.decode(),
        }
        content = json.dumps(seen).encode()
        headers = [(b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


class Server:
    """A server that runs, on one socket."""

    def __init__(self) -> None:
        self.application = Application()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        async def stopped() -> None:
            await asyncio.to_thread(self._stop.wait)

        asyncio.run(http_server.serve(self.application, [self._listening], stopped, lambda: GONE))

    def begin_to_stop(self) -> None:
        self._stop.set()

    def join(self) -> None:
        self.application.let_go.set()
        self._stop.set()
        self._thread.join()
        self._listening.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def ask(self, request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
        """Status line, headers and body of what comes until the connection is closed."""
        with self.connect() as connection:
            connection.sendall(request)
            return _read(connection)


def _read(connection: socket.socket) -> tuple[bytes, dict[bytes, bytes], bytes]:
    received = b""
    while part := connection.recv(65536):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    return status, headers, body


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    try:
        yield running
    finally:
        running.join()


def request(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    """A request after which the connection is closed."""
    return b"\r\n".join([line + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers, b"", body])


def test_a_request_is_handed_over_as_it_came(server: Server) -> None:
    lines = (b"X: 1", b"X-Forwarded-For: 10.0.0.1", b"x: 2", b"Content-Length: 4")
    status, headers, body = server.ask(request(b"POST /a%2Fb?c=%00&c=1", *lines, body=b"body"))

    assert status == b"HTTP/1.1 200 OK"
    assert set(headers) == {b"content-length", b"connection"}
    assert json.loads(body) == {
        "method": "POST",
        "path": "/a/b",
        "raw_path": "/a%2Fb",
        "query": "c=%00&c=1",
        "x": ["1", "2"],
        "caller": "127.0.0.1",
        "body": "body",
    }


def test_a_response_to_head_has_the_length_of_the_body_and_no_body(server: Server) -> None:
    _, headers, body = server.ask(request(b"HEAD /"))

    assert int(headers[b"content-length"]) > 0
    assert body == b""


def test_a_body_in_chunks_is_read(server: Server) -> None:
    chunks = b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"
    _, _, body = server.ask(request(b"POST /", b"Transfer-Encoding: chunked", body=chunks))

    assert json.loads(body)["body"] == "body"


def test_a_method_that_nobody_knows_is_an_unknown_route(server: Server) -> None:
    status, headers, body = server.ask(request(b"BREW /"))

    assert (status, body) == (b"HTTP/1.1 410 Gone", b"gone")
    assert headers == {b"content-type": b"text/plain", b"content-length": b"4", b"connection": b"close"}


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\r\n\r\n",
        b"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX : 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_malformed_request_is_refused_and_the_connection_closed(server: Server, sent: bytes) -> None:
    assert server.ask(sent)[0] == b"HTTP/1.1 400 Bad Request"


def test_a_websocket_is_opened_and_closed_at_the_stop(server: Server) -> None:
    with websockets.sync.client.connect(f"ws://127.0.0.1:{server.port}/live", compression=None) as connection:
        connection.send("one")
        assert connection.recv() == "one"

        server.begin_to_stop()

        with pytest.raises(websockets.ConnectionClosed):
            connection.recv(timeout=30)


def test_a_request_in_progress_is_finished_before_the_application_stops(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request(b"GET /slow"))
        assert server.application.waiting.wait(30)

        server.begin_to_stop()
        server.application.let_go.set()
        status, _, _ = _read(connection)
    server.join()

    assert status == b"HTTP/1.1 200 OK"
    assert server.application.events == ["lifespan.startup", "slow", "lifespan.shutdown"]
