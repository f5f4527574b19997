"""The network taken away: recorded responses where botocore's HTTP session would send a request.

Everything above it is done as ever: building, signing and reading are part of what is measured, sockets are not.
"""

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPHeaderDict

from bench.exchanges import Call, headers


class _Raw(io.BytesIO):
    """A body as urllib3 hands it to botocore."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Network:
    """Answers calls of one operation in the order they were recorded, again and again."""

    def __init__(self) -> None:
        self._responds: dict[str, Iterator[tuple[bytes, HTTPHeaderDict]]] = {}

    def respond_with(self, calls: Sequence[Call]) -> None:
        """From now on these are the responses, and no others."""
        by_target: dict[str, list[tuple[bytes, HTTPHeaderDict]]] = defaultdict(list)
        for call in calls:
            by_target[call.target].append((call.response.encode(), HTTPHeaderDict(headers(call))))
        self._responds = {target: cycle(responses) for target, responses in by_target.items()}

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        content, fields = next(self._responds[target.decode() if isinstance(target, bytes) else target])
        return AWSResponse(request.url, 200, fields, _Raw(content))  # type: ignore[arg-type]  # as urllib3 gives them


@contextmanager
def recorded() -> Iterator[Network]:
    """For the block, no client of this process reaches anything but what was recorded."""
    network = Network()

    def send(_: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        return network.send(request)

    with patch.object(URLLib3Session, "send", send):
        yield network
