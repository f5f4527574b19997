"""Where a scenario is played: the product on a DynamoDB of our own, in which somebody can always come in between."""

import contextlib
import copy
import functools
import hashlib
import importlib
import io
import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber

from infrastructure import reset_password
from tasksync.model import times
from tests.mutation.conditions import Condition, Json, Mutant, atoms, condition_of, mutants
from tests.mutation.recording import Moment, Recorded, Recording, copied
from tests.simulation.dynamodb import Database, ServiceError
from tests.simulation.functions import Invocation
from tests.simulation.invariants import Violation, check_always, check_changes
from tests.simulation.process import inside, virtual_time_and_chance
from tests.simulation.scheduler import EPOCH_SECONDS
from tests.simulation.streams import record_of
from tests.simulation.tables import Change
from tests.support.aws import environment
from tests.support.gateway import load_handler, start_cold
from tests.support.stack import Stack

_TABLES_PACKAGE = "tasksync.dynamodb."
_ENTROPY_OF_AN_ID = 10
_SECONDS_BEHIND = 30

# Secrets of this stage's own: the product keeps them by their ARN for as long as the process lives.
_NAMES_OF_SECRETS = ("SIGNING_SECRET", "SESSION_SECRET", "PEPPER_SECRET", "HTTP_SECRET", "WEBHOOK_SECRET")
_SECRETS = {name: f"mutation-{name}" for name in _NAMES_OF_SECRETS}
_QUICK = {"BCRYPT_COST": "4", "LOG_LEVEL": "ERROR", "MAX_ROOM_MEMBERS": "5"}

Scenario = Callable[["Stage"], None]


class Response:
    """What the API answered."""

    def __init__(self, response: Mapping[str, Any]) -> None:
        self.status: int = response["statusCode"]
        self.headers: Mapping[str, str] = response["headers"]
        self.body: Any = json.loads(response["body"]) if response["body"] else None

    @property
    def code(self) -> str | None:
        """Of a problem document."""
        return self.body["code"] if self.status >= 400 else None

    @property
    def replayed(self) -> bool:
        return "Idempotency-Replayed" in self.headers

    def __repr__(self) -> str:
        return f"<{self.status} {self.body}>"


class Stage:
    """One world, with a mutant in it or none. Every commit in it is held against the invariants.

    Without a mutant, it records; with one, it begins with what is recorded.
    """

    def __init__(self, recording: Recording, mutant: Mutant | None) -> None:
        self.draws = _Entropy()
        self.entropy: Random = self.draws
        self.time = EPOCH_SECONDS
        self.database = Database(
            _stack().of_type("AWS::DynamoDB::Table"),
            now=self.now,
            lag=lambda: 0.0,
            breathe=self._breathe,
            committed=self._committed,
        )
        for properties in _stack().functions.values():
            start_cold(properties["Handler"])
        self._clock_ahead = 0.0
        self._unweakened = False
        self._recording = recording
        self._mutant = mutant
        self._known = [] if mutant is None else recording.before(mutant.condition)[::-1]
        """What is not run: the first invocation is the last of these."""
        self._like_the_recording = True
        self._invoking = False
        self._sent: set[Condition] = set()
        """During the invocation that is being recorded."""
        self._before: list[tuple[str, Callable[[], object]]] = []
        self._between: list[Callable[[], object]] = []
        self._held: str | Json | None = None
        self.committed: list[Change] = []
        self.messages: list[Json] = []
        """Of the queue of deliveries."""
        self.failures: list[Exception] = []
        """What went wrong under the product, which may have made a response of it."""

    # ------------------------------------------------------------------ what the process sees (process.World)
    def now(self) -> float:
        return self.time

    def clock(self) -> float:
        return self.time + self._clock_ahead

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        if not self._invoking:
            self._depart()
        target = request.headers["X-Amz-Target"]
        service, _, operation = (target.decode() if isinstance(target, bytes) else target).partition(".")
        raw = request.body
        body = json.loads(raw if isinstance(raw, str | bytes) and raw else "{}")
        if service == "secretsmanager":
            return _response(request, 200, {"SecretString": f"the secret {body['SecretId']}"})
        if service == "AmazonSQS":
            self.messages.append(json.loads(body["MessageBody"]))
            return _response(request, 200, {"MessageId": "1", "MD5OfMessageBody": ""})
        ours = _operation()
        for number, (awaited, action) in enumerate(self._before):
            if awaited == ours and (operation == "TransactWriteItems" or "ConditionExpression" in body):
                del self._before[number]
                if awaited.startswith("Room"):
                    # So that it is not the date of what they change that gives them away.
                    with self.clock_ahead(-_SECONDS_BEHIND):
                        self._let(action)
                else:
                    self._let(action)
                break
        changed = self._changed(ours, operation, body)
        if self._held == ours and operation == "TransactWriteItems":
            self._held = changed
            return _response(request, 400, {"__type": "ResourceInUseException", "message": "no answer"})
        try:
            return _response(request, 200, self.database.call(operation, changed))
        except ServiceError as error:
            return _response(request, error.status, error.document)

    # ---------------------------------------------------------------------------------- what scenarios do
    def before(self, operation: str, action: Callable[[], object]) -> None:
        """Once, before the next transaction of this operation is sent, let ``action`` happen."""
        self._recording.seen.raced.add(operation)
        self._before.append((operation, action))

    @contextlib.contextmanager
    def clock_ahead(self, seconds: float) -> Iterator[None]:
        """What is done meanwhile is done by functions whose clocks are so far ahead; behind, if less than none."""
        before, self._clock_ahead = self._clock_ahead, seconds
        try:
            yield
        finally:
            self._clock_ahead = before

    def during_a_read(self, action: Callable[[], object]) -> None:
        """Once, in the middle of the next read of several items, let ``action`` happen."""
        self._between.append(action)

    def hold(self, operation: str) -> None:
        """Keep back the next transaction of this operation, whose sender is told nothing: see ``release``."""
        self._held = operation

    def release(self) -> None:
        """Let the transaction that was kept back arrive."""
        assert isinstance(self._held, dict)
        self.database.call("TransactWriteItems", self._held)
        self._held = None

    def forget(self) -> None:
        """The transaction that was kept back is lost."""
        self._held = None

    def call(
        self,
        caller_id: str,
        method: str,
        resource: str,
        body: Mapping[str, Any] | None = None,
        /,
        *,
        session: str | None = None,
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, list[str]] | None = None,
        **ids: str,
    ) -> Response:
        """A request to the API. The authorizer is taken at its worst: it lets in whoever says so."""
        self.time += 0.01
        event = _event(method, resource, ids, body, headers or {})
        event["multiValueQueryStringParameters"] = parameters
        caller = {"user_id": caller_id, "session_id": session, "role": "user", "auth_time": str(int(self.time))}
        event["requestContext"]["authorizer"] = caller
        return Response(self._invoke(_functions_of_routes()[method, resource], event))

    def issue_recovery_token(self, username: str) -> str:
        """As `make reset-password` does, whose own condition has a test of its own."""
        self._unweakened = True
        try:
            return reset_password.issue(boto3.client("dynamodb"), "UsersTable", username)[1]
        finally:
            self._unweakened = False

    def sweep(self) -> None:
        """The sweeper, an hour later."""
        self.time += 3600
        self._invoke("SweeperFunction", {})

    def hand_over(self, function: str, **keys: str) -> None:
        """A stream record for what has this key."""
        change = {
            "ApproximateCreationDateTime": int(self.time),
            "Keys": {name: {"S": value} for name, value in keys.items()},
            "SequenceNumber": "1",
        }
        record = {"eventID": "1", "dynamodb": change}
        response = self._invoke(function, {"Records": [record]})
        assert response == {"batchItemFailures": []}, response

    def dispatch_leave(self, room_id: str, user_id: str) -> None:
        """The dispatch function, with the entry of a log that says that this membership ended."""
        entry = {
            "owner_id": room_id,
            "item": "c#000000000001",
            "entry_id": "an id",
            "at": times.timestamp(times.now()),
            "action": "deleted",
            "resource": "membership",
            "resource_id": user_id,
            "changes": "{}",
        }
        image = {name: {"S": value} for name, value in entry.items()}
        record = record_of(Change("LogTable", (room_id, entry["item"]), None, image), 1, self.time)
        response = self._invoke("DispatchFunction", {"Records": [record]})
        assert response == {"batchItemFailures": []}, response

    def admit(self, ticket: str) -> Json | None:
        """The connections function as the authorizer of a WebSocket: what it says of a ticket; None if it refuses."""
        context = {"requestId": "played"}
        event = {"requestContext": context, "queryStringParameters": {"ticket": ticket}, "methodArn": "arn"}
        decision = self._invoke("ConnectionsFunction", {**event, "type": "REQUEST"})
        allowed = decision["policyDocument"]["Statement"][0]["Effect"] == "Allow"
        return decision["context"] if allowed else None

    def connect(self, admitted: Json | None, connection_id: str) -> bool:
        """The connections function, when somebody who was admitted opens a WebSocket: whether it is opened."""
        if admitted is None:
            return False
        context = {"requestId": "played", "routeKey": "$connect", "connectionId": connection_id, "authorizer": admitted}
        return bool(self._invoke("ConnectionsFunction", {"requestContext": context})["statusCode"] == 200)

    def disconnect(self, user_id: str, connection_id: str) -> None:
        """The connections function, when a WebSocket has been closed by its client."""
        context = {"requestId": "played", "routeKey": "$disconnect", "connectionId": connection_id}
        self._invoke("ConnectionsFunction", {"requestContext": {**context, "authorizer": {"user_id": user_id}}})

    def connections(self, user_id: str) -> set[str]:
        """The ids of the connections of a user that are stored."""
        item = self.item("LiveTable", user_id) or {}
        return {each for name, found in item.items() if name.startswith("ses_") for each in found}

    def append_to_logs(self, *changes: Change) -> None:
        """The activity function, with the stream records of these changes."""
        records = [record_of(change, number, self.time) for number, change in enumerate(changes)]
        response = self._invoke("ActivityFunction", {"Records": records})
        assert response == {"batchItemFailures": []}, response

    def item(self, table: str, partition: str, sort: str = "") -> Mapping[str, Any] | None:
        """An item as plain values."""
        found = self.database.tables[table].items.get((partition, sort))
        return None if found is None else {name: next(iter(value.values())) for name, value in found.items()}

    def _invoke(self, function: str, event: Json) -> Any:
        if self._invoking or not self._alike():
            return self._run(function, event)
        if self._known:
            recorded = self._known.pop()
            assert recorded.function == function, "a scenario went another way than before"
            self._restore(recorded.after)
            return copy.deepcopy(recorded.response)
        self._invoking = True
        try:
            response = self._run(function, event)
        except BaseException:
            self._depart()
            raise
        finally:
            self._invoking = False
        if self._mutant is None:
            moment = self._moment()
            self._recording.invocations.append(
                Recorded(function, copy.deepcopy(response), frozenset(self._sent), moment)
            )
            self._sent.clear()
        return response

    def _alike(self) -> bool:
        """Whether plays are still alike, with whatever mutant that nothing has met."""
        if self._before or self._between or self._held is not None:
            self._depart()
        return self._like_the_recording

    def _depart(self) -> None:
        self._like_the_recording = False
        self._known.clear()

    def _run(self, function: str, event: Json) -> Any:
        handler = load_handler(_stack().functions[function]["Handler"])
        return handler(event, Invocation(function, function, self.time + 600, self.now, "played"))

    def _changed(self, ours: str, operation: str, body: Json) -> Json:
        if self._unweakened:
            return body
        if operation == "TransactWriteItems":
            items = [self._weakened(ours, verb, part) for each in body["TransactItems"] for verb, part in each.items()]
            return {**body, "TransactItems": items}
        if "ConditionExpression" in body:
            (changed,) = self._weakened(ours, operation.removesuffix("Item"), body).values()
            return changed
        return body

    def _weakened(self, ours: str, verb: str, part: Json) -> dict[str, Json]:
        if "ConditionExpression" not in part:
            return {verb: part}
        condition = condition_of(ours, verb, part)
        if self._mutant is None:
            self._sent.add(condition)
            seen = self._recording.seen
            if condition not in seen.conditions:
                seen.conditions[condition] = list(mutants(part))
            seen.atoms.setdefault(ours, set()).update(atoms(part) | {("", verb)})
        elif self._mutant.condition == condition:
            part = mutants(part)[self._mutant.change]
        return {verb: part}

    def _moment(self) -> Moment:
        return Moment(
            self.time,
            self.database.state(),
            self.draws.state(),
            tuple(self.committed),
            tuple(self.messages),
            tuple(copied(api.limits.leases) for api in _apis()),
        )

    def _restore(self, moment: Moment) -> None:
        self.time = moment.time
        self.database.restore(moment.database)
        self.draws.restore(moment.drawn)
        self.committed[:] = moment.committed
        self.messages[:] = moment.messages
        for api, leases in zip(_apis(), moment.leases, strict=True):
            api.limits.leases = copied(leases)

    def _breathe(self) -> None:
        if self._between:
            self._let(self._between.pop())

    def _let(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as failure:
            self.failures.append(failure)
            raise

    def _committed(self, changes: list[Change]) -> None:
        self.committed += changes
        try:
            check_changes(self.database.tables, changes, self.time)
            check_always(self.database.tables)
        except Violation as violation:
            self.failures.append(violation)


class Draws(Random):
    """Random bytes that are the same in each run."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.seed(seed)

    def seed(self, a: object = 1, version: int = 2) -> None:  # noqa: ARG002  # as its base class has it
        """Begin anew with this number."""
        self.place = f"{a}", 0

    def randbytes(self, n: int) -> bytes:
        seed, number = self.place
        self.place = seed, number + 1
        return hashlib.shake_128(f"{seed}/{number}".encode()).digest(n)


class _Entropy(Draws):
    """Random numbers of a stage; ids, and the letters of codes, can be made to come twice."""

    def __init__(self) -> None:
        super().__init__(1)
        self.ids: list[bytes] = []
        self.letters = Draws(1)

    def randbytes(self, n: int) -> bytes:
        if n == _ENTROPY_OF_AN_ID and self.ids:
            return self.ids.pop(0)
        if n == 1:
            return self.letters.randbytes(1)
        return super().randbytes(n)

    def state(self) -> tuple[Any, ...]:
        return self.place, self.letters.place, tuple(self.ids)

    def restore(self, state: tuple[Any, ...]) -> None:
        self.place, self.letters.place, ids = state
        self.ids[:] = ids


def play(scenario: Scenario, recording: Recording, mutant: Mutant | None = None) -> BaseException | None:
    """Run a scenario on a fresh stage. What it failed with, or None.

    Without a mutant the play is recorded; with one, ``recording`` is of a play that did not fail.
    """
    stage = Stage(recording, mutant)
    with contextlib.redirect_stdout(io.StringIO()), inside(stage):
        try:
            scenario(stage)
        except Exception as error:
            stage.failures.append(error)
    return stage.failures[0] if stage.failures else None


@contextlib.contextmanager
def theatre() -> Iterator[None]:
    """What ``play`` needs around it."""
    outside = botocore_stubber.enabled
    botocore_stubber.enabled = False  # moto listens as long as anybody in the process uses it
    try:
        with environment({**_stack().all_variables(), **_SECRETS, **_QUICK}), virtual_time_and_chance():
            importlib.reload(importlib.import_module("rooms_api.routes"))  # what a cold start does
            yield
    finally:
        botocore_stubber.enabled = outside
        importlib.reload(importlib.import_module("rooms_api.routes"))


def _operation() -> str:
    """The outermost method of ``tasksync.dynamodb`` that is running: what is being done."""
    name = ""
    for frame, _ in traceback.walk_stack(None):
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_TABLES_PACKAGE):
            name = frame.f_code.co_qualname
        elif name and module.startswith(("tasksync.domain", "tests.")):
            break
    return name


@functools.cache
def _stack() -> Stack:
    return Stack({"LogLevel": "ERROR", "ConcurrentReads": "1"})


@functools.cache
def _apis() -> list[Any]:
    """What answers at the gateway and counts requests, which it remembers from one invocation to the next."""
    handlers = {properties["Handler"].rpartition(".")[0] for properties in _stack().functions.values()}
    apis = [getattr(importlib.import_module(module), "api", None) for module in sorted(handlers)]
    return [api for api in apis if api is not None and api.limits is not None]


@functools.cache
def _functions_of_routes() -> dict[tuple[str, str], str]:
    return {
        (event["Method"].upper(), event["Path"]): function
        for function in _stack().functions
        for event in _stack().events(function, "Api")
    }


def _event(
    method: str, resource: str, ids: Mapping[str, str], body: Mapping[str, Any] | None, headers: Mapping[str, str]
) -> Json:
    sent = {**headers, "Content-Type": "application/json"}
    return {
        "path": resource.format_map(ids),
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "pathParameters": dict(ids) or None,
        "stageVariables": None,
        "requestContext": {
            "domainName": "api.example.org",
            "httpMethod": method,
            "identity": {"sourceIp": "192.0.2.7"},
            "requestId": "played",
            "resourcePath": resource,
            "stage": "live",
        },
        "body": None if body is None else json.dumps(body),
    }


class _Raw(io.BytesIO):
    """A body as urllib3 hands it to botocore."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _response(request: AWSPreparedRequest, status: int, document: Mapping[str, Any]) -> AWSResponse:
    headers = HTTPHeaders()
    headers["Content-Type"] = "application/x-amz-json-1.0"
    return AWSResponse(str(request.url), status, headers, _Raw(json.dumps(document).encode()))
