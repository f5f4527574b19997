"""The protocol within bounds: what may be asked, by whom, and which guards stand."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tests.model.guards import Guard
from tests.model.world import Request, World

Failure = str
"""Why a transaction did not commit: the name of the error in ``tasksync.model.errors``."""

STALE: Failure = "WriteConflict"
DONE: Failure = "AlreadyDone"

Check = tuple[Guard | None, bool, Failure]
"""A condition of a transaction, and what its failure means. Without a guard it belongs to no mutant."""


class Event(NamedTuple):
    """One thing that can happen in a state: one request to DynamoDB and what its response leads to."""

    who: object
    what: str
    world: World
    fault: str | None = None


@dataclass(frozen=True)
class Configuration:
    """Bounds within which everything that can happen is looked at.

    ``menu``: what clients may send, again and again, until ``operations`` requests have been sent; at most
    ``in_flight`` at a time. ``workers``: how many runs of stream handlers there may be at a time. ``lost_responses``:
    a commit may be carried out without its response arriving. ``lagging_index``: so may the index by user.
    """

    name: str
    about: str
    start: World
    menu: tuple[Request, ...]
    operations: int
    in_flight: int = 2
    workers: int = 1
    max_members: int = 3
    lost_responses: bool = False
    lagging_index: bool = False
    expiring: bool = False
    """Whether the time of what is in the trash may end."""
    username: tuple[int, ...] = (0, 1, 2, 3)
    """By user: the name they have or want."""

    @property
    def brief(self) -> "Configuration":
        """With no more requests than any mutant needs to fail."""
        return replace(self, operations=min(self.operations, 4))


@dataclass(frozen=True)
class Model:
    """A configuration, and the protocol with all guards but those removed."""

    configuration: Configuration
    removed: frozenset[Guard] = field(default_factory=frozenset)

    def has(self, guard: Guard) -> bool:
        return guard not in self.removed

    def failure(self, checks: Iterable[Check]) -> Failure | None:
        """The failure of the first condition that does not hold."""
        for guard, holds, failure in checks:
            if not holds and (guard is None or guard not in self.removed):
                return failure
        return None
