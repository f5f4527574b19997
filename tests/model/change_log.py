"""A model of the sequencer: two functions append what two streams say was committed to one log, and an auditor repairs.

One log has two things, a room and a task that is deleted at last. Each has a shard, which keeps the order of its
records. A function may take a record at any time, also while another is at work on it, and may be cut off after any
step. It reads head and marker in either order, as a batch read is no snapshot. Records may be lost.
"""

import argparse
import sys
from collections import deque
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from tests.model.explore import Result


class Guard(Enum):
    """What the sequencer rests on; the comment says where the code has it."""

    HEAD = auto()  # dynamodb/change_log/repository.py append: the head is the one read
    MARKER = auto()  # append: the marker is the one read
    ATOMIC = auto()  # append: head, entries and markers in one transaction
    DROP = auto()  # domain/change_log/sequencer.py take: what the log holds is left out
    GAP = auto()  # _gap: a revision that was skipped is covered
    ACKNOWLEDGE = auto()  # streams/changes.py: a record is finished only when it is in the log
    ORDER = auto()  # the shard: records of a thing come in their order
    MARKER_STAYS = auto()  # RECORDS_END: a marker outlives the records of what was deleted
    REPAIR_WAITS = auto()  # the auditor: only where no record can come any more
    REPAIR_MARKER = auto()  # the auditor: the marker is the one read


REVISIONS = (1, 2)
"""How many each thing gets. The last one of the second is its deletion."""
LOST, REPAIRS = 1, 1


FAULTS = {
    Guard.HEAD: "an entry is written again",
    Guard.MARKER: "an entry is out of order",
    Guard.ATOMIC: "a gap",
    Guard.DROP: "an entry is out of order",
    Guard.GAP: "an entry is out of order",
    Guard.ACKNOWLEDGE: "a record that came is not in the log",
    Guard.ORDER: "a record that came is not in the log",
    Guard.MARKER_STAYS: "an entry is out of order",
    Guard.REPAIR_WAITS: "a record that came is not in the log",
    Guard.REPAIR_MARKER: "an entry is out of order",
}
"""What goes wrong without each."""


class Entry(NamedTuple):
    thing: int
    revision: int
    refetch: bool


class Worker(NamedTuple):
    """A function at work on the first records of a shard, or an auditor (without records)."""

    thing: int
    records: tuple[int, ...]
    repair: int = 0
    """The revision of the thing that the auditor has read."""
    head: int | None = None
    marker: int | None = None
    half: bool = False
    """The head is written, and the entries are not (without ATOMIC)."""
    written: bool = False


class World(NamedTuple):
    committed: tuple[int, ...] = (0, 0)
    shards: tuple[tuple[int, ...], ...] = ((), ())
    lost: frozenset[tuple[int, int]] = frozenset()
    log: tuple[Entry | None, ...] = ()
    head: int = 0
    markers: tuple[int, ...] = (0, 0)
    workers: tuple[Worker, ...] = ()
    repairs: int = REPAIRS


class Step(NamedTuple):
    text: str
    world: World
    fault: str | None = None


def steps(w: World, removed: frozenset[Guard]) -> Iterator[Step]:
    """Everything that may happen next."""
    for thing, most in enumerate(REVISIONS):
        revision = w.committed[thing] + 1
        shard = w.shards[thing]
        if revision <= most:
            after = w._replace(
                committed=_with(w.committed, thing, revision), shards=_with(w.shards, thing, (*shard, revision))
            )
            yield Step(f"{thing} is changed: revision {revision}", after)
        if shard and len(w.lost) < LOST:
            after = w._replace(shards=_with(w.shards, thing, shard[1:]), lost=w.lost | {(thing, shard[0])})
            yield Step(f"record {shard[0]} of {thing} is lost", after)
        if len(w.workers) < 2:
            yield from _taken(w, thing, removed)
        if _ended(w, thing) and w.markers[thing] and (Guard.MARKER_STAYS in removed or not _may_come(w, thing)):
            yield Step(f"the marker of {thing} expires", w._replace(markers=_with(w.markers, thing, 0)))
    for number, worker in enumerate(w.workers):
        others = (*w.workers[:number], *w.workers[number + 1 :])
        yield Step(f"{_name(worker)} is cut off", w._replace(workers=others))
        yield from (
            step._replace(world=step.world._replace(workers=tuple(sorted(step.world.workers, key=repr))))
            for step in _worked(w._replace(workers=others), worker, removed)
        )


def _taken(w: World, thing: int, removed: frozenset[Guard]) -> Iterator[Step]:
    shard = w.shards[thing]
    batches = {shard[:1], shard[:2]} if Guard.ORDER not in removed else {(record,) for record in shard}
    for records in batches - {()}:
        worker = Worker(thing, records)
        after = w._replace(workers=(*w.workers, worker))
        if Guard.ACKNOWLEDGE in removed:
            after = after._replace(shards=_with(w.shards, thing, shard[len(records) :]))
        yield Step(f"{_name(worker)} begins", after)
    behind = w.committed[thing] > w.markers[thing] and not _ended(w, thing)
    if w.repairs and behind and (Guard.REPAIR_WAITS in removed or not _may_come(w, thing)):
        worker = Worker(thing, (), repair=w.committed[thing])
        yield Step(f"{_name(worker)} begins", w._replace(workers=(*w.workers, worker), repairs=w.repairs - 1))


def _worked(w: World, worker: Worker, removed: frozenset[Guard]) -> Iterator[Step]:
    """``w``: without this worker."""

    def goes_on(after: Worker) -> World:
        return w._replace(workers=(*w.workers, after))

    name = _name(worker)
    if worker.written:
        shard = tuple(record for record in w.shards[worker.thing] if record not in worker.records)
        yield Step(f"{name} ends", w._replace(shards=_with(w.shards, worker.thing, shard)))
        return
    if worker.head is None:
        yield Step(f"{name} reads the head", goes_on(worker._replace(head=w.head)))
    if worker.marker is None:
        yield Step(f"{name} reads the marker", goes_on(worker._replace(marker=w.markers[worker.thing])))
    if worker.head is None or worker.marker is None:
        return
    entries = _entries(worker, removed)
    if not entries:
        yield Step(f"{name} has nothing to append", goes_on(worker._replace(written=True)))
    elif not _holds(w, worker, removed):
        yield Step(f"{name} reads again", goes_on(worker._replace(head=None, marker=None)))
    elif Guard.ATOMIC in removed and not worker.half:
        after = goes_on(worker._replace(half=True))
        yield _judged(f"{name} writes the head", after._replace(head=worker.head + len(entries)))
    else:
        yield _append(w, worker, entries)


def _holds(w: World, worker: Worker, removed: frozenset[Guard]) -> bool:
    guard = Guard.REPAIR_MARKER if worker.repair else Guard.MARKER
    same_head = worker.half or w.head == worker.head or Guard.HEAD in removed
    return same_head and (w.markers[worker.thing] == worker.marker or guard in removed)


def _entries(worker: Worker, removed: frozenset[Guard]) -> list[Entry]:
    last, entries = worker.marker or 0, []
    if worker.repair > last:
        return [Entry(worker.thing, worker.repair, refetch=True)]
    for record in worker.records:
        if record <= last and Guard.DROP not in removed:
            continue
        if record > last + 1 and Guard.GAP not in removed:
            entries.append(Entry(worker.thing, record - 1, refetch=True))
        entries.append(Entry(worker.thing, record, refetch=False))
        last = record
    return entries


def _append(w: World, worker: Worker, entries: list[Entry]) -> Step:
    start = worker.head or 0
    log = [*w.log, *[None] * (start + len(entries) - len(w.log))]
    again = any(each is not None for each in log[start : start + len(entries)])
    log[start : start + len(entries)] = entries
    after = w._replace(
        log=tuple(log),
        head=start + len(entries),
        markers=_with(w.markers, worker.thing, entries[-1].revision),
        workers=(*w.workers, worker._replace(written=True)),
    )
    text = f"{_name(worker)} appends {[each.revision for each in entries]} after {start}"
    return Step(text, after, "an entry is written again") if again else _judged(text, after)


def _judged(text: str, w: World) -> Step:
    last = [0, 0]
    for entry in w.log[: w.head]:
        if entry is None:
            return Step(text, w, "a gap")
        if entry.revision != last[entry.thing] + 1 and not (entry.refetch and entry.revision > last[entry.thing]):
            return Step(text, w, "an entry is out of order")
        last[entry.thing] = entry.revision
    return Step(text, w, "a gap" if len(w.log) < w.head else None)


def broken_at_rest(w: World) -> str | None:
    """When no record is left and nobody is at work."""
    if w.workers or any(w.shards):
        return None
    for thing, most in enumerate(w.committed):
        there = [entry for entry in w.log if entry and entry.thing == thing]
        own = {entry.revision for entry in there if not entry.refetch}
        furthest = max((entry.revision for entry in there), default=0)
        for revision in range(1, most + 1):
            if (thing, revision) not in w.lost and revision not in own:
                return "a record that came is not in the log"
        if not _ended(w, thing) and w.markers[thing] != furthest:
            return "a marker is not its last entry"
    return None


def explore(removed: frozenset[Guard] = frozenset()) -> Result:
    """Every state that can be reached, or the shortest way to a fault."""
    start = World()
    came_from: dict[World, tuple[World, str] | None] = {start: None}
    depth = {start: 0}
    queue, events = deque([start]), 0
    while queue:
        world = queue.popleft()
        for step in steps(world, removed):
            events += 1
            fault = step.fault or (broken_at_rest(step.world) if step.world not in came_from else None)
            if fault:
                return Result(len(came_from), events, depth[world] + 1, 0.0, fault, ())
            if step.world not in came_from:
                came_from[step.world] = (world, step.text)
                depth[step.world] = depth[world] + 1
                queue.append(step.world)
    return Result(len(came_from), events, max(depth.values()), 0.0, None, ())


def _ended(w: World, thing: int) -> bool:
    return thing == 1 and w.committed[thing] == REVISIONS[thing]


def _may_come(w: World, thing: int) -> bool:
    return bool(w.shards[thing]) or any(worker.thing == thing for worker in w.workers)


def _with(values: tuple, index: int, value: object) -> tuple:  # type: ignore[type-arg]  # of any kind
    return (*values[:index], value, *values[index + 1 :])


def _name(worker: Worker) -> str:
    return f"repair of {worker.thing}" if worker.repair else f"function with {worker.records} of {worker.thing}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.model.change_log", description=__doc__)
    parser.parse_args()
    whole = explore()
    lines = [f"{whole.states:,} states, {whole.events:,} events, {whole.depth} steps deep: {whole.fault or 'whole'}"]
    lines += [
        f"| {guard.name} | {result.fault} | {result.depth} |"
        for guard in Guard
        for result in [explore(frozenset({guard}))]
    ]
    sys.stdout.write("\n".join(lines) + "\n")
