"""WebSockets at the front of the local API."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from infrastructure.local import websockets
from infrastructure.local.edge import Edge, Message, Receive, Route, Scope, Send
from infrastructure.local.websockets import MAX_MESSAGE_BYTES, Limited

API_PORT = 8000

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Silent:
    """A client that sends what it is given and nothing more, and notes what it gets."""

    def __init__(self, *messages: Message) -> None:
        self._messages = list(messages)
        self.got: list[Message] = []

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.got.append(message)


def connect(route: Route, application: Application, path: str = "/live", query: bytes = b"") -> list[Message]:
    scope: dict[str, Any] = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(b"authorization", b"AWS4-HMAC-SHA256 Credential=1"), (b"x-forwarded-for", b"9.9.9.9")],
        "server": ("127.0.0.1", API_PORT),
        "client": ("127.0.0.1", 50000),
    }
    client = Silent({"type": "websocket.connect"})
    asyncio.run(Edge(application, API_PORT, route)(scope, client.receive, client.send))
    return client.got


def route(tmp_path: Path, live_api_id: str | None = "ws1") -> Route:
    file = tmp_path / "route.json"
    Route.write(file, "api1", "live", {}, live_api_id=live_api_id)
    return Route(file)


def test_a_websocket_reaches_the_deployed_api_as_what_its_client_is(tmp_path: Path) -> None:
    seen: list[Scope] = []

    async def application(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    connect(route(tmp_path), application, query=b"ticket=abc")

    assert (seen[0]["path"], seen[0]["query_string"]) == ("/_aws/execute-api/ws1/live", b"ticket=abc")
    assert seen[0]["headers"] == [(b"authorization", b"AWS4-HMAC-SHA256"), (b"x-forwarded-for", b"127.0.0.1")]


@pytest.mark.parametrize(("path", "live_api_id"), [("/", "ws1"), ("/live/tickets", "ws1"), ("/live", None)])
def test_another_path_takes_no_websocket(tmp_path: Path, path: str, live_api_id: str | None) -> None:
    async def application(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError

    assert connect(route(tmp_path, live_api_id), application, path) == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(("longest", "idle"), [(60, 0.01), (0.01, 60)])
def test_a_websocket_is_closed_after_a_time_and_when_it_is_idle(longest: float, idle: float) -> None:
    async def run() -> tuple[Message, list[Message]]:
        client = Silent()
        limited = Limited(client.receive, client.send, longest, idle)
        message = await limited.receive()
        await limited.send({"type": "websocket.send", "text": "late"})
        return message, client.got

    assert asyncio.run(run()) == (
        {"type": "websocket.disconnect", "code": 1001},
        [{"type": "websocket.close", "code": 1001}],
    )


def test_messages_in_either_direction_keep_a_websocket_open() -> None:
    async def run() -> list[Message]:
        client = Silent({"type": "websocket.receive", "text": "a"}, {"type": "websocket.receive", "text": "b"})
        limited = Limited(client.receive, client.send, 60, 0.05)
        received = [await limited.receive(), await limited.receive()]
        waiting = asyncio.ensure_future(limited.receive())
        for _ in range(4):
            await asyncio.sleep(0.02)
            await limited.send({"type": "websocket.send", "text": "hint"})
        assert not waiting.done()
        await waiting
        return received

    assert [message["text"] for message in asyncio.run(run())] == ["a", "b"]


TOO_LARGE = [{"text": "é" * (MAX_MESSAGE_BYTES // 2 + 1)}, {"bytes": b"x" * (MAX_MESSAGE_BYTES + 1)}]


@pytest.mark.parametrize("content", TOO_LARGE, ids=["text", "bytes"])
def test_a_message_that_is_too_large_closes_the_websocket(content: dict[str, Any]) -> None:
    async def run() -> Message:
        client = Silent({"type": "websocket.receive", **content})
        return await Limited(client.receive, client.send).receive()

    assert asyncio.run(run())["code"] == 1009


def test_the_functions_are_told_where_the_websockets_are() -> None:
    variables = {"LIVE_ENDPOINT": "of AWS", "LIVE_URL": "of AWS", "OTHER": "kept"}
    template = {
        "Resources": {
            "F": {"Type": "AWS::Serverless::Function", "Properties": {"Environment": {"Variables": variables}}},
        },
        "Outputs": {"LiveUrl": {"Value": "of AWS"}},
    }

    changed = websockets.with_local_addresses(template, "http://127.0.0.1:8001", "ws://127.0.0.1:8000/live")

    assert changed["Resources"]["F"]["Properties"]["Environment"]["Variables"] == {
        "LIVE_ENDPOINT": {"Fn::Sub": "http://127.0.0.1:8001/_aws/execute-api/${LiveApi}/live"},
        "LIVE_URL": "ws://127.0.0.1:8000/live",
        "OTHER": "kept",
    }
    assert changed["Outputs"]["LiveUrl"]["Value"] == "ws://127.0.0.1:8000/live"
    assert variables["LIVE_URL"] == "of AWS"
