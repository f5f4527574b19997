"""Header lines that are repeated: API Gateway hands over each (``multiValueHeaders``) and the last one (``headers``),
where ministack joins them into one line.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_repeated: ContextVar[dict[str, list[str]]] = ContextVar("repeated_header_lines")


@contextmanager
def of_one_request(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[None]:
    """What is done in this block is done for the request with these headers."""
    lines: dict[str, list[str]] = {}
    for name, value in headers:
        lines.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    token = _repeated.set({name: values for name, values in lines.items() if len(values) > 1})
    try:
        yield
    finally:
        _repeated.reset(token)


def install(apigateway: Any) -> None:
    """Let ministack's gateway hand them over. ``apigateway``: its module for REST APIs."""
    build = apigateway._build_lambda_event_v1  # noqa: SLF001  # ministack has no place to listen at
    invoke = apigateway._invoke_authorizer_lambda  # noqa: SLF001  # ministack has no place to listen at

    def build_event(*arguments: Any, **options: Any) -> Any:
        return _with_lines(build(*arguments, **options))

    async def invoke_authorizer(authorizer: Any, event: dict[str, Any], *further: Any) -> Any:
        return await invoke(authorizer, _with_lines(event), *further)

    apigateway._build_lambda_event_v1 = build_event  # noqa: SLF001  # ministack has no place to listen at
    apigateway._invoke_authorizer_lambda = invoke_authorizer  # noqa: SLF001  # ministack has no place to listen at


def _with_lines(event: dict[str, Any]) -> dict[str, Any]:
    """A TOKEN authorizer's event has no headers."""
    if "multiValueHeaders" in event:
        for name, values in _repeated.get({}).items():
            event["headers"][name] = values[-1]
            event["multiValueHeaders"][name] = values
    return event
