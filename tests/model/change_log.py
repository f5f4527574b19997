"""A model of the sequencer: two functions append what two streams say was committed to one log, and an auditor repairs.

One log has two things, a room and a task that is deleted at last. Each has a shard, which keeps the order of its
records. A function may take a record at any time, also while another is at work on it. Each step is one request; a
function may be cut off after any, or get no response to an append that was carried out. The change of the room is a
commit of two entries. Records may be lost, entries expire.
"""

import argparse
import sys
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from tests.model.explore import Result
from tests.model.search import Step, search


class Guard(Enum):
    """What the sequencer rests on; the comment says where the code has it."""

    FREE = auto()  # dynamodb/change_log/repository.py append: the numbers are free
    ATOMIC = auto()  # append: the entries of one commit in one transaction
    READ_ORDER = auto()  # domain/change_log/sequencer.py _append_some: the markers are read after the head
    DROP = auto()  # _is_logged: what the log holds is left out
    GAP = auto()  # _gap: a revision that was skipped is covered
    BEHIND = auto()  # _put: also who has nothing to append completes what is after the head
    MARKER_OLDER = auto()  # mark: the marker is older than the entry
    WRITE_ORDER = auto()  # _put: the markers are written before the head
    HEAD_SAME = auto()  # advance: the head is the one that was read
    KEPT = auto()  # _Draft: an entry outlives those who could append or complete it
    ACKNOWLEDGE = auto()  # streams/changes.py: a record is finished only when it is in the log
    ORDER = auto()  # the shard: records of a thing come in their order
    MARKER_STAYS = auto()  # RECORDS_END: a marker outlives the records of what was deleted
    REPAIR_WAITS = auto()  # the repair: only where no record can come any more


class Bounds(NamedTuple):
    revisions: tuple[int, int]
    """How many each thing gets. The second one of the task is its deletion."""
    parts: int
    """The entries of a commit of the room."""
    lost: int = 1
    repairs: int = 1
    expired: int = 1


BOUNDS = (Bounds((1, 1), parts=2), Bounds((1, 2), parts=1, expired=0))

FAULTS = {
    Guard.FREE: "an entry is written again",
    Guard.ATOMIC: "a commit is not whole",
    Guard.READ_ORDER: "an entry is out of order",
    Guard.DROP: "an entry is out of order",
    Guard.GAP: "an entry is out of order",
    Guard.BEHIND: "an entry is left after the head",
    Guard.MARKER_OLDER: "a marker is behind the head",
    Guard.WRITE_ORDER: "a marker is behind the head",
    Guard.HEAD_SAME: "the head goes back",
    Guard.KEPT: "an entry is written again",
    Guard.ACKNOWLEDGE: "a record that came is not in the log",
    Guard.ORDER: "a record that came is not in the log",
    Guard.MARKER_STAYS: "an entry is out of order",
    Guard.REPAIR_WAITS: "a record that came is not in the log",
}
"""What goes wrong without each."""


class Entry(NamedTuple):
    thing: int
    revision: int
    part: int
    """Of a commit of several entries, which one."""
    refetch: bool
    counted: int
    """What the head counts after it."""


class Marker(NamedTuple):
    revision: int = 0
    seq: int = 0


class Head(NamedTuple):
    seq: int = 0
    counted: int = 0


class Worker(NamedTuple):
    """A function at work on the first records of a shard, or a repair (without records)."""

    thing: int
    records: tuple[int, ...]
    repair: int = 0
    """The revision of the thing that was read for the repair."""
    head: Head | None = None
    marker: Marker | None = None
    """Only without READ_ORDER: read before the head."""
    entries: tuple[Entry, ...] = ()
    """What it is to put."""
    put: int = 0
    """How many of these are put (without ATOMIC)."""
    looks: bool = False
    """Whether it is to read what is after the head."""
    empty: bool = False
    """Whether it has nothing to append."""
    found: tuple[Entry, ...] = ()
    """What it completes, from the head that it has read on."""
    marked: frozenset[int] = frozenset()
    own: bool = False
    """Whether it has put that itself, so all that it had to."""


class World(NamedTuple):
    committed: tuple[int, ...] = (0, 0)
    shards: tuple[tuple[int, ...], ...] = ((), ())
    lost: frozenset[tuple[int, int]] = frozenset()
    log: tuple[Entry, ...] = ()
    """All that was ever appended."""
    expired: int = 0
    """How many of them are gone, from the first on."""
    head: Head = Head()
    markers: tuple[Marker, ...] = (Marker(), Marker())
    workers: tuple[Worker, ...] = ()
    repairs: int = 0
    bounds: Bounds = BOUNDS[0]


def steps(w: World, removed: frozenset[Guard]) -> Iterator[Step[World]]:
    """Everything that may happen next."""
    for thing, most in enumerate(w.bounds.revisions):
        revision = w.committed[thing] + 1
        shard = w.shards[thing]
        if revision <= most:
            after = w._replace(
                committed=_with(w.committed, thing, revision), shards=_with(w.shards, thing, (*shard, revision))
            )
            yield Step(f"{thing} is changed: revision {revision}", after)
        if shard and len(w.lost) < w.bounds.lost:
            after = w._replace(shards=_with(w.shards, thing, shard[1:]), lost=w.lost | {(thing, shard[0])})
            yield Step(f"record {shard[0]} of {thing} is lost", after)
        if len(w.workers) < 2:
            yield from _taken(w, thing, removed)
        if _ended(w, thing) and w.markers[thing].seq and (Guard.MARKER_STAYS in removed or not _may_come(w, thing)):
            yield Step(f"the marker of {thing} expires", w._replace(markers=_with(w.markers, thing, Marker())))
    at_rest = not w.workers and not any(w.shards) and w.head.seq == len(w.log)
    if w.expired < min(w.bounds.expired, len(w.log)) and (Guard.KEPT in removed or at_rest):
        yield Step(f"entry {w.expired + 1} expires", w._replace(expired=w.expired + 1))
    for number, worker in enumerate(w.workers):
        others = (*w.workers[:number], *w.workers[number + 1 :])
        yield Step(f"{_name(worker)} is cut off", w._replace(workers=others))
        yield from (
            step._replace(world=step.world._replace(workers=tuple(sorted(step.world.workers, key=hash))))
            for step in _worked(w._replace(workers=others), worker, removed)
        )


def _taken(w: World, thing: int, removed: frozenset[Guard]) -> Iterator[Step[World]]:
    shard = w.shards[thing]
    batches = {shard[:1], shard[:2]} if Guard.ORDER not in removed else {(record,) for record in shard}
    for records in batches - {()}:
        after = w
        if Guard.ACKNOWLEDGE in removed:
            after = after._replace(shards=_with(w.shards, thing, shard[len(records) :]))
        yield from _begun(after, Worker(thing, records), removed)
    behind = w.committed[thing] > w.markers[thing].revision and not _ended(w, thing)
    if w.repairs and behind and (Guard.REPAIR_WAITS in removed or not _may_come(w, thing)):
        worker = Worker(thing, (), repair=w.committed[thing])
        yield from _begun(w._replace(repairs=w.repairs - 1), worker, removed)


def _begun(w: World, worker: Worker, removed: frozenset[Guard]) -> Iterator[Step[World]]:
    """It begins, with its first read; also once more, after others have appended."""
    anew = Worker(worker.thing, worker.records, worker.repair)
    after = anew._replace(head=w.head)
    yield Step(f"{_name(worker)} begins and reads the head", w._replace(workers=(*w.workers, after)))
    if Guard.READ_ORDER in removed:
        after = anew._replace(marker=w.markers[worker.thing])
        yield Step(f"{_name(worker)} begins and reads the marker", w._replace(workers=(*w.workers, after)))


def _worked(w: World, worker: Worker, removed: frozenset[Guard]) -> Iterator[Step[World]]:
    """``w``: without this worker."""
    if worker.looks:
        yield from _looked(w, worker, removed)
    elif worker.found:
        yield from _completed(w, worker, removed)
    elif worker.entries:
        yield from _put(w, worker, removed)
    else:
        head, marker = worker.head or w.head, worker.marker or w.markers[worker.thing]
        entries = _entries(w, worker, head, marker, removed)
        name = _name(worker)
        if not entries and Guard.BEHIND in removed:
            yield from _ends(f"{name} has nothing to append", w, worker)
        elif not entries:
            after = worker._replace(head=head, marker=None, looks=True, empty=True)
            yield Step(f"{name} reads that all is in the log", w._replace(workers=(*w.workers, after)))
        else:
            after = worker._replace(head=head, marker=None, entries=entries)
            yield Step(f"{name} reads what is not in the log", w._replace(workers=(*w.workers, after)))


def _put(w: World, worker: Worker, removed: frozenset[Guard]) -> Iterator[Step[World]]:
    assert worker.head is not None
    name = _name(worker)
    start = worker.head.seq + worker.put
    looking = worker._replace(entries=(), put=0, looks=True)
    if w.expired <= start < len(w.log) and Guard.FREE not in removed:
        yield Step(f"{name} finds {start + 1} taken", w._replace(workers=(*w.workers, looking)))
        return
    if start < len(w.log):
        yield Step(f"{name} puts {start + 1} again", w, "an entry is written again")
        return
    end = worker.put + 1 if Guard.ATOMIC in removed else len(worker.entries)
    now = worker.entries[worker.put : end]
    after = w._replace(log=(*w.log, *now))
    if end < len(worker.entries):
        going_on = worker._replace(put=end)
    else:
        going_on = worker._replace(entries=(), put=0, found=worker.entries, own=True)
    text = f"{name} puts {[(each.thing, each.revision) for each in now]} behind {start}"
    yield _judged(text, after._replace(workers=(*w.workers, going_on)))
    # The response is lost, and the write is sent again.
    yield _judged(f"{text}, and hears nothing", after._replace(workers=(*w.workers, looking)))


def _looked(w: World, worker: Worker, removed: frozenset[Guard]) -> Iterator[Step[World]]:
    """A query sees all that is there, or some of it: one page, or a part of a transaction."""
    assert worker.head is not None
    there = w.log[worker.head.seq :]
    name = _name(worker)
    if not there:
        text = f"{name} finds nothing"
        yield from _ends(text, w, worker) if worker.empty else _begun(w, worker, removed)
        return
    seen = {there[:number] for number in range(1, len(there) + 1)}
    for found in sorted(seen):
        after = worker._replace(looks=False, empty=False, found=found)
        yield Step(f"{name} finds {len(found)}", w._replace(workers=(*w.workers, after)))


def _completed(w: World, worker: Worker, removed: frozenset[Guard]) -> Iterator[Step[World]]:
    """The markers in any order, then the head."""
    assert worker.head is not None
    name = _name(worker)
    last = {entry.thing: entry for entry in worker.found}
    end = w.log.index(worker.found[-1]) + 1
    for thing, entry in last.items():
        if thing not in worker.marked:
            marker = Marker(entry.revision, w.log.index(entry) + 1)
            newer = w.markers[thing].seq >= marker.seq and Guard.MARKER_OLDER not in removed
            after = w if newer else w._replace(markers=_with(w.markers, thing, marker))
            marked = worker._replace(marked=worker.marked | {thing})
            yield _judged(f"{name} marks {thing}", after._replace(workers=(*w.workers, marked)))
    if len(worker.marked) < len(last) and Guard.WRITE_ORDER not in removed:
        return
    if w.head.seq != worker.head.seq and Guard.HEAD_SAME not in removed:
        yield from _begun(w, worker, removed)
        return
    after = w._replace(head=Head(end, worker.found[-1].counted))
    fault = "the head goes back" if end < w.head.seq else _judged("", after).fault
    text = f"{name} writes the head {end}"
    # Whoever has completed what others appended begins again.
    for step in _ends(text, after, worker) if worker.own else _begun(after, worker, removed):
        yield step._replace(fault=fault)


def _ends(text: str, w: World, worker: Worker) -> Iterator[Step[World]]:
    """The worker is finished; to be cut off before the records are acknowledged is a step of its own."""
    shard = tuple(record for record in w.shards[worker.thing] if record not in worker.records)
    yield Step(f"{text} and ends", w._replace(shards=_with(w.shards, worker.thing, shard)))
    yield Step(f"{text} and is cut off", w)


def _entries(w: World, worker: Worker, head: Head, marker: Marker, removed: frozenset[Guard]) -> tuple[Entry, ...]:
    thing, last, entries = worker.thing, marker.revision, list[Entry]()
    base = head.counted - _counted(thing, last)
    if worker.repair > last:
        return (Entry(thing, worker.repair, 0, refetch=True, counted=base + _counted(thing, worker.repair)),)
    for record in worker.records:
        if record <= last and Guard.DROP not in removed:
            continue
        if record > last + 1 and Guard.GAP not in removed:
            # It is not known how the thing was counted in between.
            counted = base + _counted(thing, marker.revision)
            entries.append(Entry(thing, record - 1, 0, refetch=True, counted=counted))
        counted = base + _counted(thing, record)
        parts = range(w.bounds.parts if thing == 0 else 1)
        entries += [Entry(thing, record, part, refetch=False, counted=counted) for part in parts]
        last = record
    return tuple(entries)


def _counted(thing: int, revision: int) -> int:
    """The task is counted until it is deleted."""
    return int((thing, revision) == (1, 1))


def _judged(text: str, w: World) -> Step[World]:
    last = [0, 0]
    for number, entry in enumerate(w.log, 1):
        before, last[entry.thing] = last[entry.thing], entry.revision
        follows = entry.revision == before + 1 if entry.part == 0 else entry.revision == before
        if not follows and not (entry.refetch and entry.revision > before):
            return Step(text, w, "an entry is out of order")
        if number <= w.head.seq and not _ended(w, entry.thing) and w.markers[entry.thing].seq < number:
            return Step(text, w, "a marker is behind the head")
    return Step(text, w)


def broken_at_rest(w: World) -> str | None:
    """When no record is left and nobody is at work."""
    if w.workers or any(w.shards):
        return None
    counts = 0
    for thing, most in enumerate(w.committed):
        there = [entry for entry in w.log if entry.thing == thing]
        own = {entry.revision for entry in there if not entry.refetch}
        for revision in range(1, most + 1):
            if (thing, revision) not in w.lost and revision not in own:
                return "a record that came is not in the log"
        if thing == 0 and own and there[-1].part < w.bounds.parts - 1:
            return "a commit is not whole"
        furthest = max((entry.revision for entry in there), default=0)
        counts += _counted(thing, furthest)
    lost = any((entry.thing, entry.revision) in w.lost for entry in w.log[w.head.seq :])
    if w.head.seq < len(w.log) and not lost:
        return "an entry is left after the head"
    if w.log and w.log[-1].counted != counts and not any(entry.refetch for entry in w.log):
        return "a count is wrong"
    return None


def explore(removed: frozenset[Guard] = frozenset()) -> Result:
    """Every state within all bounds, or the shortest way to a fault within the first bounds that have one."""
    starts = [World(repairs=bounds.repairs, bounds=bounds) for bounds in BOUNDS]
    return search(starts, lambda w: steps(w, removed), broken_at_rest)


def _ended(w: World, thing: int) -> bool:
    return thing == 1 and w.committed[thing] == 2


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
