"""The unit of work: what belongs to one request, stream record or scheduled run while it is carried out.

It holds the change context (who changes something, under which request), the usage counters of DynamoDB, and the
idempotency record of the request. The transaction that carries the request out commits the record
(``dynamodb/core/connection.py``); each changed item gets the change context. A write conflict lets what is carried
out read, decide and write again (``retry_on_conflict``).
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from tasksync.model.change_context import Roles
from tasksync.model.errors import DependencyFailed, OutcomeUnknown, WriteConflict
from tasksync.runtime import deadline, randomness

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_ATTEMPTS = 30
_LONGEST_PAUSE_SECONDS = 0.2


@dataclass(slots=True)
class UsageCounters:
    """What was requested of DynamoDB: for the log line, and for the metrics made from that."""

    round_trips: int = 0
    """Each attempt counts, also one without a response."""
    capacity_units: float = 0.0
    throttles: int = 0
    in_sequence: int = 0
    """Round trips, where concurrent ones count as one: the caller waited for so many."""
    writes: int = 0
    """Writes that carry out the request. Bookkeeping does not count."""


AddRecord = Callable[[Any], None]
"""Adds the idempotency record of the request to a transaction (``dynamodb/core/connection.py``)."""


@dataclass(slots=True)
class UnitOfWork:
    """``actor_id`` and ``request_id`` are the change context; ``actor_id`` is None where the service acts by itself."""

    actor_id: str | None = None
    request_id: str | None = None
    usage: UsageCounters = field(default_factory=UsageCounters)
    respond: Callable[[Any], AddRecord | None] | None = None
    """Makes the idempotency record from the outcome of the request. None where there is nothing to respond to."""
    record: AddRecord | None = None
    """Waits for the transaction that carries the request out."""
    change_context: str = field(init=False)
    """The change context as items store it; ``model/change_context.py`` reads it."""

    def __post_init__(self) -> None:
        self.change_context = _change_context(self.actor_id, self.request_id, {})


def _change_context(actor_id: str | None, request_id: str | None, members: Mapping[str, Roles]) -> str:
    written = {"actor_id": actor_id, "request_id": request_id, **({"members": members} if members else {})}
    return json.dumps(written, separators=(",", ":"))


current: ContextVar[UnitOfWork] = ContextVar("unit of work", default=UnitOfWork())  # noqa: B039  # nobody sees it
"""The unit of work of this context. Outside of ``begin`` it is an empty one, which nobody sees."""


@contextmanager
def begin(actor_id: str | None = None, request_id: str | None = None) -> Iterator[UnitOfWork]:
    """Let what this block does be one unit of work."""
    unit = UnitOfWork(actor_id, request_id)
    token = current.set(unit)
    try:
        yield unit
    finally:
        current.reset(token)


def change_context(members: Mapping[str, Roles] | None = None, actor_id: str | None = None) -> str:
    """The change context of this unit of work. ``members``: what a change does to memberships of the room.

    ``actor_id``: who makes the change, where the request has no token that says so.
    """
    unit = current.get()
    if not members and actor_id is None:
        return unit.change_context
    return _change_context(actor_id or unit.actor_id, unit.request_id, members or {})


def respond_with(outcome: object) -> None:
    """Say what the request's outcome is if the next transaction commits. A service calls it right before the write.

    The response is made from it now, so that the transaction can store the response under the idempotency key.
    Raises ``PreconditionFailed``: see ``Request.carry_out``.
    """
    unit = current.get()
    if unit.respond is not None:
        unit.record = unit.respond(outcome)


def retry_on_conflict(operation: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Run an operation, which reads, decides and writes, until it raises no ``WriteConflict``.

    The pauses are random and grow, so that concurrent changes of one item succeed one after the other. Raises
    ``WriteConflict`` after 30 attempts (about 3 s), or when the function's time is nearly over.
    """

    @functools.wraps(operation)
    def retried(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        for number in range(1, _ATTEMPTS):
            try:
                return operation(*arguments, **named)
            except WriteConflict:
                if not deadline.has_time():
                    raise
                randomness.pause(min(0.01 * number, _LONGEST_PAUSE_SECONDS))
        return operation(*arguments, **named)

    return retried


@contextmanager
def bookkeeping() -> Iterator[None]:
    """For writes that do not carry out the request: rate limits, the login throttle, publishing a key.

    They do not count as writes of the request, and do not commit its idempotency record. Where one of them fails, it
    has carried out nothing of the request, so ``OutcomeUnknown`` becomes ``DependencyFailed``.
    """
    unit = current.get()
    writes, record = unit.usage.writes, unit.record
    unit.record = None
    try:
        yield
    except OutcomeUnknown as error:
        raise DependencyFailed from error.__cause__
    finally:
        unit.usage.writes, unit.record = writes, record


def split(parts: int) -> list[UnitOfWork]:
    """Units of work for concurrent reads: with the same change context, and with usage counters of their own, as
    counters are not safe among threads."""
    unit = current.get()
    return [UnitOfWork(unit.actor_id, unit.request_id) for _ in range(parts)]


def enter(part: UnitOfWork) -> None:
    """Let ``part`` be the unit of work of this context from now on."""
    current.set(part)


def join(parts: Sequence[UnitOfWork]) -> None:
    """Add the usage of concurrent reads to the present unit of work."""
    usage = current.get().usage
    usage.round_trips += sum(part.usage.round_trips for part in parts)
    usage.in_sequence += max(part.usage.in_sequence for part in parts)
    usage.capacity_units += sum(part.usage.capacity_units for part in parts)
    usage.throttles += sum(part.usage.throttles for part in parts)
    usage.writes += sum(part.usage.writes for part in parts)
