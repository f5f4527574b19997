"""Breadth-first search through every state that can be reached, so that the first fault found has a shortest trace."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.model import invariants, requests, workers
from tests.model.model import Event, Model
from tests.model.world import World, settled


@dataclass(frozen=True)
class Result:
    states: int
    events: int
    depth: int
    """How many events the longest of the shortest ways to a state has, or the trace of the fault."""
    seconds: float
    fault: str | None
    trace: tuple[Event, ...]
    """What led to the fault, from the beginning."""


def explore(m: Model) -> Result:
    """Look at every state within the configuration's bounds, or stop at the first fault."""
    begun = time.perf_counter()
    start = m.configuration.start._replace(left=m.configuration.operations)
    came_from: dict[World, World | None] = {start: None}
    at_rest: dict[World, str | None] = {}
    frontier = [start]
    depth = events = 0

    def result(fault: str | None, trace: tuple[Event, ...]) -> Result:
        steps = len(trace) if fault else depth
        return Result(len(came_from), events, steps, time.perf_counter() - begun, fault, trace)

    while frontier:
        reached = []
        for world in frontier:
            for event in _events(m, world):
                events += 1
                if event.fault:
                    return result(event.fault, (*_trace(m, came_from, world), event))
                after = settled(event.world, world)
                if after in came_from:
                    continue
                came_from[after] = world
                reached.append(after)
                tables = after.tables_alone()
                if tables not in at_rest:
                    at_rest[tables] = invariants.broken(tables) or invariants.broken_at_rest(m, tables)
                fault = at_rest[tables]
                if fault:
                    return result(fault, _trace(m, came_from, after))
        frontier = reached
        depth += bool(reached)
    return result(None, ())


def _events(m: Model, w: World) -> Iterator[Event]:
    yield from requests.events(m, w)
    yield from workers.events(m, w)


def _trace(m: Model, came_from: dict[World, World | None], world: World) -> tuple[Event, ...]:
    steps: list[Event] = []
    before = came_from[world]
    while before is not None:
        event = next(event for event in _events(m, before) if settled(event.world, before) == world)
        steps.append(event._replace(world=world))
        world, before = before, came_from[before]
    return tuple(reversed(steps))
