"""Connections to one endpoint, which stay open between requests.

They are those of the standard library. urllib3, with botocore's session above it, takes more than twice as much CPU for
a request (docs/engineering-log.md).
"""

import select
import ssl
import urllib.parse
import weakref
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import create_urllib3_context, get_cert_path


class Response(NamedTuple):
    """As far as it is used. ``headers``: names in any case."""

    status_code: int
    headers: Mapping[str, str] | Message
    content: bytes


class Connections:
    """Sends requests to an endpoint. Safe for threads.

    Each request has a connection to itself. The connection is used again only after a complete response: no response
    can be taken for that of another request.
    """

    def __init__(self, url: str, ca_bundle: str | None, connect_seconds: float) -> None:
        """``ca_bundle``: a file of certificates to trust instead of botocore's."""
        self._url = url
        parts = urllib.parse.urlsplit(url)
        self._host, self._port, self._path = str(parts.hostname), parts.port, parts.path or "/"
        self._tls = _tls(ca_bundle) if parts.scheme == "https" else None
        self._connect_seconds = connect_seconds
        self._idle: list[HTTPConnection] = []
        weakref.finalize(self, _close, self._idle)

    def send(
        self,
        headers: Mapping[str, str],
        body: bytes,
        read_seconds: float,
        method: str = "POST",
        path: str | None = None,
    ) -> Response:
        """Raises the errors of botocore's session. ``read_seconds``: the maximum wait for the response, or for more of
        it. ``path``: None for that of the endpoint.
        """
        connection = self._idle_one() or self._connected()
        try:
            connection.sock.settimeout(read_seconds)
            connection.request(method, path or self._path, body, headers)
            received = connection.getresponse()
            response = Response(received.status, received.headers, received.read())
            if response.status_code < 200:  # The response proper comes after it.
                raise HTTPException(f"unexpected status {response.status_code}")
        except BaseException as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise ReadTimeoutError(endpoint_url=self._url, error=error) from error
            if isinstance(error, OSError | HTTPException):
                raise ConnectionClosedError(endpoint_url=self._url, error=error) from error
            raise
        if not received.will_close:
            self._idle.append(connection)
        return response

    def _idle_one(self) -> HTTPConnection | None:
        """The one that was used last and that the other side has not closed."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # Another thread has taken it.
                return None
            arrived = select.poll()
            arrived.register(connection.sock, select.POLLIN)
            if not arrived.poll(0):  # Nothing is due: what has arrived is the end, or nothing that was requested.
                return connection
            connection.close()
        return None

    def _connected(self) -> HTTPConnection:
        if self._tls is None:
            connection = HTTPConnection(self._host, self._port, timeout=self._connect_seconds)
        else:
            connection = HTTPSConnection(self._host, self._port, timeout=self._connect_seconds, context=self._tls)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise self._failure(error) from error
        return connection

    def _failure(self, error: OSError) -> ConnectTimeoutError | SSLError | EndpointConnectionError:
        """The error of a connection that was not made."""
        if isinstance(error, TimeoutError):
            return ConnectTimeoutError(endpoint_url=self._url, error=error)
        if isinstance(error, ssl.SSLError):
            return SSLError(endpoint_url=self._url, error=error)
        return EndpointConnectionError(endpoint_url=self._url, error=error)


def _close(connections: list[HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


def _tls(ca_bundle: str | None) -> ssl.SSLContext:
    """botocore's settings, with certificates that are read once. urllib3 reads them for each connection."""
    context: ssl.SSLContext = create_urllib3_context()
    context.check_hostname = True
    context.load_verify_locations(get_cert_path(ca_bundle or True))  # type: ignore[arg-type]  # its clients do so
    return context
