"""The front of the local API: what API Gateway's own front does before and after a request reaches the API.

ministack serves AWS's interface and every deployed API on one port, tells them apart by host and path, and answers
some paths itself, ``/health`` among them. Here the API has a port of its own, on which nothing else is reachable:

- any path goes to the deployed stage, so no stage is in the address;
- the caller's address is the connection's, whatever ``X-Forwarded-For`` the client sent;
- a body over 10 MB is refused;
- a function that crashed or timed out is answered with the gateway response of the template, not with its error text.
"""

import json
import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from infrastructure.local import gateway
from infrastructure.local.gateway import GatewayResponse

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
MAX_BODY_BYTES = 10 * 1024 * 1024


class Route:
    """Where the API is deployed: told by a file, which the deployment writes and which is absent until then."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._modified = -1
        self.prefix = ""
        self.responses: dict[str, GatewayResponse] = {}

    @staticmethod
    def write(file: Path, api_id: str, stage: str, responses: dict[str, GatewayResponse]) -> None:
        """Opens the front for an API."""
        content = {
            # The one address of a stage that no path of the API can be mistaken under.
            "prefix": f"/restapis/{api_id}/{stage}/_user_request_",
            "responses": {
                name: [response.status, response.parameters, response.template] for name, response in responses.items()
            },
        }
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(content), encoding="utf-8")
        os.replace(temporary, file)

    def known(self) -> bool:
        """Whether an API is deployed; reads the file again if it changed."""
        try:
            modified = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return False
        if modified != self._modified:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            self.prefix = content["prefix"]
            self.responses = {name: GatewayResponse(*values) for name, values in content["responses"].items()}
            self._modified = modified
        return True


class Edge:
    """An ASGI application in front of ministack's."""

    def __init__(self, ministack: Application, api_port: int, route: Route) -> None:
        self._ministack = ministack
        self._api_port = api_port
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["server"][1] != self._api_port:
            await self._ministack(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._route.known():
            return await self._answer(send, "DEFAULT_5XX")
        body = await _read(receive)
        if body is None:
            return await self._answer(send, "REQUEST_TOO_LARGE")
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self._ministack(self._to_stage(scope), _replay(body), keep)
        if _failed(sent):
            return await self._answer(send, "DEFAULT_5XX")
        for message in sent:
            await send(message)

    def _to_stage(self, scope: Scope) -> Scope:
        address = (scope.get("client") or ("127.0.0.1",))[0]
        path = self._route.prefix + scope["path"]
        return scope | {
            "path": path,
            "raw_path": self._route.prefix.encode() + scope["raw_path"],
            "headers": [*_without_aws_identity(scope["headers"]), (b"x-forwarded-for", address.encode())],
        }

    async def _answer(self, send: Send, response_type: str) -> None:
        status, headers, body = gateway.answer(self._route.responses, response_type)
        headers = {"Content-Type": "application/json"} | headers | {"Content-Length": str(len(body))}
        fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})


def _without_aws_identity(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    """The client's headers without what would make ministack believe in another caller.

    The signature of an AWS request selects the account that ministack looks for the API in. To this API it is a bad
    token like any other, so its scheme stays and its content goes.
    """
    for name, value in headers:
        if name == b"x-forwarded-for":
            continue
        if name == b"authorization" and value.startswith(b"AWS4-"):
            yield name, value.partition(b" ")[0]
        else:
            yield name, value


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None if it is larger than the gateway takes."""
    chunks = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(chunks)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes) -> Receive:
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    return receive


def _failed(messages: list[Message]) -> bool:
    """Whether these are ministack's words for a function that gave no answer: 502 and the error as ``message``."""
    if not messages or messages[0].get("status") != 502:
        return False
    body = b"".join(message.get("body", b"") for message in messages[1:])
    try:
        return set(json.loads(body)) == {"message"}
    except ValueError:
        return False
