"""Migrations: how items that were stored by earlier versions come to the form of this one, while everybody works on.

A change of form is made in three deployments. *Expand*: code that reads both forms and writes the new one. *Backfill*:
what is here. *Contract*: code that reads the new form alone, once the backfill is done.

A migration looks at each item of a table once, in segments. After each page it stores where it stands: whatever ends
it, the next call goes on from there, and does at most one page a second time. Each item is changed on condition that it
still is what was read, and one that has the new form already is left alone: so two runs at once do no harm. An item
that cannot be changed is counted and does not hold up those behind it: a migration may begin anew once it is repaired.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tasksync.model.errors import WriteConflict
from tasksync.model.migration import Position
from tasksync.runtime.deadline import KeepGoing

SEGMENTS = 8

_MOST_ON_A_PAGE = 100

Item = TypeVar("Item")


class Migration(Protocol[Item]):
    """``dynamodb/migrations/``. The id says in which order they come."""

    @property
    def id(self) -> str: ...
    @property
    def description(self) -> str: ...

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[Sequence[Item], str | None]:
        """Up to ``limit`` items behind a key, and the key to go on from; None at the end of the segment."""

    def change(self, item: Item) -> bool:
        """Bring an item to the new form; False if it has it. Raises ``WriteConflict`` if that cannot be done."""


class Positions(Protocol):
    """Where the migrations stand, in all segments; empty if one was never begun."""

    def of(self, migration_id: str) -> list[Position]: ...
    def save(self, migration_id: str, positions: list[Position]) -> None: ...


@dataclass(frozen=True, slots=True)
class State:
    """How far a migration is, over all its segments."""

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
) -> None:
    """Go on with what is not done, in order: a later migration may rely on an earlier one.

    Raises ``DependencyFailed``; what is stored by then stands.
    """
    for migration in migrations:
        known = _known(positions, migration)
        for segment in range(SEGMENTS):
            while not known[segment].finished:
                if not keep_going():
                    return
                began, before = time.monotonic(), known[segment].looked_at
                known[segment] = _page(migration, segment, known[segment], items_per_second)
                positions.save(migration.id, known)
                seen = known[segment].looked_at - before
                wait(max(0.0, seen / items_per_second - (time.monotonic() - began)))


def states(migrations: Iterable[Migration[Any]], positions: Positions) -> Iterator[State]:
    """How far each migration is."""
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
    """Let the migrations with these ids look at everything once more."""
    for migration in migrations:
        if migration.id in ids:
            positions.save(migration.id, [Position()] * SEGMENTS)


def _known(positions: Positions, migration: Migration[Any]) -> list[Position]:
    return positions.of(migration.id) or [Position()] * SEGMENTS


def _page(migration: Migration[Any], segment: int, position: Position, items_per_second: float) -> Position:
    """The position after one more page, which is one of about a second at most."""
    limit = max(1, min(_MOST_ON_A_PAGE, int(items_per_second)))
    items, after = migration.page(segment, SEGMENTS, position.after, limit)
    changed, left = 0, 0
    for item in items:
        try:
            changed += migration.change(item)
        except WriteConflict:
            left += 1
    return Position(
        after,
        position.looked_at + len(items),
        position.changed + changed,
        position.left + left,
        finished=after is None,
    )
