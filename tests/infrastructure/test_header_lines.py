"""Repeated header lines in the local stack, with a stand-in for ministack's gateway."""

import asyncio
from typing import Any

from infrastructure.local import header_lines

JOINED = {"if-match": '"1", "2"', "accept": "*/*"}
SENT = [(b"If-Match", b'"1"'), (b"accept", b"*/*"), (b"if-match", b'"2"')]


class JoiningGateway:
    """The parts of ministack's module that make and pass on events; repeated lines are joined there."""

    def _build_lambda_event_v1(self, _api: str, *, method: str) -> Any:
        return {"method": method} | self._headers()

    async def _invoke_authorizer_lambda(self, _authorizer: str, event: Any, *_further: Any) -> Any:
        return event

    def _headers(self) -> Any:
        return {"headers": dict(JOINED), "multiValueHeaders": {name: [value] for name, value in JOINED.items()}}

    def events(self) -> list[Any]:
        """To a function and to the authorizer."""
        asked = asyncio.run(self._invoke_authorizer_lambda("an authorizer", self._headers(), "more"))
        return [self._build_lambda_event_v1("api1", method="GET"), asked]


def test_each_header_line_is_passed_and_the_last_one() -> None:
    gateway = JoiningGateway()
    header_lines.install(gateway)

    with header_lines.of_one_request(SENT):
        events = gateway.events()

    for event in events:
        assert event["headers"] == {"if-match": '"2"', "accept": "*/*"}
        assert event["multiValueHeaders"] == {"if-match": ['"1"', '"2"'], "accept": ["*/*"]}
    assert events[0]["method"] == "GET"


def test_a_single_header_line_is_unchanged() -> None:
    gateway = JoiningGateway()
    header_lines.install(gateway)

    with header_lines.of_one_request(SENT[:2]):
        assert [event["headers"] for event in gateway.events()] == [JOINED] * 2
    assert [event["headers"] for event in gateway.events()] == [JOINED] * 2
