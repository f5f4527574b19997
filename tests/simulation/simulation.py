"""One seed: the stage is set, clients and streams run among each other, then everything comes to rest."""

import contextlib
import functools
import importlib
import io
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tasksync.model.entities import User, UserRole, UserStatus
from tasksync.model.errors import TaskSyncError
from tests.simulation import authority, invariants
from tests.simulation.audit_trail import Recorded
from tests.simulation.change_logs import ChangeLogs
from tests.simulation.clients import CROWDED, OVER_NIGHT, USUAL, Client, Known
from tests.simulation.dynamodb import Database, Json
from tests.simulation.faults import Faults
from tests.simulation.functions import Call, Crashed, Functions, Invocation, Response
from tests.simulation.history import History, Operation, described
from tests.simulation.invariants import Violation
from tests.simulation.process import inside, virtual_time_and_chance
from tests.simulation.reads import Reads
from tests.simulation.scheduler import EPOCH_SECONDS, Scheduler
from tests.simulation.service import Service
from tests.simulation.streams import Streams
from tests.simulation.tables import Change
from tests.simulation.task_items import TASKS_TABLE, TRASH_SECONDS, crowded
from tests.simulation.task_writes import TaskWrites
from tests.simulation.trace import Trace
from tests.support.stack import Stack

# Names of people, in the trace and in the tables.
PEOPLE = ("ann", "bob", "cleo")
_MOST_OPERATIONS = 7
_SEEDS_WITH_MANY_TASKS = 0.05
_MORE_THAN_ONE_BATCH = 27
_SEEDS_WITH_EARLY_SWEEPS = 0.05
_COURSES = {USUAL: 0.76, OVER_NIGHT: 0.14, CROWDED: 0.1}
_SWEEPS_AFTER_A_PAUSE = 2
_TASKS_IN_A_CROWD = 5
_SEEDS_WITH_CLOCKS_THAT_DIFFER = 0.3
MOST_SECONDS_AHEAD = 0.5
"""Or behind: so far the clock of a function is from the right time, where clocks differ."""
_SEEDS_PER_AUDIT = 10
_SEEDS_PER_READING = 5
_SWEEP_SECONDS = 601.0
_MOST_SWEEPS = 4

Returned = TypeVar("Returned")
Weaken = Callable[[str, Json], Json]
"""Changes requests on their way to DynamoDB: to see that the simulation notices what is taken away."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one seed did, and how it ended: well, if ``failure`` is None."""

    seed: int
    failure: BaseException | None
    trace: Trace
    requests: int
    turns: int
    commits: int
    invocations: Counter[str]
    """Of the API, by status; of the other functions, by name."""
    faults: Counter[str]


def simulate(seed: int, weaken: Weaken | None = None, world_of: "type[Simulation] | None" = None) -> Result:
    """Run one seed. The same seed runs the same way each time, in whatever process and order."""
    random.seed(seed)
    world = (world_of or Simulation)(seed, weaken)
    with virtual_time_and_chance(), contextlib.redirect_stdout(world.log):
        return world.run()


@functools.cache
def _stack() -> Stack:
    return Stack({"LogLevel": "ERROR", "ConcurrentReads": "1"})


@functools.cache
def _functions() -> Functions:
    return Functions(_stack())


class Simulation:
    """The world of one seed."""

    def __init__(self, seed: int, weaken: Weaken | None) -> None:
        self.seed = seed
        self.choices = _random(seed, "clients")
        self.entropy = _random(seed, "entropy")
        self._clocks = _random(seed, "clocks")
        self._clocks_differ = MOST_SECONDS_AHEAD if self._clocks.random() < _SEEDS_WITH_CLOCKS_THAT_DIFFER else 0
        self.scheduler = Scheduler(_random(seed, "schedule"))
        self.faults = Faults(_random(seed, "faults"))
        self.trace = Trace(lambda: self.scheduler.now - EPOCH_SECONDS, lambda: self.scheduler.current.name)
        self.log = io.StringIO()
        self.history: History = History()
        self.recorded = Recorded()
        self.change_logs = ChangeLogs()
        self.known: Known = Known([_user_id(name) for name in PEOPLE])
        self.functions = _functions()
        self.functions.start_cold()
        self.invocations: Counter[str] = Counter()
        self._running: dict[str, Invocation] = {}
        self.database = Database(
            _stack().of_type("AWS::DynamoDB::Table"),
            now=self.now,
            lag=self.faults.lag,
            breathe=self._breathe,
            committed=self._committed,
        )
        self.service = Service(
            self.database,
            self.faults,
            self.scheduler.pause,
            self._invocation,
            self.trace.request,
            self._later,
            self._on_its_way,
        )
        self.streams = Streams(self)
        self.writes = TaskWrites(self.database.tables, lambda: self.database.commits, self.now)
        self.reads = Reads(self.now)
        self._course = self.choices.choices(list(_COURSES), list(_COURSES.values()))[0]
        self._weaken = weaken
        self._crowd = 0
        self._clients = 0
        self._invoked = 0
        self._on_the_way = 0

    # ------------------------------------------------------------------ what the process sees (process.World)
    def now(self) -> float:
        return self.scheduler.now

    def clock(self) -> float:
        invocation = self._invocation()
        return self.now() + (invocation.clock_ahead if invocation else 0.0)

    def sleep(self, seconds: float) -> None:
        self.scheduler.pause(seconds)
        invocation = self._invocation()
        if invocation is not None:
            invocation.live()

    def sleep_until(self, seconds: float) -> None:
        """After the beginning."""
        self.sleep(max(0.0, EPOCH_SECONDS + seconds - self.now()))

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        return self.service.send(request)

    # ------------------------------------------------------------------------------------------ the course
    def run(self) -> Result:
        failure: BaseException | None = None
        try:
            self._act("stage", self._set_stage)
            self.scheduler.run()
            self.faults.active = True
            for name in PEOPLE:
                self._clients += 1
                self.act(name, self._life(name, _user_id(name)))
            if self._course.pause is not None:
                for number in range(_SWEEPS_AFTER_A_PAUSE):
                    later = self._course.pause + 6 * self.choices.random()
                    self._act(f"sweeper #{number}", lambda: self._sweep({}), later)
            elif self.choices.random() < _SEEDS_WITH_EARLY_SWEEPS:
                self._act("sweeper", lambda: self._sweep({"older_than_seconds": 0}), 10 * self.choices.random())
            self.scheduler.run()
            self._act("rest", self._come_to_rest)
            self.scheduler.run()
            # When the records of what the sweeper did have come, too.
            self._act("trail", lambda: self._judge(lambda: self.recorded.check(self.database.tables)))
            self._act("logs", lambda: self._judge(lambda: self.change_logs.check(self.database.tables)))
            self.scheduler.run()
        except BaseException as error:
            failure = error
        counts = self.faults.counts
        turns, requests = self.scheduler.turns, self.service.requests
        return Result(self.seed, failure, self.trace, requests, turns, self.database.commits, self.invocations, counts)

    def act(self, name: str, body: Callable[[], None], delay: float = 0.0) -> None:
        """Let an actor live in this world. The same name may be used again once its actor is gone."""
        self._act(name, body, delay)

    def client_done(self) -> None:
        """When the last client goes, things stop failing, so that everything can come to rest."""
        self._clients -= 1
        if not self._clients:
            self.faults.active = False

    def call(self, operation: Operation) -> Response | None:
        """Send an operation's request; None if no response came back."""
        call = operation.call
        function = self.functions.function_of(call)
        invocation = self._invoke(function, f"{call.method} {call.resource}", self.functions.timeout(function))
        invocation.call = call
        operation.attempts.append(invocation)
        self.trace.note(f"{call.method} {call.resource.format_map(call.ids)} {dict(call.body or {})} {call.headers}")
        try:
            response = self._answered(invocation, lambda: self.functions.api(call, invocation))
        except Crashed:
            self.invocations["no answer"] += 1
            self.trace.note("the function is gone")
            return None
        self.invocations[str(response.status)] += 1
        self.trace.note(f"→ {described(response)}")
        self._judge(lambda: self.history.answered(operation, invocation, response))
        self._judge(lambda: self.reads.answered(invocation, response))
        return response

    def handle(self, function: str, seconds: float, records: list[Json]) -> list[str]:
        """Hand records to a stream handler; the sequence numbers of those that are to come again."""
        invocation = self._invoke(function, function, seconds)
        self.invocations[function] += 1
        self.trace.note(f"{function} ← {[record['dynamodb']['Keys'] for record in records]}")
        try:
            failed = self._answered(invocation, lambda: self.functions.event(records, invocation))
        except Crashed:
            self.trace.note("the function is gone")
            return [record["dynamodb"]["SequenceNumber"] for record in records]
        self.trace.note(f"→ failed: {failed}")
        return failed

    def _life(self, name: str, user_id: str) -> Callable[[], None]:
        """What one person does."""
        return Client(self, name, user_id, self.choices, _MOST_OPERATIONS, self._course).run

    def _set_stage(self) -> None:
        self._put_people()
        # Something to quarrel about from the beginning: without it most seeds are still meeting when they end.
        first, *others = (_user_id(name) for name in PEOPLE)
        room = self._staged(Call(first, "POST", "/rooms", body={"name": "the first room"}))
        for user_id in others:
            if self.choices.random() < 0.8:
                role = self.choices.choice(["admin", "admin", "member", "viewer"])
                self._staged(
                    Call(
                        first,
                        "POST",
                        "/rooms/{room_id}/users",
                        {"room_id": room["id"]},
                        {"user_id": user_id, "role": role},
                    )
                )
        many = self.choices.random() < _SEEDS_WITH_MANY_TASKS
        few = _TASKS_IN_A_CROWD if self._course is CROWDED else self.choices.randrange(4)
        for number in range(_MORE_THAN_ONE_BATCH if many else few):
            self._staged(Call(first, "POST", "/tasks", body={"title": f"staged {number}", "room_id": room["id"]}))

    def _on_its_way(self, operation: str, body: Json) -> Json:
        """A request as it arrives. What the stage is set with has long ranks in some seeds."""
        if self._weaken is not None:
            body = self._weaken(operation, body)
        if self.faults.active or self._course is not CROWDED or operation != "TransactWriteItems":
            return body
        writes = body["TransactItems"]
        for write in writes:
            put = write.get("Put", {})
            if put.get("TableName") == TASKS_TABLE and "rank" in put["Item"]:
                put["Item"] = crowded(self._crowd, put["Item"])
                self._crowd += 1
        return body

    def _put_people(self) -> None:
        users = importlib.import_module("tasksync.dynamodb.users.repository")  # not earlier: it reads the environment
        for name in PEOPLE:
            users.UsersRepository().create(_person(name, self.now()))

    def _staged(self, call: Call) -> Any:
        operation = Operation(call)
        self.history.operations.append(operation)
        response = self.call(operation)
        assert response is not None
        assert response.status == 201, response
        self.known.learn(response.body)
        return response.body

    def _come_to_rest(self) -> None:
        """Streams have done what they could: the sweeper is left, which comes every ten minutes."""
        for _ in range(_MOST_SWEEPS):
            if not list(invariants.left_over(self.database.tables, self.now())):
                break
            self.sleep(_SWEEP_SECONDS)
            self._sweep({})
        else:
            self._judge(lambda: invariants.check_at_rest(self.database.tables, self.now()))
        self._check_assignments()
        self._judge(self.history.finish)
        if self.seed % _SEEDS_PER_READING == 0:
            self._read_everything()
        if self.seed % _SEEDS_PER_AUDIT == 0:
            self._judge(self._audit)
            self._empty_trash()

    def _read_everything(self) -> None:
        """What lists show when nothing changes: all tasks, each in its place."""
        for (room_id, item), member in list(self.database.tables["RoomsTable"].items.items()):
            if item.startswith("MEMBER#") and member["role"]["S"] == "admin":
                for resource, query in (("tasks", {}), ("tasks", {"sort": "rank"}), ("trash", {})):
                    route = f"/rooms/{{room_id}}/{resource}"
                    call = Call(member["user_id"]["S"], "GET", route, {"room_id": room_id}, query=query)
                    self.call(Operation(call))

    def _empty_trash(self) -> None:
        """When its time is over, nothing is left in the trash."""
        self.sleep(TRASH_SECONDS)
        self._sweep({})
        self._judge(lambda: invariants.check_at_rest(self.database.tables, self.now()))

    def _check_assignments(self) -> None:
        """Whoever left a room has none of its tasks. Where records were lost, the sweeper has made up for them."""
        if not list(invariants.former_assignees(self.database.tables)):
            return
        self.sleep(_SWEEP_SECONDS)  # for the records of what the sweeper did
        self._judge(lambda: invariants.check_assignees(self.database.tables))

    def _sweep(self, event: Json) -> None:
        for function in self.functions.scheduled:
            self._by_hand(function, event)

    def _expire(self) -> None:
        """DynamoDB has deleted what an ended session left of its user's connections."""
        live = self.database.tables["LiveTable"]
        for key, item in [*live.items.items()]:
            if int(item["expires_at"]["N"]) < self.now():
                live.write(key, None, self.now())

    def _audit(self) -> None:
        self._expire()
        report = self._by_hand("AuditorFunction", {})
        broken = [finding for finding in report["findings"] if finding["violations"]]
        if self.recorded.incomplete:
            broken = [finding for finding in broken if finding["invariant"] != "I13"]
        if broken or not report["complete"]:
            raise Violation(f"the auditor finds what is not there: {broken or report}")

    def _by_hand(self, function: str, event: Json) -> Json:
        invocation = self._invoke(function, function, self.functions.timeout(function))
        self.invocations[function] += 1
        self.trace.note(f"{function} ← {event}")
        try:
            response: Json = self._answered(invocation, lambda: self.functions.by_hand(event, invocation))
        except Crashed:
            self.trace.note("the function is gone")
            return {}
        except TaskSyncError as error:  # The next one in ten minutes takes it up.
            self.trace.note(f"→ {error!r}")
            return {}
        self.trace.note(f"→ {str(response)[:300]}")
        return response

    # --------------------------------------------------------------------------------------------- helpers
    def _act(self, name: str, body: Callable[[], None], delay: float = 0.0) -> None:
        def live() -> None:
            with inside(self):
                body()

        self.scheduler.spawn(name, live, delay)

    def _invoke(self, function: str, what: str, seconds: float) -> Invocation:
        self._invoked += 1
        invocation = Invocation(function, what, self.now() + seconds, self.now, f"invocation {self._invoked}")
        invocation.began, invocation.seen_commits = self.now(), self.database.commits
        invocation.clock_ahead = self._clocks.uniform(-self._clocks_differ, self._clocks_differ)
        return invocation

    def _answered(self, invocation: Invocation, run: Callable[[], Returned]) -> Returned:
        name = self.scheduler.current.name
        self._running[name] = invocation
        try:
            response = run()
            invocation.live()
            return response
        finally:
            del self._running[name]

    def _later(self, invocation: Invocation, delay: float, body: Callable[[], None]) -> None:
        """Let something happen on the network for an invocation that knows nothing of it."""
        self._on_the_way += 1
        name = f"network #{self._on_the_way}"
        self._running[name] = invocation
        self._act(name, body, delay)

    def _invocation(self) -> Invocation | None:
        return self._running.get(self.scheduler.current.name)

    def _breathe(self) -> None:
        if self.faults.happens("torn"):
            self.faults.counts["torn read"] += 1
            self.scheduler.pause(self.faults.latency())

    def _committed(self, changes: list[Change]) -> None:
        """Called at the moment of each commit, before anybody else runs."""
        # That a request is counted is no part of its effect.
        changes = [change for change in changes if change.table != "RateLimitsTable"]
        if not changes:
            return
        invocation = self._invocation()
        if invocation is not None:
            invocation.commits.append(changes)
            invocation.first_commit = invocation.first_commit or self.database.commits
        removal = invocation is not None and invocation.what == "DELETE /users/{user_id}"
        self.recorded.committed(changes, invocation)
        self._judge(lambda: self.change_logs.committed(changes))
        self.reads.committed(changes, self.database.commits)
        self._judge(lambda: self.history.committed(changes, invocation))
        self._judge(lambda: self.writes.committed(changes, invocation))
        self._judge(lambda: invariants.check_changes(self.database.tables, changes, self.now()))
        if invocation is not None and invocation.user_id is not None and not removal:
            user_id = invocation.user_id
            self._judge(lambda: authority.check(self.database.tables, changes, user_id))
        self._judge(lambda: invariants.check_always(self.database.tables))
        self.streams.committed(changes)

    def _judge(self, check: Callable[[], None]) -> None:
        try:
            check()
        except Violation as violation:
            self.trace.note(f"VIOLATION {violation}")
            self.scheduler.fail(violation)


def _random(seed: int, purpose: str) -> Random:
    return Random(f"{seed}/{purpose}")  # to be repeated, not to be secret


def _user_id(name: str) -> str:
    return f"usr_{name.encode().hex():0>32}"


def _person(name: str, at: float) -> User:
    when = datetime.fromtimestamp(at, UTC)
    return User(
        id=_user_id(name),
        username=name,
        email=f"{name}@example.org",
        password_hash="none",
        role=UserRole.USER,
        status=UserStatus.ACTIVE,
        token_epoch=1,
        created_at=when,
        updated_at=when,
        version=1,
    )
