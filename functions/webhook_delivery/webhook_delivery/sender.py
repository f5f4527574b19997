"""Sends one signed payload to a receiver, and never to an address that only this service can reach.

Who may change what a name resolves to could pass a check at one moment and name another address at the next. So the
addresses are checked that the connection is made to. One deadline holds for everything: look-up, connection, TLS, the
request, the response. Redirects are not followed.
"""

import functools
import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from tasksync.domain.webhooks.delivery import Outcome
from tasksync.model.webhooks import RESPONSE_BYTES, Attempt
from tasksync.security.webhook_addresses import Refused, Target, is_allowed, target_of

DEADLINE_SECONDS = 15.0

_USER_AGENT = "TaskSync-Webhooks/1"

_MOST_RECEIVED = 64 * 1024
"""Bytes of a response, with its headers: what follows is not read, whatever lengths it claims to have."""

Resolve = Callable[[str, int], Sequence[str]]
"""The IP addresses of a host; raises ``OSError``."""


class _Failed(Exception):
    """The attempt failed; the argument is the code of the reason."""


class Sender:
    """Sends payloads."""

    def __init__(
        self,
        *,
        loopback: bool,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """``loopback``: this machine may be sent to, also by http. ``resolve``, ``tls``: instead of the system's
        resolver and certificates. ``seconds``: the deadline of an attempt.
        """
        self._seconds = seconds
        self._loopback = loopback
        self._resolve = resolve or _resolved
        self._tls = tls

    def send(self, url: str, headers: dict[str, str], body: bytes, at: datetime) -> Outcome:
        """POST ``body``. Never raises: the attempt says what went wrong."""
        began = time.monotonic()
        response: _Response | None = None
        error: str | None = None
        try:
            response = self._exchange(url, headers, body, began + self._seconds)
        except _Failed as failed:
            error = str(failed)
        milliseconds = round((time.monotonic() - began) * 1000)
        if response is None:
            return Outcome(Attempt(at, milliseconds, None, error, None))
        if response.error is not None or not 200 <= response.status < 300:
            error = response.error or ("redirect" if 300 <= response.status < 400 else f"status_{response.status}")
        attempt = Attempt(at, milliseconds, response.status, error, response.text)
        return Outcome(attempt, _retry_after_seconds(response.retry_after, at))

    def _exchange(self, url: str, headers: dict[str, str], body: bytes, deadline: float) -> "_Response":
        try:
            target = target_of(url, loopback=self._loopback)
        except Refused:
            raise _Failed("url_not_allowed") from None
        with closing(self._connected(target, deadline)) as connection:
            try:
                _write(connection, _request(target, headers, body), deadline)
                return _read(connection, deadline)
            except TimeoutError:
                raise _Failed("timeout") from None
            except (OSError, http.client.HTTPException, ValueError):
                raise _Failed("connection_broken") from None

    def _connected(self, target: Target, deadline: float) -> socket.socket:
        """A connection to a checked address of the target, encrypted if it is to be."""
        connection = None
        for address in self._addresses(target, deadline):
            try:
                connection = socket.create_connection((address, target.port), _left(deadline))
                break
            except TimeoutError:
                raise _Failed("timeout") from None
            except OSError:
                continue
        if connection is None:
            raise _Failed("connection_refused")
        if not target.tls:
            return connection
        try:
            connection.settimeout(_left(deadline))
            return (self._tls or _certificates()).wrap_socket(connection, server_hostname=target.host)
        except TimeoutError:
            connection.close()
            raise _Failed("timeout") from None
        except (OSError, ValueError):
            connection.close()
            raise _Failed("tls_failed") from None

    def _addresses(self, target: Target, deadline: float) -> Sequence[str]:
        """Those of the target, if webhooks may be sent to all of them."""
        addresses = _within(lambda: self._resolve(target.host, target.port), deadline)
        # A name that has an address of an inner network, too, is refused whole.
        if not all(is_allowed(address, loopback=self._loopback) for address in addresses):
            raise _Failed("address_not_allowed")
        return addresses


class _Response(NamedTuple):
    """The beginning of a response. ``error``: it is not whole."""

    status: int
    text: str
    retry_after: str | None
    error: str | None = None


def _request(target: Target, headers: dict[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: {_USER_AGENT}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _write(connection: socket.socket, data: bytes, deadline: float) -> None:
    left = memoryview(data)
    while left:
        connection.settimeout(_left(deadline))
        left = left[connection.send(left) :]


def _read(connection: socket.socket, deadline: float) -> _Response:
    stream = _Stream(connection, deadline)
    response = http.client.HTTPResponse(_Timed(stream))  # type: ignore[arg-type]  # it asks for a file alone
    response.begin()
    if stream.ended:
        raise http.client.IncompleteRead(b"")  # it takes the end of the connection for that of the headers
    retry_after = response.getheader("Retry-After")
    content, error = b"", None
    try:
        content = response.read(RESPONSE_BYTES)
        if response.length and len(content) < RESPONSE_BYTES:
            error = "connection_broken"  # fewer bytes than Content-Length says
    except TimeoutError:
        error = "timeout"
    except (OSError, http.client.HTTPException, ValueError):
        error = "connection_broken"
    return _Response(response.status, content.decode("utf-8", "replace"), retry_after, error)


class _Timed:
    """What ``HTTPResponse`` takes for a socket: a file."""

    def __init__(self, stream: "_Stream") -> None:
        self._stream = stream

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002  # it is always "rb"
        return io.BufferedReader(self._stream)


class _Stream(io.RawIOBase):
    """Ends at the deadline, by an error, and after ``_MOST_RECEIVED``, as if the receiver had hung up."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._left = _MOST_RECEIVED
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._deadline))
        received = self._connection.recv_into(buffer, min(len(buffer), self._left)) if self._left else 0
        self._left -= received
        self.ended = received == 0
        return received


def _left(deadline: float) -> float:
    """Seconds. Raises ``TimeoutError`` if there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _within(look_up: Callable[[], Sequence[str]], deadline: float) -> Sequence[str]:
    """What a look-up finds. It cannot be given a time-out, so it runs in a thread that nobody waits for then."""
    found: list[Sequence[str]] = []

    def run() -> None:
        try:
            found.append(look_up())
        except (OSError, UnicodeError):
            found.append(())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if not found:
        raise _Failed("timeout")
    if not found[0]:
        raise _Failed("unknown_host")
    return found[0]


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Reading the system's certificates takes a while."""
    return ssl.create_default_context()


def _resolved(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _retry_after_seconds(value: str | None, at: datetime) -> int | None:
    """Of a Retry-After header (RFC 9110 §10.2.3): seconds, or a date. None for anything else."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return int(value[:9])
    try:
        return max(0, int((parsedate_to_datetime(value) - at).total_seconds()))
    except (OverflowError, TypeError, ValueError):
        return None
