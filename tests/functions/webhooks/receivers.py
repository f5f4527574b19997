"""Receivers of webhooks on this machine, which behave as receivers do: well, badly, or not at all."""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[BaseHTTPRequestHandler, threading.Event], None]
"""Answers a request. The event is set when the test is over."""


def status(code: int, body: bytes = b"ok", **headers: str) -> Answer:
    """A whole response. Underscores in names of headers stand for hyphens."""

    def answer(handler: BaseHTTPRequestHandler, _: threading.Event) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang(_: BaseHTTPRequestHandler, over: threading.Event) -> None:
    """No response, ever."""
    over.wait(30)


def slowly(seconds: float) -> Answer:
    """A good response, after a while."""

    def answer(handler: BaseHTTPRequestHandler, over: threading.Event) -> None:
        over.wait(seconds)
        status(200)(handler, over)

    return answer


def drip(handler: BaseHTTPRequestHandler, over: threading.Event) -> None:
    """A response of which another byte comes whenever somebody might lose patience."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000:
        if over.wait(0.05):
            return
        handler.wfile.write(bytes([byte]))


def drip_body(handler: BaseHTTPRequestHandler, over: threading.Event) -> None:
    """A good status, and a body that never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not over.wait(0.05):
        handler.wfile.write(b"a")


def die(handler: BaseHTTPRequestHandler, _: threading.Event) -> None:
    """The connection ends in the middle of the body."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    handler.close_connection = True


def die_in_headers(handler: BaseHTTPRequestHandler, _: threading.Event) -> None:
    """The connection ends in the middle of the headers."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/pl")
    handler.close_connection = True


def vanish(handler: BaseHTTPRequestHandler, _: threading.Event) -> None:
    """The connection ends before any response."""
    handler.close_connection = True


def babble(handler: BaseHTTPRequestHandler, _: threading.Event) -> None:
    """Something that is no HTTP."""
    handler.wfile.write(b"\x00\xffSSH-2.0-babble\r\n\r\n")
    handler.close_connection = True


FLOOD_BYTES = 200_000_000


def flood_headers(handler: BaseHTTPRequestHandler, _: threading.Event) -> None:
    """A header that does not end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    _flood(handler, b"X-Flood: " + b"a" * 50_000 + b"\r\n")


def flood_chunk(handler: BaseHTTPRequestHandler, _: threading.Event) -> None:
    """A chunk whose size is none, and which does not end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
    _flood(handler, b"a" * 100_000)


def _flood(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    receiver: Receiver = handler.server.receiver  # type: ignore[attr-defined]  # set in listening()
    handler.close_connection = True
    while receiver.flooded < FLOOD_BYTES:
        handler.wfile.write(data)
        receiver.flooded += len(data)


class Receiver:
    """Answers the first request by the first of its answers, and so on; further ones by the last."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers) or [status(200)]
        self.requests: list[Received] = []
        self.most_in_flight = 0
        self.flooded = 0
        """Bytes of answers that do not end by themselves."""
        self.port = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?room=1"

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._lock:
            headers = {name.lower(): value for name, value in handler.headers.items()}
            self.requests.append(Received(handler.path, headers, body))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            # Whoever sends may be gone.
            with contextlib.suppress(OSError):
                answer(handler, self.over)
        finally:
            with self._lock:
                self._in_flight -= 1

    @contextlib.contextmanager
    def listening(self, tls: ssl.SSLContext | None = None) -> Iterator["Receiver"]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver._handle(self)  # one class in two parts

            def log_message(self, *_: Any) -> None:
                """A test prints nothing."""

        server = _Server(("127.0.0.1", 0), Handler)
        server.receiver = self
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    receiver: Receiver
    daemon_threads = False
    """Closing waits for the requests, so that no test leaves a socket open."""

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up in a handshake is what a test wants to see."""
