"""The WebSocket API behind the front of the local API: ``ws://127.0.0.1:PORT/live``.

ministack opens WebSockets at a path of its own and holds them for ever. Here they have one address and the limits of
API Gateway, which closes a WebSocket after two hours, after ten minutes without a message in either direction, and for
a message that is too large.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/live"

# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
LONGEST_SECONDS = 2 * 60 * 60
IDLE_SECONDS = 10 * 60
MAX_MESSAGE_BYTES = 128 * 1024

_GOING_AWAY = 1001
_TOO_LARGE = 1009


def prefix(api_id: str, stage: str) -> str:
    """The path of a deployed WebSocket API at ministack."""
    return f"/_aws/execute-api/{api_id}/{stage}"


def with_local_addresses(template: Mapping[str, Any], aws_endpoint: str, live_url: str) -> dict[str, Any]:
    """A copy in which the functions find the WebSocket API here, and clients at the front of the local API."""
    changed = copy.deepcopy(dict(template))
    messages = {"Fn::Sub": aws_endpoint + prefix("${LiveApi}", "live")}
    for value, variable in ((messages, "LIVE_ENDPOINT"), (live_url, "LIVE_URL")):
        for resource in changed["Resources"].values():
            variables = resource.get("Properties", {}).get("Environment", {}).get("Variables", {})
            if variable in variables:
                variables[variable] = value
    if "LiveUrl" in changed.get("Outputs", {}):
        changed["Outputs"]["LiveUrl"]["Value"] = live_url
    return changed


def complete(apigateway: Any, api_id: str, template: Mapping[str, Any]) -> None:
    """Give the mocks of a deployed WebSocket API the responses that the template says: ``deploy`` leaves them out."""
    mocks = [each for each in apigateway.get_integrations(ApiId=api_id)["Items"] if each["IntegrationType"] == "MOCK"]
    for mock in mocks:
        mock_id = {"ApiId": api_id, "IntegrationId": mock["IntegrationId"]}
        for known in apigateway.get_integration_responses(**mock_id)["Items"]:
            apigateway.delete_integration_response(**mock_id, IntegrationResponseId=known["IntegrationResponseId"])
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::ApiGatewayV2::IntegrationResponse":
                apigateway.create_integration_response(**{**resource["Properties"], **mock_id})


class Limited:
    """One WebSocket, closed when it is open or idle for too long. It stands between a client and an application."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        longest_seconds: float = LONGEST_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._receive = receive
        self._send = send
        self._idle_seconds = idle_seconds
        self._used_at = asyncio.get_running_loop().time()
        self._ends_at = self._used_at + longest_seconds
        self._closed = False

    async def receive(self) -> Message:
        """The client's next message, or that the WebSocket is closed."""
        while (left := self._seconds_left()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), left)
            except TimeoutError:
                continue  # a message to the client may have been sent meanwhile
            self._used()
            content = message.get("text") or message.get("bytes") or ""
            if len(content.encode() if isinstance(content, str) else content) > MAX_MESSAGE_BYTES:
                return await self._close(_TOO_LARGE)
            return message
        return await self._close(_GOING_AWAY)

    async def send(self, message: Message) -> None:
        """Hand a message of the application to the client, if it is still there."""
        self._used()
        if not self._closed:
            await self._send(message)

    async def _close(self, code: int) -> Message:
        if not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": code})
        return {"type": "websocket.disconnect", "code": code}

    def _seconds_left(self) -> float:
        now = asyncio.get_running_loop().time()
        return 0 if self._closed else min(self._used_at + self._idle_seconds, self._ends_at) - now

    def _used(self) -> None:
        self._used_at = asyncio.get_running_loop().time()
