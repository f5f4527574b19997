"""Merge: reads several sorted ranges of an index as one sorted list.

The number of items to read from each range is an estimate. Too few items cost another round of queries; too many are
read and not used. If the items are spread over ``k`` ranges at random, a list of ``n`` items takes ``n/k`` items from
each range, with a standard deviation of about the square root of ``n/k``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Generic, Protocol, TypeVar

from tasksync.dynamodb.core.gather import gather
from tasksync.runtime import deadline


class Identified(Protocol):
    """An item with an id."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)


@dataclass(frozen=True, slots=True)
class Block(Generic[Row]):
    """The result of one query. ``end``: the position that it reached; None at the end of the range."""

    rows: list[Row]
    end: str | None


class Range(Protocol[Row]):
    """A sorted range of items."""

    def read(self, after: str | None, size: int) -> Block[Row]:
        """At most ``size`` items after a position (None: from the beginning), in one round trip."""

    def position(self, row: Row) -> str:
        """The position of an item in the merged list. Positions sort as the items do."""


def read_size(wanted: int, ranges: int) -> int:
    """How many items to read from each of ``ranges``, to get ``wanted`` items in all.

    It is 1.5 standard deviations above the mean. For 50 items from nine ranges, that reads at most twice as many items
    as wanted, and one round is enough in half of all cases. With three ranges, it reads 1.4 times as many, and one
    round is enough in nine of ten cases.
    """
    mean = wanted / ranges
    return min(wanted, math.ceil(mean + 1.5 * math.sqrt(mean * (1 - 1 / ranges))))


class _Source(Generic[Row]):
    """One range of a merge, with the items that were read from it and are not in the list yet."""

    def __init__(self, items: Range[Row], after: str | None) -> None:
        self._range = items
        self.after = after
        """The position up to which the range was read. None: nothing was read, or all of it."""
        self.ended = False
        self.ahead: list[Row] = []

    @property
    def is_exhausted(self) -> bool:
        """Whether the next item must be read first."""
        return not self.ahead and not self.ended

    def read(self, size: int) -> None:
        block = self._range.read(self.after, size)
        self.after, self.ended = block.end, block.end is None
        self.ahead = block.rows

    def take(self, bound: str | None, *, descending: bool) -> list[tuple[str, Row]]:
        """Remove and return the items up to this position (None: all items), each with its position."""
        positioned = [(self._range.position(row), row) for row in self.ahead]
        if bound is not None:
            positioned = [each for each in positioned if (each[0] >= bound if descending else each[0] <= bound)]
        self.ahead = self.ahead[len(positioned) :]
        return positioned


class QueryBudget:
    """How many queries one request may still make, while the function has time.

    The first round is always allowed, so that each page makes progress.
    """

    def __init__(self, queries: int) -> None:
        self._queries = queries
        self._begun = False

    @property
    def left(self) -> bool:
        return not self._begun or (self._queries > 0 and deadline.has_time())

    def consume(self, queries: int) -> None:
        self._begun = True
        self._queries -= queries


class Merge(Generic[Row]):
    """Reads all ranges after a position as one list.

    ``found``: the next items of the list, which were read and not taken yet.
    """

    def __init__(
        self, ranges: Sequence[Range[Row]], after: str | None, budget: QueryBudget, *, descending: bool
    ) -> None:
        self.found: list[Row] = []
        self.reached = after
        """The position up to which the list is complete. None: everything was read, or nothing yet."""
        self._sources = [_Source(each, after) for each in ranges]
        self._budget = budget
        self._ids: set[str] = set()
        self._descending = descending

    @property
    def ended(self) -> bool:
        """Whether everything was read."""
        return all(source.ended and not source.ahead for source in self._sources)

    def round(self, size: int) -> None:
        """Read ``size`` items from each exhausted range, at the same time, and append the next items to ``found``."""
        reads = [partial(source.read, size) for source in self._sources if source.is_exhausted]
        self._budget.consume(len(reads))
        gather(*reads)
        for row in self._following():
            # An item that changes while ranges are read may appear at its old position and at its new one.
            if row.id not in self._ids:
                self._ids.add(row.id)
                self.found.append(row)

    def _following(self) -> list[Row]:
        """The next items in order: those up to the position that every range has been read to."""
        ends = [source.after for source in self._sources if source.after is not None]
        self.reached = (max if self._descending else min)(ends) if ends else None
        if len(self._sources) == 1:
            [source] = self._sources
            rows, source.ahead = source.ahead, []
            return rows
        positioned = [
            each for source in self._sources for each in source.take(self.reached, descending=self._descending)
        ]
        positioned.sort(key=itemgetter(0), reverse=self._descending)
        return [row for _, row in positioned]

    def fill(self, wanted: int) -> None:
        """Read until ``wanted`` items are found, all ranges end, or the budget is used up."""
        rounds = 0
        while len(self.found) < wanted and not self.ended and self._budget.left:
            missing = wanted - len(self.found)
            # A range that was exhausted twice has more items than estimated: it may have all the missing ones.
            self.round(read_size(missing, len(self._sources)) if rounds < 2 else missing)
            rounds += 1

    def take(self, wanted: int) -> list[Row]:
        """Remove and return at most ``wanted`` of the found items."""
        taken, self.found = self.found[:wanted], self.found[wanted:]
        return taken
