"""Plays of one scenario are alike until they meet their mutant: up to there they are recorded, and run once.

A scenario decides by responses and by what is stored, and its clock and its random numbers are the same in each play.
So a play with a mutant may take the responses of the play without one, and the state that each left, up to the first
invocation that sends the condition of the mutant. It has to run all by itself from there on; and from the first
invocation that somebody comes into, as what they do changes variables of the scenario as well.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tasksync.http.pipeline import Lease
from tests.mutation.conditions import Condition, Mutant
from tests.simulation.dynamodb import DatabaseState
from tests.simulation.tables import Change

Json = dict[str, Any]


class Seen:
    """What has been sent: the conditions with their mutants, and for each operation what its conditions look at."""

    def __init__(self) -> None:
        self.conditions: dict[Condition, list[str]] = {}
        self.atoms: dict[str, set[tuple[str, str]]] = {}
        self.raced: set[str] = set()
        """Operations that somebody came before."""

    def merge(self, others: "Seen") -> None:
        self.conditions = {**others.conditions, **self.conditions}
        for operation, found in others.atoms.items():
            self.atoms.setdefault(operation, set()).update(found)

    def of(self, condition: Condition) -> list[Mutant]:
        """The mutants of a condition."""
        return [Mutant(condition, change) for change in self.conditions[condition]]


@dataclass(frozen=True, slots=True)
class Moment:
    """A stage between two invocations."""

    time: float
    database: DatabaseState
    drawn: tuple[Any, ...]
    committed: tuple[Change, ...]
    messages: tuple[Json, ...]
    leases: tuple[Mapping[str, Lease], ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One invocation, and what it left."""

    function: str
    response: Any
    sent: frozenset[Condition]
    after: Moment


@dataclass(slots=True)
class Recording:
    """A play without a mutant: what it sent, and its first invocations."""

    seen: Seen = field(default_factory=Seen)
    invocations: list[Recorded] = field(default_factory=list)

    def before(self, condition: Condition) -> list[Recorded]:
        """The invocations up to the first one that sends this condition."""
        found = []
        for each in self.invocations:
            if condition in each.sent:
                break
            found.append(each)
        return found


def copied(leases: Mapping[str, Lease]) -> dict[str, Lease]:
    """Each of them counts down."""
    return {name: copy.copy(lease) for name, lease in leases.items()}
