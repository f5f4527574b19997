"""The WebSocket API in process: opens WebSockets by the functions of ``template.yaml``, holds what they are sent.

As on AWS, the authorizer is called first, then the route ``$connect``; the client is connected when both agree.
"""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.botocore_stubber import MockRawResponse

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from tests.support.aws import Aws
from tests.support.function_calls import call

Json = dict[str, Any]

API = "LiveApi"
FUNCTION = "ConnectionsFunction"
STAGE_ARN = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/live"


class Refused(Exception):
    """The handshake failed, with this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(eq=False)
class Socket:
    """A WebSocket as its client sees it."""

    id: str
    api: "LiveGateway"
    context: Json
    messages: list[Json] = field(default_factory=list)
    open: bool = True

    def taken(self) -> list[Json]:
        """The messages since the last call."""
        messages, self.messages = self.messages, []
        return messages

    def close(self) -> None:
        """The client closes it, and the gateway says so."""
        self.vanish()
        self.api.report(self)

    def vanish(self) -> None:
        """The network breaks without a message to either side."""
        self.open = False
        self.api.sockets.pop(self.id, None)


class LiveGateway:
    """The WebSockets of one account."""

    current: "LiveGateway | None" = None

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.sockets: dict[str, Socket] = {}
        self.out_of_reach = False
        """Whether calls to send or close fail."""
        LiveGateway.current = self

    def open(self, url: str) -> Socket:
        """Raises ``Refused``."""
        address = urlsplit(url)
        query = dict(parse_qsl(address.query))
        if "ticket" not in query:
            raise Refused(401)
        request: Json = {
            "queryStringParameters": query,
            "requestContext": _context("$connect", "CONNECT", uuid.uuid4().hex[:15] + "="),
        }
        decision = call(self._aws, FUNCTION, {**request, "type": "REQUEST", "methodArn": f"{STAGE_ARN}/$connect"})
        statement = decision["policyDocument"]["Statement"][0]
        if (statement["Effect"], statement["Resource"]) != ("Allow", f"{STAGE_ARN}/$connect"):
            raise Refused(403)
        context = {**decision["context"], "principalId": decision["principalId"]}
        request["requestContext"]["authorizer"] = context
        status = call(self._aws, FUNCTION, request)["statusCode"]
        if status != 200:
            raise Refused(status)
        socket = Socket(request["requestContext"]["connectionId"], self, context)
        self.sockets[socket.id] = socket
        return socket

    def report(self, socket: Socket) -> None:
        """Tell the functions that a WebSocket is closed."""
        context = {**_context("$disconnect", "DISCONNECT", socket.id), "authorizer": socket.context}
        call(self._aws, FUNCTION, {"requestContext": context})

    def answer(self, request: AWSPreparedRequest) -> AWSResponse | None:
        """The response of ``@connections``; None for a request to anything else."""
        url = urlsplit(str(request.url))
        if not (url.netloc.startswith(f"{API}.") and url.path.startswith("/live/@connections/")):
            return None
        if self.out_of_reach:
            return _response(request, 500)
        socket = self.sockets.get(unquote(url.path.rpartition("/")[2]))
        if socket is None:
            return _response(request, 410)
        if request.method == "DELETE":
            socket.vanish()
            self.report(socket)
            return _response(request, 204)
        assert isinstance(request.body, bytes)
        socket.messages.append(json.loads(request.body))
        return _response(request, 200)


def _context(route: str, event: str, connection_id: str) -> Json:
    return {
        "routeKey": route,
        "eventType": event,
        "connectionId": connection_id,
        "requestId": str(uuid.uuid4()),
        "apiId": API,
        "stage": "live",
        "identity": {"sourceIp": "192.0.2.7"},
    }


def _response(request: AWSPreparedRequest, status: int) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders(), MockRawResponse(b""))


def _answer(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
    return LiveGateway.current.answer(request) if LiveGateway.current else None


def install() -> None:
    """Answer ``@connections`` for all botocore clients made from now on."""
    BUILTIN_HANDLERS.insert(1, ("before-send", _answer))
