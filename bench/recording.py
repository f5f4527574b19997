"""Records what is measured: the events of requests, and what DynamoDB answers to them.

``python -m bench.recording FILE`` is a process of its own: it runs the product on moto, and what is measured is not.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.models import botocore_stubber

from bench.exchanges import Call, Exchange, Json, Recording
from tests.support import aws as aws_in_process
from tests.support.aws import Aws
from tests.support.context import LambdaContext
from tests.support.gateway import Gateway, load_handler
from tests.support.product import Product
from tests.support.stack import TEST_PARAMETERS, Stack

_NOW_AND_THEN = ("UpdateItem", "GetSecretValue")

PLAIN = "bench.rivals.plain.app"

# As in the template, where the tests' are a hundredfold: how often a share is taken is part of the cost.
_LIMITS = {"ReadsPerUser": "600", "WritesPerUser": "120"}


class _Tape:
    """Listens between botocore and moto."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.invocations: list[tuple[str, Json]] = []

    def listen(self, request: AWSPreparedRequest, **of_event: Any) -> AWSResponse | None:
        response: AWSResponse | None = botocore_stubber(request=request, **of_event)
        if response is not None:
            target, body = _text(request.headers.get("X-Amz-Target", "")), _text(request.body or "")
            self.calls.append(Call(target, body, response.content.decode()))
        return response

    @contextmanager
    def running(self) -> Iterator[list[Call]]:
        """Yields what is called in the block."""
        first, calls = len(self.calls), list[Call]()
        yield calls
        calls += self.calls[first:]


class _TapedGateway(Gateway):
    """Keeps the event of each invocation."""

    def __init__(self, aws: Aws, tape: _Tape) -> None:
        super().__init__(aws)
        self._tape = tape

    def _invoke(self, function: str, event: Json) -> Any:
        self._tape.invocations.append((function, json.loads(json.dumps(event))))
        return super()._invoke(function, event)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def record() -> Recording:
    """Set a stage with one room of 20 people and 51 tasks, and ask each question once of each who answers it."""
    tape = _Tape()
    place = next(i for i, entry in enumerate(BUILTIN_HANDLERS) if entry[1] is botocore_stubber)
    BUILTIN_HANDLERS[place] = ("before-send", tape.listen)
    with aws_in_process.mocked():
        aws = Aws(Stack({**TEST_PARAMETERS, **_LIMITS}))
        variables = {**aws.stack.all_variables(), "LOG_LEVEL": "INFO"}
        with aws_in_process.environment(variables):
            product = Product(aws)
            product.gateway = _TapedGateway(aws, tape)
            product.anonymous = product.at("https://api.example.org")
            exchanges, first = _exchanges(product, tape)
            operations = {call.target.rpartition(".")[2]: call for call in reversed(tape.calls)}
            return Recording(variables, exchanges, first, [operations[name] for name in _NOW_AND_THEN])


def _exchanges(product: Product, tape: _Tape) -> tuple[dict[str, dict[str, Exchange]], dict[str, Exchange]]:
    ann = product.register("ann")
    room = ann.open_room(name="Move to the new office")
    for _ in range(19):
        product.register().join(room)
    tasks = [ann.plan(**_task(number, room["id"])) for number in range(51)]
    questions: dict[str, Callable[[], Any]] = {
        "get a task": lambda: ann.get(f"/tasks/{tasks[0]['id']}"),
        "list 50 tasks": lambda: ann.get(f"/rooms/{room['id']}/tasks", params={"limit": 50}),
        "create a task": lambda: ann.post("/tasks", json=_task(51, room["id"])),
        "open a room of 20": lambda: ann.get(f"/rooms/{room['id']}"),
    }
    found = {}
    for name, question in questions.items():
        question()
        function, event = tape.invocations[-1]
        handler = product.aws.stack.functions[function]["Handler"]
        found[name] = {"ours": _exchange(tape, handler, function, event), "plain": _exchange(tape, PLAIN, "", event)}
    for path in ("/users/me", "/health", "/.well-known/jwks.json"):
        ann.get(path)
    asked = dict(tape.invocations)
    return found, {name: _first(product, tape, name, event) for name, event in asked.items()}


def _first(product: Product, tape: _Tape, function: str, event: Json) -> Exchange:
    """The last request of those that a function was sent, once more; and the key that the authorizer reads before."""
    exchange = _exchange(tape, product.aws.stack.functions[function]["Handler"], function, event)
    key = next(call for call in tape.calls if call.target.endswith(".GetItem") and "KEY#" in call.request)
    return replace(exchange, calls=[*exchange.calls, key]) if function == "AuthorizerFunction" else exchange


def _task(number: int, room_id: str) -> Json:
    return {
        "title": f"Order the desks for room {number}",
        "description": "Twelve, adjustable in height, with a cable tray each; the supplier is told by Friday.",
        "priority": ("low", "medium", "high")[number % 3],
        "deadline": f"2027-01-{number % 28 + 1:02}T12:00:00Z",
        "room_id": room_id,
    }


def _exchange(tape: _Tape, handler: str, function: str, event: Json) -> Exchange:
    """Invoked twice, as what is measured is warm: the second time is what is kept."""
    called = load_handler(handler)
    called(event, LambdaContext(function))
    with tape.running() as calls:
        answer = called(json.loads(json.dumps(event)), LambdaContext(function))
    if answer.get("statusCode", 200) >= 300:
        raise RuntimeError(f"{handler} answered {answer}")
    return Exchange(handler, function, event, json.loads(json.dumps(answer)), calls)


if __name__ == "__main__":
    aws_in_process.prepare_environment()
    Path(sys.argv[1]).write_bytes(msgspec.json.encode(record()))
