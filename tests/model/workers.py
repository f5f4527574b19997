"""The stream handlers and the sweeper: ``remove_dead_room`` and ``UserRemoval`` of ``tasksync/domain/removal.py``,
``unassign_former_member`` of ``rooms/unassignment.py``, ``respread`` of ``respreading.py``, and the purge of what has
been in the trash for long.

A record is only a hint: a run may begin at any time for any room or person, more than once and more than one at a
time, which stands for records that are late, out of order or repeated, for the routes that do the work at once and for
the sweeper. It may also be cut off after any step. All that counts of a record is that it is owed one run to the end.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction

from tests.model import transactions
from tests.model.guards import Guard
from tests.model.model import STALE, Event, Model
from tests.model.world import Kind, Worker, World, member_number


def events(m: Model, w: World) -> Iterator[Event]:
    """What can happen next with the runs there are, and which can begin."""
    for place, worker in enumerate(w.workers):
        if place and worker == w.workers[place - 1]:
            continue
        others = w._replace(workers=w.workers[:place] + w.workers[place + 1 :])
        yield Event(worker, "is cut off", others)
        yield from _advance(m, others, worker)
    if len(w.workers) < m.configuration.workers:
        for worker in _to_begin(m, w):
            yield from begin(m, w, worker)
    if m.configuration.expiring:
        for number, task in enumerate(w.tasks):
            if task is not None and task.trashed_at is not None and not task.expired:
                after = w.with_task(number, task._replace(expired=True))
                yield Event("the clock", f"ends the time of task {number} in the trash", after)
    if w.unindexed:
        yield Event("the index by user", "shows everything", w._replace(unindexed=frozenset()))


def _to_begin(m: Model, w: World) -> Iterator[Worker]:
    """The runs that would find something, or are owed."""
    for subject, room in enumerate(w.rooms):
        if room is not None or ("room", subject) in w.owed:
            yield Worker("room", subject)
    for subject, status in enumerate(w.users):
        if status == "deleting" or ("user", subject) in w.owed:
            yield Worker("user", subject)
    for kind, subject in sorted(pending(w)):
        if kind != "ranks" or not _is_under_way(m, w, subject):
            yield Worker(kind, subject)


def _is_under_way(m: Model, w: World, room: int) -> bool:
    """Whether there is a move that does not know of the room's respread."""
    return m.has(Guard.RESPREAD_WAITS) and any(
        q.operation == "move task" and q.room == room and q.job is None and q.step in ("column", "write")
        for q in w.requests
    )


def pending(w: World) -> set[tuple[Kind, int]]:
    """The unassignments, the purges of tasks whose time in the trash is over, and the respreads."""
    left = {
        member_number(w, room, user)
        for room, row in enumerate(w.dues)
        for user, due in enumerate(row)
        if due is not None
    }
    expired = {number for number, task in enumerate(w.tasks) if task is not None and task.expired}
    long = {room for room, job in enumerate(w.jobs) if job is not None}
    return {
        *(("unassignment", former) for former in left),
        *(("trash", number) for number in expired),
        *(("ranks", room) for room in long),
    }


def run(m: Model, w: World, worker: Worker) -> World:
    """The state after a whole run that nothing disturbs."""
    event = next(begin(m, w, worker))
    while event.world.workers:
        (worker,) = event.world.workers
        event = next(_advance(m, event.world._replace(workers=()), worker))
    return event.world


def begin(m: Model, w: World, k: Worker) -> Iterator[Event]:
    if not m.has(Guard.REDELIVERY):
        w = w._replace(owed=w.owed - {(k.kind, k.subject)})
    yield from _STEPS[k.kind, "start"](m, w, k)


def _advance(m: Model, w: World, k: Worker) -> Iterator[Event]:
    return _STEPS[k.kind, k.step](m, w, k)


def _with(w: World, k: Worker, step: str) -> World:
    return w._replace(workers=(*w.workers, k._replace(step=step)))


def _finished(w: World, k: Worker) -> World:
    owed = (k.kind, k.subject)
    return w._replace(owed=w.owed - {owed}) if owed in w.owed else w


# A room without members.


def _find_dead(m: Model, w: World, k: Worker) -> Iterator[Event]:
    room = w.rooms[k.subject]
    if room is None or (room.members and m.has(Guard.CLEANUP_READS)):
        yield Event(k, "finds no dead room", _finished(w, k))
    else:
        step = "purge" if m.has(Guard.CLEANUP_ROOM_LAST) else "delete room"
        yield Event(k, "finds the room dead", _with(w, k._replace(code=room.code), step))


def _purge(m: Model, w: World, k: Worker) -> Iterator[Event]:
    """One item after the other; links come before tasks, as their keys do."""
    mine = _owned(w, k)
    linked = next((number for number in mine if w.links[number]), None)
    if linked is not None:
        yield Event(k, f"finds links of task {linked}", _with(w, k._replace(task=linked), "delete links"))
    elif there := [number for number in mine if w.tasks[number] is not None]:
        yield Event(k, f"finds task {there[0]}", _with(w, k._replace(task=there[0]), "delete task"))
    else:
        yield Event(k, "finds no task", _purged(m, w, k))


def _delete_links(m: Model, w: World, k: Worker) -> Iterator[Event]:  # noqa: ARG001  # all of its kind are called alike
    w, fault = w.with_links(k.task, ()), _of_live_room(w, k) if w.links[k.task] else None
    yield Event(k, f"deletes links of task {k.task}", _with(w, k._replace(task=0), "purge"), fault)


def _delete_task(m: Model, w: World, k: Worker) -> Iterator[Event]:
    w, fault = w.with_task(k.task, None), _of_live_room(w, k) if w.tasks[k.task] else None
    k = k._replace(task=0)
    after = _with(w, k, "purge") if m.has(Guard.CLEANUP_ALL) else _purged(m, w, k)
    yield Event(k, f"deletes task {k.task}", after, fault)


def _owned(w: World, k: Worker) -> list[int]:
    """The tasks of which there are items in the partition of the room or person."""
    return [number for number, owner in enumerate(w.owners) if owner == (k.kind, k.subject)]


def _purged(m: Model, w: World, k: Worker) -> World:
    """What comes after the last item."""
    if k.kind == "user":
        return _with(w, k, "find tasks" if m.has(Guard.UNASSIGN_LAST) else "free name")
    return _with(w, k, "delete room") if m.has(Guard.CLEANUP_ROOM_LAST) else _finished(w, k)


def _of_live_room(w: World, k: Worker) -> str | None:
    room = w.rooms[k.subject] if k.kind == "room" else None
    return "a task of a live room is deleted" if room is not None and room.members else None


def _delete_room(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.delete_dead(m, w, k)
    what, fault = "finds the room deleted", None
    if not isinstance(outcome, str):
        assert k.code is not None
        if w.claims[k.code] not in (None, k.subject):
            fault = "the claim of another room is deleted"
        what, w = "deletes the room and its claim", outcome
    if m.has(Guard.CLEANUP_ROOM_LAST):
        yield Event(k, what, _finished(w, k), fault)
    else:
        yield Event(k, what, _with(w, k, "purge"), fault)


# A person whose deletion was accepted.


def _find_deleting(m: Model, w: World, k: Worker) -> Iterator[Event]:
    if w.users[k.subject] != "deleting" and (m.has(Guard.REMOVAL_MARKS) or w.users[k.subject] != "active"):
        yield Event(k, "finds nobody to remove", _finished(w, k))
        return
    mine = [room for room, row in enumerate(w.members) if row[k.subject] is not None]
    rooms = tuple(room for room in mine if (room, k.subject) not in w.unindexed)
    settled = len(rooms) == len(mine) or not m.has(Guard.REMOVAL_INDEX)
    k = k._replace(rooms=rooms, settled=settled)
    first = "look" if m.has(Guard.UNASSIGN_LAST) else "find tasks"
    if w.former and not m.has(Guard.FORGET_LAST):
        for room in range(len(w.rooms)):
            w = transactions.forget(w, room, k.subject)
    yield Event(k, f"reads from the index rooms {rooms}", _with(w, k, first))


def _look(m: Model, w: World, k: Worker) -> Iterator[Event]:
    if not k.rooms:
        yield from _forget(m, w, k)
        return
    room = k.rooms[0]
    mine = w.member(room, k.subject)
    if mine is None:
        yield Event(k, f"is not in room {room}", _with(w, k._replace(rooms=k.rooms[1:]), "look"))
        return
    members = enumerate(w.members[room])
    others = [(user, member) for user, member in members if member is not None and user != k.subject]
    # By when they joined, which the model does not know: anybody may have been first, but viewers come last.
    heirs = [other for other in others if other[1].role != "viewer"] or others
    for heir in heirs if mine.role == "admin" and heirs else [None]:
        yield Event(k, f"reads room {room}", _with(w, k._replace(mine=mine, successor=heir, last=not others), "leave"))


def _leave(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.leave_as_worker(m, w, k)
    if outcome == "LastAdmin" and not m.has(Guard.SUCCESSION):
        # What leaving without asking would do.
        outcome = transactions.leave_as_worker(Model(m.configuration, m.removed | {Guard.LEAVE_LAST_ADMIN}), w, k)
    if outcome == "LastAdmin" and k.successor is not None:
        yield Event(k, "is the last admin", _with(w, k, "leave to successor"))
    elif isinstance(outcome, str):
        yield Event(k, f"cannot leave: {outcome}", _with(w, k._replace(mine=None, successor=None, last=False), "look"))
    else:
        yield _has_left(k, "leaves", outcome)


def _leave_to_successor(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.leave_to(m, w, k)
    if outcome == STALE:
        yield Event(k, "finds its reading stale", _with(w, k._replace(mine=None, successor=None), "look"))
    else:
        assert isinstance(outcome, World)
        yield _has_left(k, "leaves, and another is admin", outcome)


def _has_left(k: Worker, what: str, w: World) -> Event:
    return Event(k, what, _with(w, k._replace(rooms=k.rooms[1:], mine=None, successor=None, last=False), "look"))


def _forget(m: Model, w: World, k: Worker) -> Iterator[Event]:
    room = next((room for room, row in enumerate(w.former) if row[k.subject] is not None), None)
    if room is None or not m.has(Guard.FORGET) or not m.has(Guard.FORGET_LAST):
        yield from _end_sessions(m, w, k)
    else:
        yield Event(k, f"forgets room {room}", _with(transactions.forget(w, room, k.subject), k, "look"))


def _end_sessions(m: Model, w: World, k: Worker) -> Iterator[Event]:  # noqa: ARG001  # all of its kind are called alike
    w = w.with_session(k.subject, False) if w.sessions[k.subject] else w
    yield Event(k, "ends the sessions", _with(w, k, "purge"))


def _find_assigned(m: Model, w: World, k: Worker) -> Iterator[Event]:
    done = "free name" if m.has(Guard.UNASSIGN_LAST) else "look"
    found = (n for n, links in enumerate(w.links) if w.tasks[n] and any(user == k.subject for user, _ in links))
    task = next(found, None)
    if task is None:
        yield Event(k, "finds no task assigned", _with(w, k, done))
    else:
        yield Event(k, f"reads task {task}", _with(w, k._replace(task=task, seen_task=w.tasks[task]), "unassign"))


def _unassign(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.unassign(m, w, k)
    if outcome == STALE:
        yield Event(k, "finds the task changed, and its record is to come again", w)
        return
    assert isinstance(outcome, World)
    task = w.tasks[k.task]
    fault = None
    if task is None or k.seen_task is None or task.version != k.seen_task.version:
        fault = "I6: an acknowledged change of a task is lost"
    yield Event(k, "unassigns it", _with(outcome, k._replace(task=0, seen_task=None), "find tasks"), fault)


def _free_name(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.free_name(m, w, k)
    what, fault = "finds the name freed", None
    if not isinstance(outcome, str):
        if w.names[m.configuration.username[k.subject]] not in (None, k.subject):
            fault = "the name of another person is freed"
        what, w = "frees the name", outcome
    if k.settled:
        yield Event(k, what, _with(w, k, "erase"), fault)
    else:
        # The rest is the sweeper's, once the index has surely caught up.
        yield Event(k, f"{what}, and leaves the rest for later", _finished(w, k), fault)


def _erase(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.erase(m, w, k)
    if isinstance(outcome, str):
        yield Event(k, "finds the user deleted", _finished(w, k))
    else:
        yield Event(k, "deletes the user", _finished(outcome, k))


# Somebody who has left a room.


def _find_due(m: Model, w: World, k: Worker) -> Iterator[Event]:
    number, user = divmod(k.subject, len(w.users))
    room = w.rooms[number]
    if m.has(Guard.DUE_FIRST):
        k = k._replace(due=w.dues[number][user])
    if not m.has(Guard.UNASSIGN_ORDER):
        k = k._replace(mine=w.member(number, user))
    if room is None or room.members == 0:
        yield from _next_link(m, w, k, "finds the room dead")
    else:
        yield Event(k, "reads what is due", _with(w, k, "links"))


def _find_links(m: Model, w: World, k: Worker) -> Iterator[Event]:
    _, user = divmod(k.subject, len(w.users))
    links = tuple(number for number, links in enumerate(w.links) if any(who == user for who, _ in links))
    yield from _next_link(m, w, k._replace(links=links), "reads the links")


def _next_link(m: Model, w: World, k: Worker, what: str) -> Iterator[Event]:
    k = k._replace(task=0, seen_task=None)
    if k.links:
        yield Event(k, what, _with(w, k, "task"))
    else:
        yield Event(k, f"{what}, and that was all", _with(w, k, "done" if m.has(Guard.DUE_FIRST) else "due"))


def _find_linked(m: Model, w: World, k: Worker) -> Iterator[Event]:
    _, user = divmod(k.subject, len(w.users))
    number, task = k.links[0], w.tasks[k.links[0]]
    if task is not None and task.trashed_at is not None and m.has(Guard.UNASSIGN_LIVE):
        task = None
    if task is not None and user in dict(task.assignees):
        yield Event(k, f"reads task {number}", _with(w, k._replace(task=number, seen_task=task), "member"))
    else:
        yield from _next_link(m, w, k._replace(links=k.links[1:]), f"finds task {number} not assigned")


def _find_former(m: Model, w: World, k: Worker) -> Iterator[Event]:
    number, user = divmod(k.subject, len(w.users))
    mine = w.member(number, user) if m.has(Guard.UNASSIGN_ORDER) else k.mine
    assert k.seen_task is not None
    join_id = dict(k.seen_task.assignees)[user]
    if mine is not None and mine.join_id == join_id and m.has(Guard.UNASSIGN_JOIN):
        yield from _next_link(m, w, k._replace(links=k.links[1:]), "finds the assignment good")
    else:
        yield Event(k, "finds the assignment over", _with(w, k, "unassign"))


def _unassign_former(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.unassign(m, w, k)
    if isinstance(outcome, str):
        yield Event(k, "finds the task changed", _with(w, k._replace(task=0, seen_task=None, links=()), "links"))
        return
    room, user = divmod(k.subject, len(w.users))
    task, member = w.tasks[k.task], w.member(room, user)
    fault = None
    if member is not None and task is not None and (user, member.join_id) in task.assignees:
        fault = "an assignment by a membership that has not ended is undone"
    after = _next_link(m, outcome, k._replace(links=k.links[1:]), "unassigns it")
    yield from (event._replace(fault=fault) for event in after)


def _find_due_last(m: Model, w: World, k: Worker) -> Iterator[Event]:  # noqa: ARG001  # all of its kind are called alike
    number, user = divmod(k.subject, len(w.users))
    yield Event(k, "reads what is due", _with(w, k._replace(due=w.dues[number][user]), "done"))


def _forget_due(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.unassigned(m, w, k)
    if isinstance(outcome, str):
        yield Event(k, "finds something else due", _finished(w, k))
    else:
        yield Event(k, "has nothing due any more", _finished(outcome, k))


# A task whose time in the trash is over.


def _find_expired(m: Model, w: World, k: Worker) -> Iterator[Event]:  # noqa: ARG001  # all of its kind are called alike
    task = w.tasks[k.subject]
    if task is None or not task.expired:
        yield Event(k, "finds it gone", _finished(w, k))
    else:
        yield Event(k, "finds it expired", _with(w, k._replace(task=k.subject, seen_task=task), "purge"))


def _purge_expired(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.purge_expired(m, w, k)
    if isinstance(outcome, str):
        yield Event(k, "finds it changed", _finished(w, k))
        return
    task = w.tasks[k.task]
    fault = None if task is None or task.expired else "a task is purged whose time in the trash is not over"
    yield Event(k, "purges it", _finished(outcome, k), fault)


# Ranks that are to become short.


def _find_job(m: Model, w: World, k: Worker) -> Iterator[Event]:  # noqa: ARG001  # all of its kind are called alike
    job = w.jobs[k.subject]
    if job is None:
        yield Event(k, "finds nothing to respread", _finished(w, k))
    else:
        yield Event(k, "finds a respread", _with(w, Worker(k.kind, k.subject, job=job), "column"))


def _plan_ranks(m: Model, w: World, k: Worker) -> Iterator[Event]:
    """All tasks but the first are those with long ranks, unless there is no gap behind the first."""
    column = w.column()
    if len(column) > 1 and column[0][1].rank < column[1][1].rank:
        low, column = column[0][1].rank, column[1:]
    else:
        low = column[0][1].rank - 1 if column else Fraction()
    gap = (column[0][1].rank - low) / (len(column) + 1) if column else Fraction()
    plan = [(number, low + gap * place, task.revision) for place, (number, task) in enumerate(column, 1)]
    k = k._replace(plan=tuple(plan if m.has(Guard.RESPREAD_ORDER) else reversed(plan)))
    yield Event(k, "reads the ranks", _with(w, k, "write" if plan else "done"))


def _respread(m: Model, w: World, k: Worker) -> Iterator[Event]:
    outcome = transactions.respread(m, w, k)
    if isinstance(outcome, str):
        yield Event(k, "finds something moved", _with(w, Worker(k.kind, k.subject), "start"))
        return
    number, _, revision = k.plan[0]
    task, fault = w.tasks[number], None
    if task is None or task.revision != revision:
        fault = "a task gets a rank, and is not the one that was read"
    elif [each for each, _ in outcome.column()] != [each for each, _ in w.column()]:
        fault = "the order changes when ranks become short"
    k = k._replace(plan=k.plan[1:], job=outcome.jobs[k.subject])
    yield Event(k, f"gives task {number} another rank", _with(outcome, k, "write" if k.plan else "done"), fault)


def _end_respread(m: Model, w: World, k: Worker) -> Iterator[Event]:  # noqa: ARG001  # all of its kind are called alike
    outcome = transactions.respread_done(w, k)
    if isinstance(outcome, str):
        yield Event(k, "finds something moved", _with(w, Worker(k.kind, k.subject), "start"))
    else:
        yield Event(k, "has respread", _finished(outcome, k))


_STEPS: dict[tuple[str, str], Callable[[Model, World, Worker], Iterator[Event]]] = {
    ("room", "start"): _find_dead,
    ("room", "purge"): _purge,
    ("room", "delete links"): _delete_links,
    ("room", "delete task"): _delete_task,
    ("room", "delete room"): _delete_room,
    ("user", "start"): _find_deleting,
    ("user", "look"): _look,
    ("user", "leave"): _leave,
    ("user", "leave to successor"): _leave_to_successor,
    ("user", "end sessions"): _end_sessions,
    ("user", "purge"): _purge,
    ("user", "delete links"): _delete_links,
    ("user", "delete task"): _delete_task,
    ("user", "find tasks"): _find_assigned,
    ("user", "unassign"): _unassign,
    ("user", "free name"): _free_name,
    ("user", "erase"): _erase,
    ("unassignment", "start"): _find_due,
    ("unassignment", "links"): _find_links,
    ("unassignment", "member"): _find_former,
    ("unassignment", "task"): _find_linked,
    ("unassignment", "unassign"): _unassign_former,
    ("unassignment", "due"): _find_due_last,
    ("unassignment", "done"): _forget_due,
    ("trash", "start"): _find_expired,
    ("trash", "purge"): _purge_expired,
    ("ranks", "start"): _find_job,
    ("ranks", "column"): _plan_ranks,
    ("ranks", "write"): _respread,
    ("ranks", "done"): _end_respread,
}
