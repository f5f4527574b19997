"""Explores every configuration and mutant, and prints what was found.

``python -m tests.model``: within the bounds of the tests. ``--soak``: each configuration with one request more, and
with one more at the same time. ``--trace LEAVE_PINNED``: how the protocol fails without the guards named.
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import replace

from tests.model.configurations import ALL
from tests.model.explore import Result, explore
from tests.model.guards import Guard
from tests.model.model import Configuration, Model
from tests.model.mutants import MUTANTS, SPARE, Mutant
from tests.model.report import configuration_line, heading, mutant_line, trace_lines


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description="Explores the model of the protocol.")
    parser.add_argument("--soak", action="store_true", help="larger bounds, which take minutes")
    parser.add_argument("--trace", nargs="+", metavar="GUARD", help="print the way to the fault without these guards")
    given = parser.parse_args(arguments)
    if given.trace:
        return _trace(frozenset(Guard[name] for name in given.trace))
    return max(_explore_all(given.soak), _explore_mutants())


def _explore_all(soak: bool) -> int:
    _print([heading()])
    faults = 0
    for configuration in ALL:
        for bounds in _larger(configuration) if soak else [configuration]:
            result = explore(Model(bounds))
            _print([configuration_line(bounds, result)])
            faults += _shown(result)
    return min(faults, 1)


def _larger(configuration: Configuration) -> list[Configuration]:
    """One request more, and one more at the same time."""
    return [
        replace(configuration, operations=configuration.operations + 1),
        replace(configuration, in_flight=configuration.in_flight + 1),
    ]


def _explore_mutants() -> int:
    wrong = 0
    for mutant in MUTANTS:
        result = explore(mutant.model)
        _print([mutant_line(mutant, result)])
        wrong += result.fault != mutant.fault
    for mutant in SPARE:
        result = explore(mutant.model)
        _print([mutant_line(mutant, result)])
        wrong += _shown(result)
    return min(wrong, 1)


def _trace(removed: frozenset[Guard]) -> int:
    known: list[Mutant] = [mutant for mutant in (*MUTANTS, *SPARE) if mutant.removed == removed]
    configurations = [mutant.configuration for mutant in known] or list(ALL)
    for configuration in configurations:
        result = explore(Model(configuration.brief, removed))
        _print([f"In {configuration.name}: {result.fault or 'no fault'}", *trace_lines(result)])
    return 0


def _shown(result: Result) -> int:
    if result.fault is None:
        return 0
    _print([result.fault, *trace_lines(result)])
    return 1


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
