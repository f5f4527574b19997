"""The network taken away: recorded responses where the HTTP connections of botocore, or ours, would send a request.

Everything above it is done as ever: building, signing and reading are part of what is measured, sockets are not.
"""

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPHeaderDict

from bench.exchanges import Call, headers
from tasksync.aws.connections import Connections, Response


class _Raw(io.BytesIO):
    """A body as urllib3 hands it to botocore."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Network:
    """Answers a call that was recorded as it was answered then: calls at the same time come in any order. Others of
    that operation are answered in the order they were recorded, again and again."""

    def __init__(self) -> None:
        self._responds: dict[str, Iterator[tuple[HTTPHeaderDict, bytes]]] = {}
        self._exactly: dict[tuple[str, bytes], tuple[HTTPHeaderDict, bytes]] = {}

    def respond_with(self, calls: Sequence[Call]) -> None:
        """From now on these are the responses, and no others."""
        self._exactly.clear()
        by_target: dict[str, list[tuple[HTTPHeaderDict, bytes]]] = defaultdict(list)
        for call in calls:
            response = HTTPHeaderDict(headers(call)), call.response.encode()
            by_target[call.target].append(response)
            self._exactly[call.target, call.request.encode()] = response
        self._responds = {target: cycle(responses) for target, responses in by_target.items()}

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        found = request.headers["X-Amz-Target"]
        target = found.decode() if isinstance(found, bytes) else found
        body = request.body if isinstance(request.body, bytes) else b""
        fields, content = self.response(target, body)
        return AWSResponse(request.url, 200, fields, _Raw(content))  # type: ignore[arg-type]  # as urllib3 gives them

    def response(self, target: str, body: bytes) -> tuple[HTTPHeaderDict, bytes]:
        """Its headers and its content."""
        return self._exactly.get((target, body)) or next(self._responds[target])


@contextmanager
def recorded() -> Iterator[Network]:
    """For the block, no client of this process reaches anything but what was recorded."""
    network = Network()

    def send(_: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        return network.send(request)

    def send_ours(_: Connections, headers: Mapping[str, str], body: bytes, __: float) -> Response:
        fields, content = network.response(headers["X-Amz-Target"], body)
        return Response(200, fields, content)

    with patch.object(URLLib3Session, "send", send), patch.object(Connections, "send", send_ours):
        yield network
