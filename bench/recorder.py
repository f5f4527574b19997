"""Listens to the product in process: which events its functions are handed, and what they ask AWS for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.models import botocore_stubber

from bench.exchanges import Call, Exchange, Json
from tests.support.aws import Aws
from tests.support.context import LambdaContext
from tests.support.gateway import Gateway, load_handler


class Recorder:
    """Listens between botocore and moto from now on."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.invocations: list[tuple[str, Json]] = []
        self.first: dict[str, list[Call]] = {}
        """By function, what its first invocation through the gateway asked for: what it then remembers, too."""
        place = next(i for i, entry in enumerate(BUILTIN_HANDLERS) if entry[1] is botocore_stubber)
        BUILTIN_HANDLERS[place] = ("before-send", self._listen)

    def _listen(self, request: AWSPreparedRequest, **of_event: Any) -> AWSResponse | None:
        response: AWSResponse | None = botocore_stubber(request=request, **of_event)
        target = _text(request.headers.get("X-Amz-Target", ""))
        # What the stage is set with speaks other protocols, too.
        if response is not None and target:
            self.calls.append(Call(target, _text(request.body or ""), response.content.decode()))
        return response

    @contextmanager
    def running(self) -> Iterator[list[Call]]:
        """Yields what is called in the block."""
        first, calls = len(self.calls), list[Call]()
        yield calls
        calls += self.calls[first:]

    def exchange(self, handler: str, function: str, event: Json) -> Exchange:
        """Of a function that is invoked twice, as what is measured is warm: the second time is what is kept."""
        called = load_handler(handler)
        called(json.loads(json.dumps(event)), LambdaContext(function))
        with self.running() as calls:
            response = called(json.loads(json.dumps(event)), LambdaContext(function))
        if response.get("statusCode", 200) >= 300:
            raise RuntimeError(f"{handler} answered {response}")
        return Exchange(handler, function, event, json.loads(json.dumps(response)), calls)


class RecordedGateway(Gateway):
    """Keeps the event of each invocation."""

    def __init__(self, aws: Aws, recorder: Recorder) -> None:
        super().__init__(aws)
        self._tape = recorder

    def _invoke(self, function: str, event: Json) -> Any:
        self._tape.invocations.append((function, json.loads(json.dumps(event))))
        with self._tape.running() as calls:
            response = super()._invoke(function, event)
        self._tape.first.setdefault(function, calls)
        return response


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
