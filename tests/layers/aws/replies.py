"""A service that answers what a test wants, and keeps what it was sent."""

import io
import json
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.hooks import HierarchicalEmitter

from tasksync.runtime import deadline

OPERATION = "GetItem"

Reply = tuple[int, bytes, dict[str, str]] | Exception


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Replies:
    """Answers with one after the other."""

    def __init__(self, *replies: Reply) -> None:
        self.sent: list[AWSPreparedRequest] = []
        self._replies = iter(replies)
        self.events = HierarchicalEmitter()
        """On which nobody else listens, as moto does on botocore's own."""
        self.events.register("before-send", self._reply)  # type: ignore[arg-type]  # its response counts

    def _reply(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.sent.append(request)
        reply = self._next(request)
        if isinstance(reply, Exception):
            raise reply
        status, content, fields = reply
        headers = HTTPHeaders.from_dict({"x-amzn-RequestId": "R1", **fields})
        return AWSResponse(str(request.url), status, headers, _Raw(content))

    def _next(self, _: AWSPreparedRequest) -> Reply:
        return next(self._replies)


class Tables(Replies):
    """Answers by table, in whichever thread asks. A reply may be called for, and take its time."""

    def __init__(self, **replies: list[Callable[[], Reply]]) -> None:
        super().__init__()
        self._by_table = {table: iter(each) for table, each in replies.items()}

    def _next(self, request: AWSPreparedRequest) -> Reply:
        return next(self._by_table[json.loads(cast("bytes", request.body))["TableName"]])()


def within(milliseconds: float, call: Callable[[], object]) -> object:
    """What ``call`` does in an invocation that has so much time left."""

    def invocation() -> object:
        deadline.begin(lambda: milliseconds)
        return call()

    return copy_context().run(invocation)


def found(**item: Any) -> Reply:
    return 200, json.dumps({"Item": item}).encode(), {}


def failed(status: int, code: str, **further: Any) -> Reply:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "so it is", **further}
    return status, json.dumps(body).encode(), {}
