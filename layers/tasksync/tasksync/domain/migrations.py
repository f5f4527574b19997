"""Migrations: convert stored items to the format of a new version, while the service is in use.

A change of format takes three deployments. *Expand*: the code reads the old and the new format, and writes the new one.
*Backfill*: this module converts the stored items. *Contract*: the code reads the new format only.

A migration visits each item of a table once, segment by segment. After each page it stores its position. If it stops
for any reason, the next call continues there, and repeats one page at most. Writes are conditional on the item being
unchanged, and items in the new format are skipped, so concurrent runs do no harm. An item that cannot be converted is
counted and skipped; after its repair, the migration can be run again.
"""

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tasksync.domain.gather import GatherAll
from tasksync.model.errors import WriteConflict
from tasksync.model.migration import Position
from tasksync.runtime.deadline import KeepGoing

SEGMENTS = 8

_MOST_ON_A_PAGE = 100

_CHANGED, _UNCHANGED, _LEFT = "changed", "unchanged", "left"

Item = TypeVar("Item")


class Migration(Protocol[Item]):
    """A migration of ``dynamodb/migrations/``. Migrations run in the order of their ids."""

    @property
    def id(self) -> str: ...
    @property
    def description(self) -> str: ...

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[Sequence[Item], str | None]:
        """Up to ``limit`` items after a key, and the key to continue from; None at the end of the segment."""

    def change(self, item: Item) -> bool:
        """Convert an item; False if it has the new format already. Raises ``WriteConflict`` if it cannot be
        converted."""


class Positions(Protocol):
    """Stores the position of each migration in each segment; empty for a migration that was never started."""

    def of(self, migration_id: str) -> list[Position]: ...
    def save(self, migration_id: str, positions: list[Position]) -> None: ...


@dataclass(frozen=True, slots=True)
class State:
    """The progress of a migration, over all its segments."""

    id: str
    description: str
    looked_at: int
    changed: int
    left: int
    done: bool


def migrate(
    migrations: Sequence[Migration[Any]],
    positions: Positions,
    items_per_second: float,
    keep_going: KeepGoing,
    wait: Callable[[float], None],
    gather: GatherAll,
) -> None:
    """Continue the unfinished migrations, in order: a later migration may rely on an earlier one.

    ``wait`` sleeps for a number of seconds. ``gather`` converts the items of a page concurrently.
    Raises ``DependencyFailed``; the positions stored so far remain valid.
    """
    for migration in migrations:
        known = _known(positions, migration)
        for segment in range(SEGMENTS):
            while not known[segment].finished:
                if not keep_going():
                    return
                began, before = time.monotonic(), known[segment].looked_at
                known[segment] = _page(migration, segment, known[segment], items_per_second, gather)
                positions.save(migration.id, known)
                seen = known[segment].looked_at - before
                wait(max(0.0, seen / items_per_second - (time.monotonic() - began)))


def states(migrations: Iterable[Migration[Any]], positions: Positions) -> Iterator[State]:
    """The progress of each migration."""
    for migration in migrations:
        known = _known(positions, migration)
        yield State(
            migration.id,
            migration.description,
            sum(position.looked_at for position in known),
            sum(position.changed for position in known),
            sum(position.left for position in known),
            all(position.finished for position in known),
        )


def begin_anew(migrations: Iterable[Migration[Any]], positions: Positions, ids: Sequence[str]) -> None:
    """Reset the migrations with these ids, so that they visit all items again."""
    for migration in migrations:
        if migration.id in ids:
            positions.save(migration.id, [Position()] * SEGMENTS)


def _known(positions: Positions, migration: Migration[Any]) -> list[Position]:
    return positions.of(migration.id) or [Position()] * SEGMENTS


def _page(
    migration: Migration[Any], segment: int, position: Position, items_per_second: float, gather: GatherAll
) -> Position:
    """Convert one page, of about one second's items at most. Returns the position after it."""
    limit = max(1, min(_MOST_ON_A_PAGE, int(items_per_second)))
    items, after = migration.page(segment, SEGMENTS, position.after, limit)
    changes = [functools.partial(_change, migration, item) for item in items]
    outcomes = gather(*changes)
    return Position(
        after,
        position.looked_at + len(items),
        position.changed + outcomes.count(_CHANGED),
        position.left + outcomes.count(_LEFT),
        finished=after is None,
    )


def _change(migration: Migration[Item], item: Item) -> str:
    """What became of the item."""
    try:
        return _CHANGED if migration.change(item) else _UNCHANGED
    except WriteConflict:
        return _LEFT
