"""The client's real connections, to a server on this machine."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import BinaryIO

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tasksync.aws.client import DYNAMODB, Client, RetryPolicy, may_be_carried_out
from tests.layers.aws.replies import OPERATION, within

SECONDS = 30
"""How long a test waits for what should happen at once."""

Script = Callable[[socket.socket, bytes], bool]
"""Answers one request, of which it gets the body; False closes the connection."""


def answer(connection: socket.socket, content: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))


def echo(connection: socket.socket, body: bytes) -> bool:
    answer(connection, body)
    return True


class Server:
    """Accepts connections, and answers their requests by a script. ``scripts``: of each request in turn, the last one
    of all others."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.request_lines: list[bytes] = []
        self._accepted: list[socket.socket] = []
        self._scripts = list(scripts)
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def accepted(self) -> int:
        """The number of connections."""
        return len(self._accepted)

    def close(self) -> None:
        for each in (self._listening, *self._accepted):
            with contextlib.suppress(OSError):  # closed already
                each.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:  # closed
                return
            self._accepted.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        with plain:
            try:
                connection = plain if self._tls is None else self._tls.wrap_socket(plain, server_side=True)
            except OSError:  # refused by the client
                return
            with connection, connection.makefile("rb") as received:
                while body := self._body(received):
                    script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
                    if not script(connection, body):
                        return

    def _body(self, received: BinaryIO) -> bytes:
        """Of the next request; nothing at the end of the connection."""
        lines: list[bytes] = []
        try:
            while (line := received.readline()) not in {b"", b"\r\n"}:
                lines.append(line.lower())
            self.request_lines += lines[:1]
            length = next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), 0)
            return received.read(length)
        except OSError:  # reset by the client
            return b""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*scripts: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Server:
        server = Server(*scripts, tls=tls)
        servers.append(server)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http{'s' if tls else ''}://{host}:{server.port}")
        return server

    yield start
    for server in servers:
        server.close()


def client(attempts: int = 1, read_seconds: float = 3) -> Client:
    return Client(DYNAMODB, RetryPolicy(1, read_seconds, attempts))


def test_a_request_sent_in_two_segments_is_not_delayed(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Head and body are two pieces, and Nagle's algorithm (RFC 896) holds the second back until the first is
    acknowledged, which the other side may put off for 40 ms and more. botocore's own client turns it off, too.
    """
    turned_off = []
    connect = HTTPConnection.connect

    def connected(connection: HTTPConnection) -> None:
        connect(connection)
        turned_off.append(connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(HTTPConnection, "connect", connected)
    serve(echo)

    client().call(OPERATION, {})

    assert turned_off == [1]


def test_an_endpoint_may_have_a_path(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(echo)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}/aws")

    client().call(OPERATION, {})

    assert server.request_lines == [b"post /aws/ http/1.1\r\n"]


def test_calls_one_after_the_other_share_a_connection(serve: Callable[..., Server]) -> None:
    server, ours = serve(echo), client()

    responses = [ours.call(OPERATION, {"n": number}) for number in range(3)]

    assert responses == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert server.accepted == 1


def test_calls_at_the_same_time_get_their_own_responses(serve: Callable[..., Server]) -> None:
    met = threading.Barrier(4)

    def meet(connection: socket.socket, body: bytes) -> bool:
        met.wait(SECONDS)
        return echo(connection, body)

    server, ours = serve(meet), client()

    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(lambda number: ours.call(OPERATION, {"n": number}), range(40)))

    assert responses == [{"n": number} for number in range(40)]
    assert server.accepted == 4


def test_a_late_response_is_not_taken_for_that_of_the_next_request(serve: Callable[..., Server]) -> None:
    given_up = threading.Event()

    def late(connection: socket.socket, body: bytes) -> bool:
        assert given_up.wait(SECONDS)
        return echo(connection, body)

    serve(late, echo)
    ours = client(read_seconds=0.05)

    with pytest.raises(ReadTimeoutError) as raised:
        ours.call(OPERATION, {"n": 1})
    given_up.set()

    assert may_be_carried_out(raised.value)
    assert ours.call(OPERATION, {"n": 2}) == {"n": 2}


def test_what_nobody_requested_is_not_taken_for_a_response(serve: Callable[..., Server]) -> None:
    sent = threading.Event()

    def twice(connection: socket.socket, body: bytes) -> bool:
        answer(connection, body)
        answer(connection, b'{"n": "of nobody"}')
        sent.set()
        return True

    serve(twice, echo)
    ours = client()

    ours.call(OPERATION, {"n": 1})
    assert sent.wait(SECONDS)

    assert ours.call(OPERATION, {"n": 2}) == {"n": 2}


def test_a_connection_that_the_server_has_closed_is_not_used(serve: Callable[..., Server]) -> None:
    closed = threading.Event()

    def last(connection: socket.socket, body: bytes) -> bool:
        answer(connection, body)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()
        return False

    server, ours = serve(last, echo), client()

    ours.call(OPERATION, {"n": 1})
    assert closed.wait(SECONDS)

    assert ours.call(OPERATION, {"n": 2}) == {"n": 2}
    assert server.accepted == 2


def raw(response: bytes) -> Script:
    """Sends this, and closes the connection."""

    def send(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(response)
        return False

    return send


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"n": ',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"no response at all\r\n\r\n",
    ],
)
def test_a_broken_response_is_requested_again(
    serve: Callable[..., Server], broken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    server = serve(raw(broken), raw(broken), echo)

    with pytest.raises(HTTPClientError) as raised:
        client().call(OPERATION, {"n": 1})

    assert may_be_carried_out(raised.value)
    assert client(attempts=2).call(OPERATION, {"n": 2}) == {"n": 2}
    assert server.accepted == 3


@pytest.mark.parametrize(
    "response",
    [
        b'HTTP/1.1 200 OK\r\n\r\n{"n": 1}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"n": 1}\r\n0\r\n\r\n',
        b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{"n": 1}',
    ],
)
def test_a_response_may_have_any_form_of_http(
    serve: Callable[..., Server], response: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    serve(raw(response))
    # The second request may go out before it is known that the server has closed the connection.
    ours = client(attempts=2)

    assert [ours.call(OPERATION, {}) for _ in range(2)] == [{"n": 1}] * 2


def test_no_call_waits_longer_than_the_function_has(serve: Callable[..., Server]) -> None:
    ended = threading.Event()

    def silent(*_: object) -> bool:
        return ended.wait(SECONDS)

    serve(silent)

    with pytest.raises(ReadTimeoutError):
        within(550, lambda: client(read_seconds=SECONDS).call(OPERATION, {}))
    ended.set()


def test_a_refused_connection_carries_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")

    with pytest.raises(EndpointConnectionError) as raised:
        client().call(OPERATION, {})

    assert not may_be_carried_out(raised.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of ``localhost``, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(pem))
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_trusted_certificate_is_accepted(
    serve: Callable[..., Server], tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    server = serve(echo, tls=tls, host="localhost")
    ours = client()

    assert [ours.call(OPERATION, {"n": number}) for number in range(2)] == [{"n": 0}, {"n": 1}]
    assert server.accepted == 1


@pytest.mark.parametrize(("trusted", "host"), [(False, "localhost"), (True, "127.0.0.1")])
def test_nothing_is_sent_to_a_server_with_another_certificate(
    serve: Callable[..., Server],
    tls: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
    host: str,
) -> None:
    bodies: list[bytes] = []

    def take(connection: socket.socket, body: bytes) -> bool:
        bodies.append(body)
        return echo(connection, body)

    if trusted:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    else:
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    serve(take, tls=tls, host=host)

    with pytest.raises(SSLError) as raised:
        client().call(OPERATION, {})

    assert not may_be_carried_out(raised.value)
    assert bodies == []
