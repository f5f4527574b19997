"""Breadth-first search for the models that have a world of their own."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from tests.model.explore import Result

World = TypeVar("World", bound=Hashable)


class Step(NamedTuple, Generic[World]):
    """What may happen next, and what the world is then."""

    text: str
    world: World
    fault: str | None = None


def search(
    starts: Sequence[World], steps: Callable[[World], Iterable[Step[World]]], broken: Callable[[World], str | None]
) -> Result:
    """Every state from each start, or the shortest way to a fault from the first start that has one."""
    results = []
    for start in starts:
        results.append(_searched(start, steps, broken))
        if results[-1].fault:
            return results[-1]
    states, events = sum(result.states for result in results), sum(result.events for result in results)
    return Result(states, events, max(result.depth for result in results), 0.0, None, ())


def way(
    start: World, steps: Callable[[World], Iterable[Step[World]]], broken: Callable[[World], str | None]
) -> list[str]:
    """The texts of the shortest way to a fault."""
    came_from: dict[World, tuple[World, str] | None] = {start: None}
    queue = deque([start])
    while queue:
        world = queue.popleft()
        for step in steps(world):
            known = step.world in came_from
            if not known:
                came_from[step.world] = world, step.text
                queue.append(step.world)
            fault = step.fault or (None if known else broken(step.world))
            if fault:
                texts = [f"{step.text}: {fault}"]
                last = came_from[world]
                while last is not None:
                    texts.append(last[1])
                    last = came_from[last[0]]
                return texts[::-1]
    return []


def _searched(
    start: World, steps: Callable[[World], Iterable[Step[World]]], broken: Callable[[World], str | None]
) -> Result:
    depth = {start: 0}
    queue, events = deque([start]), 0
    while queue:
        world = queue.popleft()
        for step in steps(world):
            events += 1
            fault = step.fault or (None if step.world in depth else broken(step.world))
            if fault:
                return Result(len(depth), events, depth[world] + 1, 0.0, fault, ())
            if step.world not in depth:
                depth[step.world] = depth[world] + 1
                queue.append(step.world)
    return Result(len(depth), events, max(depth.values()), 0.0, None, ())
