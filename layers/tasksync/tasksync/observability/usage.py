"""What one invocation asks of DynamoDB: for its log line, and for the metrics made from that."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from tasksync.model.errors import DependencyFailed, OutcomeUnknown

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_THROTTLES = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottledException",
}


@dataclass(slots=True)
class UsageCounters:
    round_trips: int = 0
    """Each attempt counts, those that were not answered, too."""
    capacity_units: float = 0.0
    throttles: int = 0
    in_sequence: int = 0
    """Round trips, with those that were made at the same time counted once: for so many the caller had to wait."""
    writes: int = 0
    """What has been written of what the request was sent for."""


_counters: ContextVar[UsageCounters | None] = ContextVar("counters", default=None)


def begin() -> UsageCounters:
    """Called once per invocation; what DynamoDB is asked from now on is counted in what is returned."""
    counters = UsageCounters()
    _counters.set(counters)
    return counters


def count_in(counters: UsageCounters) -> None:
    """Count in ``counters`` what this context asks of DynamoDB from now on."""
    _counters.set(counters)


def add_parallel(done: Iterable[UsageCounters]) -> None:
    """Add what was done at the same time to what the invocation has done."""
    counters = _counters.get()
    parts = list(done)
    if counters is None:
        return
    counters.round_trips += sum(part.round_trips for part in parts)
    counters.in_sequence += max(part.in_sequence for part in parts)
    counters.capacity_units += sum(part.capacity_units for part in parts)
    counters.throttles += sum(part.throttles for part in parts)
    counters.writes += sum(part.writes for part in parts)


def wrote() -> None:
    """Called after each write that DynamoDB has carried out."""
    counters = _counters.get()
    if counters is not None:
        counters.writes += 1


@contextmanager
def bookkeeping() -> Iterator[None]:
    """For writes that are no part of what the request was sent for: counting it, publishing a key.

    They do not count as its effect. Where one of them fails, nothing of that effect has been carried out by it, so
    ``OutcomeUnknown`` becomes ``DependencyFailed``.
    """
    counters = _counters.get()
    before = 0 if counters is None else counters.writes
    try:
        yield
    except OutcomeUnknown as error:
        raise DependencyFailed from error.__cause__
    finally:
        if counters is not None:
            counters.writes = before


def count(answer: Mapping[str, Any] | None) -> None:
    """Called after each attempt, with None if there was no answer."""
    counters = _counters.get()
    if counters is None:
        return
    counters.round_trips += 1
    counters.in_sequence += 1
    answer = answer or {}
    consumed = answer.get("ConsumedCapacity", [])
    for each in consumed if isinstance(consumed, list) else [consumed]:
        counters.capacity_units += each.get("CapacityUnits", 0.0)
    reasons = [reason.get("Code") for reason in answer.get("CancellationReasons", [])]
    if answer.get("Error", {}).get("Code") in _THROTTLES or "ThrottlingError" in reasons:
        counters.throttles += 1
