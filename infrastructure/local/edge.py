"""The front of the local API: what API Gateway's own front does before and after a request reaches the API.

ministack serves AWS's interface and every deployed API on one port, tells them apart by host and path, and answers
some paths itself, ``/health`` among them. Here the API has a port of its own, on which nothing else is reachable:

- any path goes to the deployed stage, so no stage is in the address;
- the caller's address is the connection's, whatever ``X-Forwarded-For`` the client sent;
- each line of a header that is repeated reaches the functions (``header_lines.py``);
- a refused token is answered with the authorizer's reason, and ``WWW-Authenticate`` of a function gets another name
  (``refusals.py``);
- a body over 10 MB is refused, and one in a coding that is not known;
- what is compressed is handed on as it was before, and what is large is compressed for those who take it;
- on a path without a route, an ``Authorization`` header is taken for a signature of AWS's, which it is not;
- only so many requests run at once, the others wait;
- a WebSocket is opened at one path, and has the gateway's limits (``websockets.py``);
- a function that crashed or timed out is answered with the gateway response of the template, not with its error text,
  and so is one whose response is larger than Lambda passes on.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from infrastructure.local import coding, gateway, header_lines, refusals, request_ids, websockets
from infrastructure.local.gateway import GatewayResponse

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_logger = logging.getLogger(__name__)

# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
MAX_BODY_BYTES = 10 * 1024 * 1024

# What Lambda passes on: the function's whole response, in which the body is a text within JSON.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ANSWER_BYTES = 6_291_556

# The service's limit is 10,240 bytes, above which a request may be refused; this is what servers refuse for certain.
MAX_HEADER_BYTES = 64 * 1024

# ministack starts a process for each request that arrives while those of its function are busy, without end. Requests
# above this number wait for one before them, which on a machine of a few cores is faster for all.
MAX_CONCURRENT_REQUESTS = 8

_CONTROLS = {code: f"%{code:02X}" for code in (*range(32), 127)}

# An access key in the query selects the account that ministack looks for the API in. To this API it is a parameter
# like any other: a sign before the key makes it none of ministack's.
_AWS_KEY = re.compile(rb"(?:^|(?<=&))(?:x-amz-credential|awsaccesskeyid)=", re.IGNORECASE)


class Route:
    """Where the API is deployed: told by a file, which the deployment writes and which is absent until then."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._modified = -1
        self.prefix = ""
        self.live_prefix: str | None = None
        self.responses: dict[str, GatewayResponse] = {}
        self.compressed_from: int | None = None

    @staticmethod
    def write(
        file: Path,
        api_id: str,
        stage: str,
        responses: dict[str, GatewayResponse],
        compressed_from: int | None = None,
        live_api_id: str | None = None,
    ) -> None:
        """Opens the front for an API. ``compressed_from``: how many bytes a response has that is compressed.
        ``live_api_id``: the WebSocket API, if there is one, whose stage has the same name."""
        content = {
            # The one address of a stage that no path of the API can be mistaken under.
            "prefix": f"/restapis/{api_id}/{stage}/_user_request_",
            "responses": {
                name: [response.status, response.parameters, response.template] for name, response in responses.items()
            },
            "compressed_from": compressed_from,
            "live_prefix": None if live_api_id is None else websockets.prefix(live_api_id, stage),
        }
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(content), encoding="utf-8")
        temporary.replace(file)

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
            self.compressed_from = content["compressed_from"]
            self.live_prefix = content["live_prefix"]
            self._modified = modified
        return True


class Edge:
    """An ASGI application in front of ministack's."""

    def __init__(self, ministack: Application, api_port: int, route: Route) -> None:
        self._ministack = ministack
        self._api_port = api_port
        self._route = route
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["server"][1] != self._api_port:
            await self._ministack(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a WebSocket."""
        prefix = self._route.live_prefix if self._route.known() else None
        if prefix is None or scope["path"] != websockets.PATH:
            await send({"type": "websocket.close", "code": 1008})
            return
        limited = websockets.Limited(receive, send)
        scope = self._to_stage(scope) | {"path": prefix, "raw_path": prefix.encode()}
        await self._ministack(scope, limited.receive, limited.send)

    def unknown_route(self) -> tuple[int, dict[str, str], bytes]:
        """The response where the API has no such path, or no such method of it: status, headers and body."""
        status, headers, body = gateway.render_response(
            self._route.responses if self._route.known() else {}, "DEFAULT_4XX"
        )
        return status, {"Content-Type": "application/json", **headers}, body

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
            fields = [(b"connection", b"close"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 431, "headers": fields})
            await send({"type": "http.response.body", "body": b""})
            return
        if not self._route.known():
            await self._respond(send, "DEFAULT_5XX")
            return
        body = await _read(receive)
        if body is None:
            # The rest of the body is still on its way, and would be taken for the next request.
            await self._respond(send, "REQUEST_TOO_LARGE", {"Connection": "close"})
            return
        try:
            headers, body = coding.decoded(scope["headers"], body, MAX_BODY_BYTES)
        except coding.TooLarge:
            await self._respond(send, "REQUEST_TOO_LARGE")
            return
        except coding.Undecodable:
            await self._respond(send, "UNSUPPORTED_MEDIA_TYPE")
            return
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        async with self._slots:
            with (
                request_ids.one_request(),
                header_lines.of_one_request(headers),
                refusals.of_one_request() as refusal,
            ):
                await self._ministack(self._to_stage(scope | {"headers": headers}), _replay(body), keep)
        if error := _error_of_function(sent) or _excess(sent):
            _logger.error("%s %s: the function gave no answer: %s", scope["method"], scope["path"], error)
            await self._respond(send, "DEFAULT_5XX")
            return
        if _names_no_route(sent) and any(name == b"authorization" and value for name, value in headers):
            await self._respond(send, "DEFAULT_4XX")
            return
        if sent:
            start, *parts = sent
            start = start | {"headers": refusals.remapped(refusal, list(start["headers"]))}
            await self._send(send, [start, *parts], scope["headers"])

    async def _send(self, send: Send, sent: list[Message], accepted: coding.Headers) -> None:
        start, *parts = sent
        body = b"".join(part.get("body", b"") for part in parts)
        headers, body = coding.encoded(
            start["status"], list(start["headers"]), body, accepted, self._route.compressed_from
        )
        await send(start | {"headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _to_stage(self, scope: Scope) -> Scope:
        address = (scope.get("client") or ("127.0.0.1",))[0]
        return scope | {
            # ministack's policies match no line break, so a path with one would be forbidden instead of unknown.
            "path": self._route.prefix + scope["path"].translate(_CONTROLS),
            "raw_path": self._route.prefix.encode() + scope["raw_path"],
            "query_string": _AWS_KEY.sub(rb"\g<0>-", scope["query_string"]),
            "headers": [*_without_aws_identity(scope["headers"]), (b"x-forwarded-for", address.encode())],
        }

    async def _respond(self, send: Send, response_type: str, further: Mapping[str, str] = MappingProxyType({})) -> None:
        status, headers, body = gateway.render_response(self._route.responses, response_type)
        headers = {"Content-Type": "application/json", **headers, **further, "Content-Length": str(len(body))}
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
    chunks: list[bytes] = []
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


def _names_no_route(messages: list[Message]) -> bool:
    """Whether ministack found no method of any path for the request."""
    headers = messages[0].get("headers", []) if messages else []
    return any(
        name.lower() == b"x-amzn-errortype" and value == b"MissingAuthenticationTokenException"
        for name, value in headers
    )


def _excess(messages: list[Message]) -> str | None:
    """What Lambda says of a response that is too large, if this is one."""
    body = b"".join(message.get("body", b"") for message in messages[1:])
    # In JSON a byte becomes six at most.
    if 6 * len(body) <= MAX_ANSWER_BYTES:
        return None
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in messages[0].get("headers", [])}
    response = {"statusCode": messages[0]["status"], "headers": headers, "body": body.decode(errors="replace")}
    size = len(json.dumps(response, ensure_ascii=False).encode())
    if size <= MAX_ANSWER_BYTES:
        return None
    return f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_ANSWER_BYTES} bytes)."


def _error_of_function(messages: list[Message]) -> str | None:
    """What ministack says of a function that gave no response: a 502 whose body is a ``message`` alone."""
    if not messages or messages[0].get("status") != 502:
        return None
    try:
        body = json.loads(b"".join(message.get("body", b"") for message in messages[1:]))
    except ValueError:
        return None
    return str(body["message"]) if isinstance(body, dict) and set(body) == {"message"} else None
