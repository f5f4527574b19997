"""What the models that have a world of their own have in common: their guards, and the tables of the page."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any

from tests.model.explore import Result

Models = Mapping[str, tuple[Callable[[frozenset[Any]], Result], Mapping[Any, str]]]
"""By name, what explores a model without some of its guards, and the fault that follows without each of them."""


def state_line(name: str, result: Result) -> str:
    """The line of a model with all its guards."""
    return f"| {name} | {result.states:,} | {result.events:,} | {result.depth} |"


def fault_line(name: str, guard: Enum, result: Result) -> str:
    """The line of a model without one of them."""
    return f"| {guard.name} | {name} | {result.fault} | {result.depth} |"


def main(program: str, description: str | None, models: Models) -> None:
    """Print the tables of the page: ``python -m`` of a module with models."""
    argparse.ArgumentParser(prog=f"python -m {program}", description=description).parse_args()
    for line in _lines(models):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _lines(models: Models) -> Iterator[str]:
    for name, (explore, _) in models.items():
        whole = explore(frozenset())
        yield state_line(name, whole) + (whole.fault or "")
    for name, (explore, faults) in models.items():
        for guard in faults:
            yield fault_line(name, guard, explore(frozenset({guard})))
