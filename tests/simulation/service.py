"""DynamoDB as a function's botocore client meets it: answers, errors, silence; and the end of the function itself."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, ReadTimeoutError

from tests.simulation.dynamodb import Database, Json, ServiceError, cancelled
from tests.simulation.faults import Fault, Faults
from tests.simulation.functions import Invocation

_READ_SECONDS = 3.0
_CONNECT_SECONDS = 1.0

Trace = Callable[[str, Json, str], None]
Later = Callable[[Invocation, float, Callable[[], None]], None]


class Service:
    """Stands in the place of the network: takes what botocore would send, and gives what it would receive."""

    def __init__(
        self,
        database: Database,
        faults: Faults,
        pause: Callable[[float], None],
        running: Callable[[], Invocation | None],
        trace: Trace,
        later: Later,
        weaken: Callable[[str, Json], Json] | None = None,
    ) -> None:
        """``running``: the invocation that sends, or None while the stage is set. ``later`` runs something after so
        many seconds, in the name of an invocation. ``weaken``: see ``simulate``."""
        self._database = database
        self._faults = faults
        self._pause = pause
        self._running = running
        self._trace = trace
        self._later = later
        self._weaken = weaken
        self.requests = 0

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Carry out a request. Raises what the network would raise, or ``Crashed``."""
        target = request.headers["X-Amz-Target"]
        service, _, operation = _text(target).partition(".")
        if service == "secretsmanager":
            return _response(request, _Outcome({"SecretString": "no secret"}))
        body = json.loads(_text(request.body) or "{}")
        if self._weaken is not None:
            body = self._weaken(operation, body)
        self.requests += 1
        invocation = self._running()
        if invocation is None:
            return _response(request, self._carried_out(operation, body))
        invocation.live()
        self._pause(self._faults.latency())
        invocation.live()
        fault = self._faults.draw(operation)
        outcome = self._outcome(fault, operation, body, invocation)
        invocation.looked_at = self._database.commits
        self._trace(operation, body, f"{outcome}{f' ({fault})' if fault else ''}")
        if fault in _CRASHES:
            invocation.die()
        self._pause(outcome.seconds or self._faults.latency())
        invocation.live()
        if outcome.silence is not None:
            raise outcome.silence
        return _response(request, outcome)

    def _outcome(self, fault: Fault | None, operation: str, body: Json, invocation: Invocation) -> "_Outcome":
        """Carry the request out, or not, as the fault wants it, and say what becomes known of it."""
        if fault is Fault.CONFLICT:
            return _Outcome.of(self._conflict(body))
        if fault in _REFUSALS:
            return _Outcome.of(_REFUSALS[fault])
        if fault is Fault.CONNECTION:
            return _Outcome(silence=ConnectTimeoutError(endpoint_url=_ENDPOINT), seconds=_CONNECT_SECONDS)
        if fault is Fault.NOTHING_PROCESSED:
            left = "UnprocessedItems" if operation == "BatchWriteItem" else "UnprocessedKeys"
            return _Outcome({"Responses": {}, left: body["RequestItems"]})
        if fault is Fault.UNPROCESSED:
            return self._half_written(body) if operation == "BatchWriteItem" else self._half_read(body)
        if fault is Fault.OVERTAKEN:
            self._later(invocation, _READ_SECONDS + self._faults.detour(), lambda: self._unheard(operation, body))
        outcome = _NOTHING if fault in _NOT_CARRIED_OUT else self._carried_out(operation, body)
        if fault in _TIMEOUTS:
            return _Outcome(silence=ReadTimeoutError(endpoint_url=_ENDPOINT), seconds=_READ_SECONDS)
        return _Outcome.of(_INTERNAL_ERROR) if fault is Fault.ERROR_AFTER else outcome

    def _conflict(self, body: Json) -> ServiceError:
        """Another transaction is writing one of the items."""
        reasons = [{"Code": "None"} for _ in body["TransactItems"]]
        reasons[self.requests % len(reasons)]["Code"] = "TransactionConflict"
        return cancelled(reasons)

    def _unheard(self, operation: str, body: Json) -> None:
        outcome = self._carried_out(operation, body)
        self._trace(operation, body, f"{outcome} (nobody waits for it any more)")

    def _half_written(self, body: Json) -> "_Outcome":
        ((table, writes),) = body["RequestItems"].items()
        half = len(writes) // 2
        if half:
            self._carried_out("BatchWriteItem", {"RequestItems": {table: writes[:half]}})
        return _Outcome({"UnprocessedItems": {table: writes[half:]}})

    def _half_read(self, body: Json) -> "_Outcome":
        table, part = next(iter(body["RequestItems"].items()))
        half = len(part["Keys"]) // 2
        first = {**body["RequestItems"], table: {**part, "Keys": part["Keys"][:half]}}
        document = self._carried_out("BatchGetItem", {"RequestItems": first}).document
        return _Outcome({**document, "UnprocessedKeys": {table: {**part, "Keys": part["Keys"][half:]}}})

    def _carried_out(self, operation: str, body: Json) -> "_Outcome":
        try:
            return _Outcome(self._database.call(operation, body))
        except ServiceError as error:
            return _Outcome.of(error)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a function gets to know of its request: a response, or after a while that there is none."""

    document: Json = field(default_factory=dict)
    status: int = 200
    silence: BotoCoreError | None = None
    seconds: float = 0.0

    @classmethod
    def of(cls, error: ServiceError) -> "_Outcome":
        return cls(error.document, error.status)

    def __str__(self) -> str:
        if self.silence is not None:
            return type(self.silence).__name__
        if self.status == 200:
            return "done"
        reasons = [reason["Code"] for reason in self.document.get("CancellationReasons", [])]
        code = self.document["__type"].partition("#")[2]
        return f"{code} {reasons}" if reasons else str(code)


_NOTHING = _Outcome()
_ENDPOINT = "https://dynamodb.example.org"
_INTERNAL_ERROR = ServiceError("InternalServerError", "internal", 500)
_REFUSALS: dict[Fault | None, ServiceError] = {
    Fault.IN_PROGRESS: ServiceError("TransactionInProgressException", "in progress"),
    Fault.THROTTLED: ServiceError("ThrottlingException", "rate exceeded"),
    Fault.ERROR_BEFORE: _INTERNAL_ERROR,
}
_CRASHES = {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}
_TIMEOUTS = {Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.OVERTAKEN}
_NOT_CARRIED_OUT = {Fault.CRASH_BEFORE, Fault.TIMEOUT_BEFORE, Fault.OVERTAKEN}


class _Raw(io.BytesIO):
    """A body as urllib3 hands it to botocore."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _response(request: AWSPreparedRequest, outcome: _Outcome) -> AWSResponse:
    headers = HTTPHeaders()
    headers["Content-Type"] = "application/x-amz-json-1.0"
    return AWSResponse(str(request.url), outcome.status, headers, _Raw(json.dumps(outcome.document).encode()))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
