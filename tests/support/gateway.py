"""API Gateway in process: a REST API made from ``template.yaml``, as a transport for httpx.

It answers under two kinds of address, as on AWS: a host name of the gateway's own (``….execute-api.…``), where the
stage is the first segment of the path, and any other host name, which stands for a custom domain without a stage.

What it leaves out: caching of the authorizer's answers, throttling, binary bodies, CORS.
"""

import base64
import copy
import fnmatch
import functools
import importlib
import json
import re
import time
import traceback
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from tasksync.observability.probes import Probes
from tests.support.aws import Aws
from tests.support.context import LambdaContext

API_ID = "a1b2c3d4e5"
STAGE = "live"
GATEWAY_HOST = f"{API_ID}.execute-api.{REGION}.amazonaws.com"
SOURCE_IP = "192.0.2.7"

MAX_BODY_BYTES = 10 * 1024 * 1024
# Of a function to the gateway; see infrastructure/local/edge.py.
MAX_ANSWER_BYTES = 6_291_556

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, and the function behind it."""

    method: str
    path: str
    function: str
    public: bool

    @property
    def segments(self) -> list[str]:
        return self.path.strip("/").split("/")


class GatewayError(Exception):
    """The gateway answers by itself: with its response of this type, or of the default that the type falls back to."""

    def __init__(
        self, kind: str, default: str = "DEFAULT_4XX", context: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """``context``: what the authorizer said of the caller."""
        super().__init__(kind)
        self.kind = kind
        self.default = default
        self.context = context


class Gateway(httpx.BaseTransport):
    """Takes requests to the functions' handlers, and their responses back."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.routes = routes(aws)
        self.source_ip = SOURCE_IP
        """The address that requests come from."""
        self._cold = {route.function for route in self.routes}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request_id = str(uuid.uuid4())
        try:
            return self._respond(request, request_id)
        except GatewayError as error:
            if error.default == "DEFAULT_5XX":
                traceback.print_exception(error)  # On AWS it is in the function's log.
            return self._own_response(error, request_id)

    def _respond(self, request: httpx.Request, request_id: str) -> httpx.Response:
        called = request.url.raw_path.partition(b"?")[0].decode("ascii")
        path = called.removeprefix(f"/{STAGE}") if request.url.host == GATEWAY_HOST else called
        route, parameters = self._find(request, path)
        event = _event(request, route, path, called, parameters, request_id)
        event["requestContext"]["identity"]["sourceIp"] = self.source_ip
        if not route.public:
            event["requestContext"]["authorizer"] = self._authorize(event, path)
        body = request.read()
        if len(body) > MAX_BODY_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE")
        event["body"] = body.decode("utf-8", "replace") or None
        try:
            return _response(self._invoke(route.function, event))
        except Exception as error:
            raise GatewayError("INTEGRATION_FAILURE", "DEFAULT_5XX") from error

    def _find(self, request: httpx.Request, path: str) -> tuple[Route, dict[str, str]]:
        """The route, and its path parameters. A resource is chosen by its path alone, fixed segments first."""
        segments = [unquote(segment) for segment in path.strip("/").split("/")]
        matching = [
            route for route in self.routes if len(route.segments) == len(segments) and _matches(route, segments)
        ]
        matching.sort(key=lambda route: [_is_parameter(segment) for segment in route.segments])
        for route in matching:
            if route.path == matching[0].path and route.method == request.method:
                pairs = zip(route.segments, segments, strict=True)
                return route, {name[1:-1]: value for name, value in pairs if _is_parameter(name)}
        # A header that is no signature of AWS's is of no type of its own, so the default is what answers.
        raise GatewayError("DEFAULT_4XX" if request.headers.get("Authorization") else "MISSING_AUTHENTICATION_TOKEN")

    def _authorize(self, event: Json, path: str) -> Json:
        """What the authorizer says of the caller."""
        auth = self._aws.stack.resources["Api"]["Properties"]["Auth"]
        authorizer = auth["Authorizers"][auth["DefaultAuthorizer"]]
        identity = authorizer["Identity"]
        sent = {name.lower() for name, value in (event["headers"] or {}).items() if value}
        cached = int(self._aws.stack.resolve(identity["ReauthorizeEvery"])) > 0
        # Without a cache the gateway needs no identity to look up, and asks the authorizer even so.
        if cached and not {name.lower() for name in identity["Headers"]} <= sent:
            raise GatewayError("UNAUTHORIZED")
        method_arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}/{STAGE}/{event['httpMethod']}{path}"
        question = {key: value for key, value in event.items() if key not in ("body", "isBase64Encoded")}
        question |= {"type": authorizer["FunctionPayloadType"], "methodArn": method_arn}
        function = authorizer["FunctionArn"]["Ref"].removesuffix(".Alias")
        try:
            response = self._invoke(function, question)
        except Exception as error:
            if str(error) == "Unauthorized":
                raise GatewayError("UNAUTHORIZED") from error
            raise GatewayError("AUTHORIZER_FAILURE", "DEFAULT_5XX") from error
        context = {name: _as_text(value) for name, value in response.get("context", {}).items() if value is not None}
        if not _allows(response["policyDocument"], method_arn):
            raise GatewayError("ACCESS_DENIED", context=context)
        return {**context, "principalId": response["principalId"], "integrationLatency": 1}

    def _invoke(self, function: str, event: Json) -> Any:
        properties = self._aws.stack.functions[function]
        with self._aws.running(function):
            if function in self._cold:
                self._cold.remove(function)
                start_cold(properties["Handler"])
            handler = load_handler(properties["Handler"])
            # Lambda takes and gives JSON, so nothing that JSON cannot carry gets through here either.
            response = json.dumps(handler(json.loads(json.dumps(event)), LambdaContext(function)), ensure_ascii=False)
            if len(response.encode()) > MAX_ANSWER_BYTES:
                raise ValueError(
                    f"{function} answers with {len(response.encode())} bytes, which Lambda does not pass on"
                )
            return json.loads(response)

    def _own_response(self, error: GatewayError, request_id: str) -> httpx.Response:
        responses = self._aws.stack.decided(self._aws.stack.resources["Api"]["Properties"]["GatewayResponses"])
        response = responses.get(error.kind) or responses[error.default]
        headers = {
            name: request_id if value == "context.requestId" else value.strip("'")
            for name, value in response["ResponseParameters"]["Headers"].items()
        }
        # As it stands: the gateway escapes nothing, and a variable that has no value is left empty.
        variables = {"requestId": request_id, **{f"authorizer.{name}": value for name, value in error.context.items()}}
        template = response["ResponseTemplates"]["application/json"]
        body = re.sub(r"\$context\.([a-zA-Z.]+[a-zA-Z])", lambda name: variables.get(name[1], ""), template)
        return httpx.Response(response["StatusCode"], headers=headers, text=body)


def routes(aws: Aws) -> list[Route]:
    """All routes of the template."""
    return [
        Route(event["Method"].upper(), event["Path"], function, event.get("Auth", {}).get("Authorizer") == "NONE")
        for function in aws.stack.functions
        for event in aws.stack.events(function, "Api")
    ]


def load_handler(handler: str) -> Any:
    """What Lambda calls, with an event and a context, for a template's ``Handler``: a function or a Chalice app."""
    module, _, name = handler.rpartition(".")
    return getattr(importlib.import_module(module), name)


def start_cold(handler: str) -> None:
    """Let a function forget what its container kept of earlier requests."""
    module: Any = importlib.import_module(handler.rpartition(".")[0])
    api = getattr(module, "api", None)
    if api is not None and api.limits is not None:
        api.limits.leases.clear()
    if hasattr(module, "probes"):
        module.probes = _cold_probes()


@functools.cache
def _unused_probes() -> Probes:
    return Probes()


def _cold_probes() -> Probes:
    """As new ones, but with the clients of the first: to make those takes 20 ms."""
    cold = copy.copy(_unused_probes())
    vars(cold).update({name: copy.copy(value) for name, value in vars(cold).items() if isinstance(value, dict)})
    return cold


def _matches(route: Route, segments: list[str]) -> bool:
    return all(
        bool(given) if _is_parameter(wanted) else wanted == given
        for wanted, given in zip(route.segments, segments, strict=True)
    )


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def _event(
    request: httpx.Request, route: Route, path: str, called: str, parameters: dict[str, str], request_id: str
) -> Json:
    """A proxy event, version 1.0. Every key is there; what is empty is null."""
    headers: dict[str, list[str]] = {}
    for raw_name, raw_value in request.headers.raw:
        headers.setdefault(raw_name.decode("ascii"), []).append(raw_value.decode("latin-1"))
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    now = time.time()
    return {
        "resource": route.path,
        "path": path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": request.url.host,
            "domainPrefix": request.url.host.partition(".")[0],
            "extendedRequestId": base64.b64encode(request_id.encode()[:11]).decode(),
            "httpMethod": request.method,
            "identity": {
                "accessKey": None,
                "accountId": None,
                "caller": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": None,
                "user": None,
                "userAgent": request.headers.get("User-Agent"),
                "userArn": None,
            },
            "path": called,
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": "abc123",
            "resourcePath": route.path,
            "stage": STAGE,
        },
        "body": None,
        "isBase64Encoded": False,
    }


def _response(response: Any) -> httpx.Response:
    """What the client gets. Raises on a response that is no proxy response, which the gateway turns into a 5xx."""
    headers = [(_handed_on(name), _as_text(value)) for name, value in (response.get("headers") or {}).items()]
    headers += [
        (_handed_on(name), _as_text(value))
        for name, values in (response.get("multiValueHeaders") or {}).items()
        for value in values
    ]
    body = response.get("body") or ""
    content = base64.b64decode(body, validate=True) if response.get("isBase64Encoded") else body.encode()
    return httpx.Response(int(response["statusCode"]), headers=headers, content=content)


def _handed_on(name: str) -> str:
    """The name under which a header of a function reaches the client; see infrastructure/local/refusals.py."""
    return "X-Amzn-Remapped-WWW-Authenticate" if name.lower() == "www-authenticate" else name


def _allows(policy: Json, method_arn: str) -> bool:
    effects = {
        statement["Effect"]
        for statement in policy["Statement"]
        if statement["Action"] == "execute-api:Invoke" and fnmatch.fnmatchcase(method_arn, statement["Resource"])
    }
    return effects == {"Allow"}


def _as_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
