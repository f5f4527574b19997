"""One id for a request, wherever it is told: ministack makes one for the function and another for its own answers, and
tells the authorizer none, where API Gateway has one for all of them.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


@contextmanager
def one_request() -> Iterator[None]:
    """What is done in this block is done for one request."""
    token = _request_id.set(str(uuid.uuid4()))
    try:
        yield
    finally:
        _request_id.reset(token)


def install(apigateway: Any) -> None:
    """Let ministack's gateway tell it. ``apigateway``: its module for REST APIs."""
    new_id, invoke = apigateway.new_uuid, apigateway._invoke_authorizer_lambda  # noqa: SLF001  # ministack has no place to listen at

    async def invoke_authorizer(authorizer: Any, event: dict[str, Any], *further: Any) -> Any:
        if "requestContext" in event:
            event["requestContext"]["requestId"] = _request_id.get() or new_id()
        return await invoke(authorizer, event, *further)

    apigateway.new_uuid = lambda: _request_id.get() or new_id()
    apigateway._invoke_authorizer_lambda = invoke_authorizer  # noqa: SLF001  # ministack has no place to listen at
