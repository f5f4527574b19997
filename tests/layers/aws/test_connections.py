"""The client's real connections, to a server on this machine."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from urllib3.connection import HTTPConnection

from tasksync.aws.client import DYNAMODB, Client, RetryPolicy


class _Empty(BaseHTTPRequestHandler):
    """Answers anything with an empty object."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Empty) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listening.server_port}")
        yield
        listening.shutdown()
        thread.join(5)


@pytest.mark.usefixtures("server")
def test_a_request_sent_in_two_segments_is_not_delayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body are two pieces, and Nagle's algorithm (RFC 896) holds the second back until the first is
    acknowledged, which the other side may put off for 40 ms and more. botocore's own client turns it off, too.
    """
    turned_off = []
    connect = HTTPConnection.connect

    def connected(connection: HTTPConnection) -> None:
        connect(connection)
        turned_off.append(connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(HTTPConnection, "connect", connected)

    Client(DYNAMODB, RetryPolicy(1, 3, 1)).call("GetItem", {})

    assert turned_off == [1]
