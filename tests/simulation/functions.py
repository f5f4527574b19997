"""The functions of ``template.yaml``, called as Lambda and the gateway call them, minus the authorizer.

The authorizer is taken at its worst: its response always is an old one, so whoever was once signed in is let in.
"""

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infrastructure.streams import fits
from tests.simulation.tables import Change
from tests.support.gateway import start_cold
from tests.support.stack import Stack

Json = dict[str, Any]


class Crashed(BaseException):
    """The function's process is gone. Not an ``Exception``: nothing in it may go on."""


@dataclass(eq=False)
class Invocation:
    """One call of a function, until it answers or dies."""

    function: str
    what: str
    deadline: float
    now: Callable[[], float]
    aws_request_id: str
    began: float = 0.0
    seen_commits: int = 0
    """How many commits there were when it began."""
    call: "Call | None" = None
    """What it carries out, if it was called over the API."""
    looked_at: int = 0
    """How many commits the database had seen at its latest request: what came later, it cannot know of."""
    first_commit: int | None = None
    """Which of all commits its first one was."""
    commits: list[list[Change]] = field(default_factory=list)
    dead: bool = False
    clock_ahead: float = 0.0
    """By how many seconds the clock of its machine is ahead of the time; behind it, if less than none."""

    @property
    def user_id(self) -> str | None:
        """For whom it works, if it was called over the API."""
        return None if self.call is None else self.call.user_id

    def live(self) -> None:
        """Raise ``Crashed`` if the function is dead, or now is too late for it."""
        if self.dead or self.now() >= self.deadline:
            self.die()

    def die(self) -> None:
        """Raises ``Crashed``: now, and whatever the function tries afterwards."""
        self.dead = True
        raise Crashed

    # With aws_request_id, what Lambda's context object offers to a function.
    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - self.now()) * 1000))


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the API by one user. ``resource`` is the route's path, ``ids`` what stands in its braces."""

    user_id: str
    method: str
    resource: str
    ids: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def route(self) -> str:
        """Method and resource."""
        return f"{self.method} {self.resource}"


@dataclass(frozen=True, slots=True)
class Response:
    """What the API answered."""

    status: int
    body: Any


# It writes nothing as long as nobody is connected, and here nobody is.
_WITHOUT_EFFECT = {"LiveFunction"}


@dataclass(frozen=True, slots=True, eq=False)
class EventSource:
    """A function that is called with the records of a table's stream that fit one of the patterns."""

    function: str
    table: str
    batch_size: int
    most_retries: int
    patterns: list[Any]

    def wants(self, record: Json) -> bool:
        return any(fits(record, pattern) for pattern in self.patterns)


class Functions:
    """Finds the handler of each route, stream and schedule."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._routes = {
            (event["Method"].upper(), event["Path"]): function
            for function in stack.functions
            for event in stack.events(function, "Api")
        }
        self.sources = [
            EventSource(
                function,
                event["Stream"]["Fn::GetAtt"][0],
                event["BatchSize"],
                event["MaximumRetryAttempts"],
                [json.loads(each["Pattern"]) for each in event["FilterCriteria"]["Filters"]],
            )
            for function in stack.functions
            if function not in _WITHOUT_EFFECT
            for event in stack.events(function, "DynamoDB")
        ]
        self.scheduled = [function for function in stack.functions if stack.events(function, "Schedule")]
        self._handlers = {name: _load(properties["Handler"]) for name, properties in stack.functions.items()}

    def start_cold(self) -> None:
        """Let all of them forget what they kept of earlier requests."""
        for properties in self._stack.functions.values():
            start_cold(properties["Handler"])

    def function_of(self, call: Call) -> str:
        return self._routes[call.method, call.resource]

    def timeout(self, function: str) -> float:
        """How long Lambda lets the function run, in seconds."""
        common = self._stack.template["Globals"]["Function"]
        return float(self._stack.functions[function].get("Timeout", common["Timeout"]))

    def api(self, call: Call, invocation: Invocation) -> Response:
        """Raises ``Crashed`` if the function dies."""
        response = self._handlers[invocation.function](_event(call, invocation), invocation)
        return Response(response["statusCode"], json.loads(response["body"]) if response["body"] else None)

    def event(self, records: list[Json], invocation: Invocation) -> list[str]:
        """Hand over stream records; the sequence numbers of those that are to come again. Raises ``Crashed``."""
        response = self._handlers[invocation.function]({"Records": records}, invocation)
        return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]

    def by_hand(self, event: Json, invocation: Invocation) -> Json:
        """What a schedule or an operator does. Raises ``Crashed``."""
        response: Json = self._handlers[invocation.function](event, invocation)
        return response


def _load(handler: str) -> Callable[[Json, Invocation], Any]:
    module, _, name = handler.rpartition(".")
    found: Callable[[Json, Invocation], Any] = getattr(importlib.import_module(module), name)
    return found


def _event(call: Call, invocation: Invocation) -> Json:
    headers = {**call.headers, "Content-Type": "application/json"}
    caller = {"user_id": call.user_id, "session_id": f"ses_{call.user_id}", "role": "user"}
    return {
        "resource": call.resource,
        "path": call.resource.format_map(call.ids),
        "httpMethod": call.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(call.query) or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in call.query.items()} or None,
        "pathParameters": dict(call.ids) or None,
        "stageVariables": None,
        "requestContext": {
            "authorizer": {**caller, "auth_time": str(int(invocation.now()))},
            "domainName": "api.example.org",
            "httpMethod": call.method,
            "identity": {"sourceIp": "192.0.2.7", "userAgent": "simulation"},
            "requestId": invocation.aws_request_id,
            "resourcePath": call.resource,
            "stage": "live",
        },
        "body": None if call.body is None else json.dumps(call.body),
        "isBase64Encoded": False,
    }
