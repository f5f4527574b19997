"""DynamoDB streams and Lambda's event sources: at least once, sooner or later, in some order."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from tests.simulation.audit_trail import Recorded
from tests.simulation.change_logs import LOG_TABLE, ChangeLogs
from tests.simulation.dynamodb import Json
from tests.simulation.faults import Faults
from tests.simulation.functions import EventSource, Functions
from tests.simulation.tables import Change
from tests.simulation.task_items import TASKS_TABLE
from tests.support.stack import Stack

_IN_ORDER = {"ActivityFunction"}
"""The functions that rely on the order of the records of an item. For the others, any order is tried."""

_KEYS = {
    "RoomsTable": ("room_id", "item"),
    TASKS_TABLE: ("owner_id", "item"),
    LOG_TABLE: ("owner_id", "item"),
}
_VIEWS = {
    name: table["StreamSpecification"]["StreamViewType"]
    for name, table in Stack().of_type("AWS::DynamoDB::Table").items()
    if "StreamSpecification" in table
}
_IMAGES = {"NEW_AND_OLD_IMAGES": {"OldImage", "NewImage"}, "NEW_IMAGE": {"NewImage"}}


class World(Protocol):
    """What streams need of the simulation."""

    faults: Faults
    functions: Functions
    choices: Any
    recorded: Recorded
    change_logs: ChangeLogs

    def now(self) -> float: ...
    def act(self, name: str, body: Callable[[], None], delay: float = 0.0) -> None: ...
    def handle(self, function: str, seconds: float, records: list[Json]) -> list[str]: ...


@dataclass(eq=False)
class _Pending:
    """A record on its way to one function."""

    record: Json
    number: int
    again: bool = False
    """Whether it is delivered besides the one in its order."""
    attempts: int = 0

    @property
    def item(self) -> str:
        return str(self.record["dynamodb"]["Keys"])


class Streams:
    """Hands each change to the functions that want it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sequence = itertools.count(1)
        self._deliveries = itertools.count(1)
        self._queues: dict[EventSource, list[_Pending]] = {source: [] for source in world.functions.sources}
        self._handled: dict[EventSource, list[_Pending]] = {source: [] for source in world.functions.sources}
        """What functions are at work on."""

    def committed(self, changes: list[Change]) -> None:
        """Make a record of each change, and see to its delivery."""
        for change in (each for each in changes if each.table in _VIEWS):
            number = next(self._sequence)
            record = record_of(change, number, self._world.now())
            for source in self._world.functions.sources:
                if source.table == change.table and source.wants(record):
                    if self._world.faults.happens("lost_records"):
                        self._world.faults.counts["record lost"] += 1
                        if source.function == "ActivityFunction":
                            self._world.recorded.lost(change)
                            self._world.change_logs.lost(change)
                        continue
                    self._send(source, _Pending(record, number))
                    while self._world.faults.happens("duplicates"):
                        self._world.faults.counts["record duplicated"] += 1
                        self._send(source, _Pending(record, number, again=True))

    def _send(self, source: EventSource, pending: _Pending) -> None:
        self._queues[source].append(pending)
        self._later(source, pending, self._delay())

    def _later(self, source: EventSource, pending: _Pending, delay: float) -> None:
        name = f"{source.function.removesuffix('Function')}#{next(self._deliveries)}"
        self._world.act(name, lambda: self._deliver(source, pending), delay)

    def _delay(self) -> float:
        draw = self._world.choices.random()
        if self._world.faults.happens("late"):
            self._world.faults.counts["record late"] += 1
            return 60 + 600 * float(draw)
        return 0.01 + 2 * float(draw) ** 3

    def _deliver(self, source: EventSource, pending: _Pending) -> None:
        """One call of the function, with this record and perhaps others that wait."""
        queue = self._queues[source]
        if pending not in queue:
            return  # went along with another one
        others = [each for each in queue if each is not pending and self._world.choices.random() < 0.3]
        batch = [pending, *others][: source.batch_size]
        self._world.choices.shuffle(batch)
        if source.function in _IN_ORDER:
            batch = self._in_order(source, batch)
            if pending not in batch:
                self._later(source, pending, 0.1)
            if not batch:
                return
        for each in batch:
            queue.remove(each)
        self._handled[source] += batch
        records = [{**each.record, "eventSourceARN": f"arn:{source.table}"} for each in batch]
        failed = self._world.handle(source.function, self._seconds(source), records)
        for each in batch:
            self._handled[source].remove(each)
        numbers = [each.record["dynamodb"]["SequenceNumber"] for each in batch]
        first = min((numbers.index(number) for number in failed), default=len(batch))
        for each in batch[first:]:
            each.attempts += 1
            queue.append(each)
            self._later(source, each, min(1.0 * 2**each.attempts, 60.0))

    def _in_order(self, source: EventSource, batch: list[_Pending]) -> list[_Pending]:
        """The batch without records of items of which an earlier record has not been handled. Shards keep that order.

        What is delivered once more comes at any time after that.
        """
        found: list[_Pending] = []
        waiting = [*self._queues[source], *self._handled[source]]
        for each in batch:
            earlier = [
                other
                for other in waiting
                if other.item == each.item
                and other.number < each.number + each.again
                and not other.again
                and other not in found
            ]
            if not earlier:
                found.append(each)
        return found

    def _seconds(self, source: EventSource) -> float:
        if self._world.faults.happens("short"):
            self._world.faults.counts["handler short of time"] += 1
            return 5.0 + 2 * float(self._world.choices.random())
        return self._world.functions.timeout(source.function)


def record_of(change: Change, sequence: int, at: float) -> Json:
    """A record in the form that Lambda gives it to functions."""
    images = {"OldImage": change.old, "NewImage": change.new}
    image = change.new or change.old or {}
    kind = "MODIFY" if change.old and change.new else "INSERT" if change.new else "REMOVE"
    names = _KEYS.get(change.table, ("user_id",))
    view = _VIEWS[change.table]
    return {
        "eventID": str(sequence),
        "eventName": kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{change.table}/stream/simulated",
        "dynamodb": {
            "Keys": {name: image[name] for name in names if name in image},
            "ApproximateCreationDateTime": int(at),
            "SequenceNumber": str(sequence),
            "StreamViewType": view,
            **{name: dict(image) for name, image in images.items() if image is not None and name in _IMAGES[view]},
        },
    }
