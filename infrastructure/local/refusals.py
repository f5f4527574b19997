"""Responses to refused requests, as API Gateway makes them and ministack does not.

- In the gateway response ``ACCESS_DENIED``, ``$context.authorizer.NAME`` is what the authorizer's context says.
- ``WWW-Authenticate`` of a function is handed on as ``X-Amzn-Remapped-WWW-Authenticate``; that of a gateway response is
  left alone.
  https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

Headers = list[tuple[bytes, bytes]]

# Where a policy keeps the context that it came with: ministack caches policies, and hands those alone on to be judged.
_CONTEXT = "TasksyncContext"


@dataclass(slots=True)
class Refusal:
    """What is known of one request."""

    by_gateway: bool = False
    """Whether the gateway has answered by itself."""
    context: dict[str, str] = field(default_factory=dict)
    """What the authorizer said, if it was asked or had been asked before."""


_refusal: ContextVar[Refusal | None] = ContextVar("refusal", default=None)


@contextmanager
def of_one_request() -> Iterator[Refusal]:
    """What is done in this block is done for one request."""
    refusal = Refusal()
    token = _refusal.set(refusal)
    try:
        yield refusal
    finally:
        _refusal.reset(token)


def remapped(refusal: Refusal, headers: Headers) -> Headers:
    """The headers of a response as the gateway hands them on."""
    if refusal.by_gateway:
        return headers
    return [
        (b"x-amzn-remapped-www-authenticate" if name.lower() == b"www-authenticate" else name, value)
        for name, value in headers
    ]


def install(apigateway: Any) -> None:
    """Let ministack's gateway say what it refuses. ``apigateway``: its module for REST APIs."""
    invoke = apigateway._invoke_authorizer_lambda  # noqa: SLF001  # ministack has no place to listen at
    evaluate = apigateway._evaluate_policy  # noqa: SLF001  # ministack has no place to listen at
    respond = apigateway._gateway_error_response  # noqa: SLF001  # ministack has no place to listen at

    async def invoke_authorizer(*arguments: Any) -> Any:
        return _with_context(await invoke(*arguments))

    def evaluate_policy(policy: dict[str, Any], *further: Any) -> Any:
        refusal = _refusal.get()
        if refusal is not None:
            refusal.context = policy.get(_CONTEXT) or {}
        return evaluate(policy, *further)

    def gateway_error_response(*arguments: Any) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = respond(*arguments)
        refusal = _refusal.get()
        if refusal is not None:
            refusal.by_gateway = True
            for name, value in refusal.context.items():
                body = body.replace(f"$context.authorizer.{name}".encode(), str(value).encode())
        return status, headers, body

    apigateway._invoke_authorizer_lambda = invoke_authorizer  # noqa: SLF001  # ministack has no place to listen at
    apigateway._evaluate_policy = evaluate_policy  # noqa: SLF001  # ministack has no place to listen at
    apigateway._gateway_error_response = gateway_error_response  # noqa: SLF001  # ministack has no place to listen at


def _with_context(result: Any) -> Any:
    """An authorizer's answer whose policy has its context in it, if it is one."""
    response = result.get("body") if isinstance(result, dict) and not result.get("error") else None
    if isinstance(response, str | bytes):
        try:
            response = json.loads(response)
        except ValueError:
            return result
    if not isinstance(response, dict) or not isinstance(response.get("policyDocument"), dict):
        return result
    policy = {**response["policyDocument"], _CONTEXT: response.get("context")}
    return {**result, "body": {**response, "policyDocument": policy}}
