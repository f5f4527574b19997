"""What goes wrong in one seed, and how often."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """Something that goes wrong with one request to DynamoDB. Before: nothing was written. After: it was."""

    CONFLICT = "transaction conflict"
    IN_PROGRESS = "transaction in progress"
    THROTTLED = "throttled"
    ERROR_BEFORE = "500 before the commit"
    ERROR_AFTER = "500 after the commit"
    TIMEOUT_BEFORE = "timeout before the commit"
    TIMEOUT_AFTER = "timeout after the commit"
    OVERTAKEN = "timeout, and the commit later"
    CONNECTION = "no connection"
    CRASH_BEFORE = "crash before the commit"
    CRASH_AFTER = "crash after the commit"
    UNPROCESSED = "unprocessed items"
    NOTHING_PROCESSED = "batches of which nothing is processed"


_TRANSACTIONS_ONLY = {Fault.CONFLICT, Fault.IN_PROGRESS}
_BATCHES_ONLY = {Fault.UNPROCESSED, Fault.NOTHING_PROCESSED}
_WEIGHTS = {
    Fault.CONFLICT: 5,
    Fault.IN_PROGRESS: 1,
    Fault.THROTTLED: 3,
    Fault.ERROR_BEFORE: 2,
    Fault.ERROR_AFTER: 3,
    Fault.TIMEOUT_BEFORE: 2,
    Fault.TIMEOUT_AFTER: 4,
    Fault.OVERTAKEN: 3,
    Fault.CONNECTION: 1,
    Fault.CRASH_BEFORE: 1,
    Fault.CRASH_AFTER: 3,
    Fault.UNPROCESSED: 8,
    Fault.NOTHING_PROCESSED: 4,
}
# Once it begins, so many batches in a row: more than are sent again, sometimes.
_MOST_WITH_NOTHING_PROCESSED = 14


@dataclass(frozen=True, slots=True)
class Profile:
    """How often each thing goes wrong, as a probability. ``faults``: of each request."""

    faults: float
    torn: float
    """Somebody else runs in the middle of a read of several items."""
    stalls: float
    """A request takes seconds, not milliseconds, before it is carried out."""
    lost_responses: float
    """The client never sees the response to its request, or does not wait for it."""
    duplicates: float
    """A stream record comes again."""
    late: float
    """A stream record comes after minutes, and so behind later ones."""
    lost_records: float
    """A stream record never comes: it expired, or was given up."""
    short: float
    """A stream handler has little time left when it begins."""
    lag: float
    """Longest time in seconds that an index stays behind."""


_CALM = Profile(0.0, 0.15, 0.05, 0.08, 0.1, 0.1, 0.0, 0.0, 0.3)
_NORMAL = Profile(0.04, 0.1, 0.05, 0.08, 0.15, 0.15, 0.03, 0.1, 0.5)
_BAD = Profile(0.15, 0.1, 0.05, 0.12, 0.25, 0.25, 0.1, 0.25, 2.0)


class Faults:
    """Draws faults for one seed and counts them."""

    def __init__(self, draws: Random) -> None:
        self._draws = draws
        self.profile = draws.choice([_CALM, _NORMAL, _NORMAL, _BAD])
        self.counts: Counter[str] = Counter()
        self.active = False
        self._nothing_processed = 0

    def draw(self, operation: str) -> Fault | None:
        """What goes wrong with the next request, if anything."""
        if self._nothing_processed and operation.startswith("Batch"):
            self._nothing_processed -= 1
            self.counts[Fault.NOTHING_PROCESSED] += 1
            return Fault.NOTHING_PROCESSED
        if not self.happens("faults"):
            return None
        kinds = [kind for kind in _WEIGHTS if _fits(kind, operation)]
        kind = self._draws.choices(kinds, [_WEIGHTS[kind] for kind in kinds])[0]
        self.counts[kind] += 1
        if kind is Fault.NOTHING_PROCESSED:
            self._nothing_processed = self._draws.randrange(_MOST_WITH_NOTHING_PROCESSED)
        return kind

    def happens(self, what: str) -> bool:
        """Whether something with a probability in the profile happens now."""
        return self.active and self._draws.random() < getattr(self.profile, what)

    def latency(self) -> float:
        """How long a request is on its way before it is carried out, in seconds."""
        if self.happens("stalls"):
            self.counts["stall"] += 1
            return self._draws.uniform(0.3, 4.0)
        return self._draws.uniform(0.001, 0.03)

    def detour(self) -> float:
        """How long a request that nobody waits for any more is still on its way, in seconds."""
        return self._draws.uniform(0.0, 8.0)

    def lag(self) -> float:
        """How long the indexes stay behind the next write, in seconds."""
        return self._draws.random() ** 2 * self.profile.lag if self.active else 0.0


def _fits(kind: Fault, operation: str) -> bool:
    if kind in _TRANSACTIONS_ONLY:
        return operation == "TransactWriteItems"
    return kind not in _BATCHES_ONLY or operation.startswith("Batch")
