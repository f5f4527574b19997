"""The ``@connections`` API of WebSockets, on a server of this machine: what is sent, and what becomes of responses."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ReadTimeoutError

from tasksync.aws.client import Signer
from tasksync.aws.websockets import WebSockets
from tasksync.model.errors import DependencyFailed
from tests.layers.aws.replies import within

CONNECTION = "L0SM9cO/vHc+Iw="
QUOTED = "L0SM9cO%2FvHc%2BIw%3D"
SECONDS = 30
"""How long a test waits for what should happen at once."""

Request = tuple[str, str, bytes]


class Gateway(ThreadingHTTPServer):
    """Responds with a status, and keeps the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.requests: list[Request] = []
        self.clients: set[Any] = set()
        self.may_respond = threading.Event()
        self.may_respond.set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/live"


class _Handler(BaseHTTPRequestHandler):
    server: Gateway
    protocol_version = "HTTP/1.1"

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.requests.append((self.command, self.path, body))
        self.server.clients.add(self.client_address)
        assert self.server.may_respond.wait(SECONDS)
        content = b'{"message": "of the gateway"}' if self.server.status >= 300 else b""
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_DELETE = _respond  # noqa: N815  # names of the base class

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    serving = threading.Thread(target=gateway.serve_forever, args=(0.01,))
    serving.start()
    yield gateway
    gateway.may_respond.set()
    gateway.shutdown()
    serving.join(SECONDS)
    gateway.server_close()


def test_a_message_is_posted_and_a_connection_deleted_over_one_http_connection(gateway: Gateway) -> None:
    sockets = WebSockets(gateway.endpoint)

    assert sockets.send(CONNECTION, b'{"type":"rooms"}')
    gateway.status = 204
    assert sockets.close(CONNECTION)

    path = f"/live/@connections/{QUOTED}"
    assert gateway.requests == [("POST", path, b'{"type":"rooms"}'), ("DELETE", path, b"")]
    assert len(gateway.clients) == 1


@pytest.mark.parametrize(
    "call", [lambda sockets: sockets.send(CONNECTION, b"{}"), lambda sockets: sockets.close(CONNECTION)]
)
def test_a_connection_that_is_gone_is_not_there(gateway: Gateway, call: Callable[[WebSockets], bool]) -> None:
    gateway.status = 410

    assert not call(WebSockets(gateway.endpoint))


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_any_other_response_is_a_failure_without_another_attempt(gateway: Gateway, status: int) -> None:
    gateway.status = status

    with pytest.raises(DependencyFailed):
        WebSockets(gateway.endpoint).send(CONNECTION, b"{}")

    assert len(gateway.requests) == 1


def test_a_response_that_does_not_come_is_a_failure(gateway: Gateway) -> None:
    gateway.may_respond.clear()

    with pytest.raises(DependencyFailed) as raised:
        WebSockets(gateway.endpoint).send(CONNECTION, b"{}")

    assert isinstance(raised.value.__cause__, ReadTimeoutError)


def test_a_gateway_that_is_not_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(DependencyFailed):
        WebSockets(f"http://127.0.0.1:{port}/live").send(CONNECTION, b"{}")


def test_nothing_is_sent_when_the_function_has_no_time_left(gateway: Gateway) -> None:
    sockets = WebSockets(gateway.endpoint)

    with pytest.raises(DependencyFailed):
        within(2400, lambda: sockets.send(CONNECTION, b"{}"))

    assert gateway.requests == []


@pytest.mark.parametrize("token", [None, "a token"])
@pytest.mark.parametrize(("method", "body"), [("POST", b'{"type":"rooms"}'), ("DELETE", b"")])
def test_a_request_is_signed_as_botocore_signs_it(token: str | None, method: str, body: bytes) -> None:
    origin = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com"
    path = f"/live/@connections/{quote(CONNECTION, safe='')}"
    signer = Signer("execute-api", "eu-central-1", origin + "/live")
    while True:  # in the same second, as they themselves tell it
        ours = signer.signed_path(ReadOnlyCredentials("AKIDEXAMPLE", "secret", token, None), method, path, body)
        request = AWSRequest(method, origin + path, data=body)
        SigV4Auth(Credentials("AKIDEXAMPLE", "secret", token), "execute-api", "eu-central-1").add_auth(request)
        if ours["X-Amz-Date"] == request.headers["X-Amz-Date"]:
            break

    assert ours == {name: value for name, value in request.headers.items() if name in ours}
    assert ours["Authorization"] == request.headers["Authorization"]
