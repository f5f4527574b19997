"""What the functions do with a client's request: read, decide, write, and decide anew when the write was stale.

As in ``tasksync/domain`` and ``http/pipeline.py``. Each step is one request to DynamoDB. A query of a
room is two: DynamoDB reads item by item, memberships first and the room last, and what it gives together need never
have been so.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from tests.model import transactions
from tests.model.guards import Guard
from tests.model.model import DONE, STALE, Event, Failure, Model
from tests.model.transactions import Outcome
from tests.model.world import PERSONAL, RANKS, FormerRole, Member, Request, Role, Room, World, version

Reading = Request | Failure
"""The request with what it has read, or why it is refused."""


def events(m: Model, w: World) -> Iterator[Event]:
    """What can happen next with the requests in flight, and with those that clients may send."""
    for place, request in enumerate(w.requests):
        if place and request == w.requests[place - 1]:
            continue
        others = w._replace(requests=w.requests[:place] + w.requests[place + 1 :])
        yield from _advance(m, others, request)
    if w.left and len(w.requests) < m.configuration.in_flight:
        sent = w._replace(left=w.left - 1)
        for request in m.configuration.menu:
            if _worth_sending(w, request):
                yield from _begin(m, sent, request)


def _worth_sending(w: World, q: Request) -> bool:
    """Whoever has no account has no token."""
    return w.users[q.actor] == ("absent" if q.operation == "register" else "active")


def _begin(m: Model, w: World, q: Request) -> Iterator[Event]:
    if q.if_match:
        q = q._replace(expected=version(w, q))
        if q.expected is None:
            return
    if q.key is not None:
        if w.records[q.key]:
            yield Event(q, "returns the stored response", w)
            return
        yield Event(q, "has no idempotency record", _with(w, q._replace(step="read")))
        return
    yield from _read(m, w, q._replace(step="read"))


def _advance(m: Model, w: World, q: Request) -> Iterator[Event]:
    match q.step:
        case "write":
            yield from _write(m, w, q)
        case "resend":
            yield from _resend(m, w, q)
        case "note":
            assert q.key is not None
            yield Event(q, "puts its idempotency record", _with_record(w, q.key))
        case "note former":
            yield Event(q, "notes how the membership ended", transactions.note_former(m, w, q))
        case "why":
            why = _WHY[q.operation](m, w, q)
            if isinstance(why, str):
                yield _refused(m, w, q, why)
            else:
                yield Event(q, "finds no reason, and tries again", _with(w, _forgetful(q, "read")))
        case "again":
            assert q.key is not None
            if w.records[q.key]:
                yield Event(q, "returns the stored response", w)
            else:
                yield _responded_with_error(w, q, "still has no idempotency record")
        case _:
            yield from _read(m, w, q)


def _read(m: Model, w: World, q: Request) -> Iterator[Event]:
    reading = _READINGS[q.operation](m, w, q)
    if reading == STALE:
        yield _not_committed(m, w, q, STALE)
    elif reading == "NothingToDo" and q.operation == "move task" and not _is_as_read(w, q):
        yield Event(q, "finds the task in its place", w, "a task is shown as it was before it was moved")
    elif isinstance(reading, str):
        yield _refused(m, w, q, reading)
    elif reading.step == "write" and _reads_nothing(q):
        yield from _write(m, w, reading)
    else:
        yield Event(q, f"reads ({q.step})", _with(w, reading))


def _write(m: Model, w: World, q: Request) -> Iterator[Event]:
    outcome = _WRITES[q.operation](m, w, q)
    if isinstance(outcome, str):
        yield _not_committed(m, w, q, outcome)
        return
    fault = _objection(m, w, q)
    if q.applied:
        fault = fault or "one request is carried out twice"
    if q.key is not None:
        if w.effects[q.key]:
            fault = fault or "I8: one idempotency key has two effects"
        outcome = outcome._replace(effects=(*w.effects[: q.key], True, *w.effects[q.key + 1 :]))
        if not m.has(Guard.IDEMPOTENCY_ATOMIC):
            yield Event(q, "commits without its idempotency record", _with(outcome, q._replace(step="note")), fault)
            return
        outcome = _with_record(outcome, q.key)
    if w.former and q.operation == "leave" and not m.has(Guard.LEAVE_NOTED_ATOMIC):
        yield Event(q, "commits without noting it", _with(outcome, q._replace(step="note former")), fault)
        return
    yield Event(q, "commits", outcome, fault)
    if m.configuration.lost_responses and not q.applied:
        resending = q._replace(step="resend", applied=True)
        yield Event(q, "commits, and the response is lost", _with(outcome, resending), fault)


def _resend(m: Model, w: World, q: Request) -> Iterator[Event]:
    if m.has(Guard.TOKEN):
        yield Event(q, "sends the transaction again, and learns that it was carried out", w)
    else:
        yield from _write(m, w, q._replace(step="write"))


def _not_committed(m: Model, w: World, q: Request, failure: Failure) -> Event:
    if failure == STALE and q.operation in _WHY and _reads_nothing(q):
        return Event(q, "is refused, and will read why", _with(w, _forgetful(q, "why")))
    if failure == STALE:
        again = _forgetful(q, "read")
        return Event(q, "is stale and will read again", _with(w, again))
    if failure == DONE:
        return Event(q, "finds its idempotency record and returns the stored response", w)
    return _refused(m, w, q, failure)


def _refused(m: Model, w: World, q: Request, failure: Failure) -> Event:
    if q.key is not None and m.has(Guard.IDEMPOTENCY_AGAIN):
        return Event(q, f"would be refused: {failure}", _with(w, _forgetful(q, "again")))
    return _responded_with_error(w, q, f"is refused: {failure}")


def _responded_with_error(w: World, q: Request, what: str) -> Event:
    fault = None
    if q.applied:
        fault = "what was carried out is answered with an error"
    elif q.key is not None and w.effects[q.key]:
        fault = "I8: one idempotency key has two responses"
    return Event(q, what, w, fault)


def _with(w: World, q: Request) -> World:
    return w._replace(requests=(*w.requests, q))


def _forgetful(q: Request, step: str) -> Request:
    """The request without what it has read, but for what must not change from one attempt to the next."""
    return q._replace(
        step=step,
        seen=None,
        mine=None,
        theirs=None,
        view=(),
        counted=0,
        seen_task=None,
        seen_rank=Fraction(),
        rank=Fraction(),
        job=None,
        column=(),
        former=None,
        last=False,
    )


def _with_record(w: World, key: int) -> World:
    return w._replace(records=(*w.records[:key], True, *w.records[key + 1 :]))


# Reading and deciding: tasksync/domain.


def _read_nothing(m: Model, w: World, q: Request) -> Reading:  # noqa: ARG001  # all of its kind are called alike
    return q._replace(step="write")


def _read_user(m: Model, w: World, q: Request) -> Reading:  # noqa: ARG001  # all of its kind are called alike
    return q._replace(step="write") if w.users[q.actor] == "active" else "NotFound"


def _read_to_join(m: Model, w: World, q: Request) -> Reading:
    if q.step == "read":
        claim = w.claims[q.code]
        if claim is None or claim < 0:
            return "UnknownCode"
        return q._replace(step="members", room=claim, target=q.actor)
    if q.step == "members":
        # How the actor left the room is read at the same time as the room: this is as early as it may be.
        former = w.former[q.room][q.actor] if w.former else None
        return q._replace(step="room", theirs=w.member(q.room, q.actor), counted=_count(w, q.room), former=former)
    room = w.rooms[q.room]
    if room is None or room.members == 0:
        return "UnknownCode"
    if m.has(Guard.READ_COMPLETE) and room.members != q.counted:
        return STALE
    if m.has(Guard.JOIN_CODE) and room.code != q.code:
        return "UnknownCode"
    if q.theirs is not None:
        return "AlreadyMember"
    role = _role_by_code(m, room, q.former)
    if role is None:
        return "UnknownCode"
    if room.members >= m.configuration.max_members:
        return "RoomFull"
    return q._replace(step="write", seen=room, role=role)


def _role_by_code(m: Model, room: Room, former: FormerRole | None) -> Role | None:
    """What joining by the code gives somebody; None: nothing."""
    role = room.join_role if m.has(Guard.JOIN_ROLE) else "member"
    if former == "removed":
        return None if m.has(Guard.JOIN_REMOVED) else role
    if role is None or former is None or not m.has(Guard.JOIN_LOWER):
        return role
    return min(role, former, key=RANKS.index)


def _read_to_add(m: Model, w: World, q: Request) -> Reading:
    if q.step == "read":
        mine, theirs = w.member(q.room, q.actor), w.member(q.room, q.target)
        return q._replace(step="room", mine=mine, theirs=theirs, counted=_count(w, q.room))
    refusal = _no_admin(m, w, q)
    if refusal:
        return refusal
    room = w.rooms[q.room]
    if q.theirs is not None:
        return "AlreadyMember"
    if room is None or room.members >= m.configuration.max_members:
        return "RoomFull"
    return q._replace(step="write", seen=room)


def _read_to_leave(m: Model, w: World, q: Request) -> Reading:
    mine, theirs = w.member(q.room, q.actor), w.member(q.room, q.target)
    if mine is None or theirs is None:
        return "NotFound"
    if q.actor != q.target and mine.role != "admin":
        return "RoleTooLow"
    if m.has(Guard.LEAVE_PINNED) and q.meant is not None and q.meant != theirs.join_id:
        return "NotFound"
    meant = theirs.join_id if q.meant is None else q.meant
    return q._replace(step="write", mine=mine, theirs=theirs, meant=meant, last=_count(w, q.room) == 1)


def _read_to_change_role(m: Model, w: World, q: Request) -> Reading:  # noqa: ARG001  # all of its kind are called alike
    mine, theirs = w.member(q.room, q.actor), w.member(q.room, q.target)
    if mine is None or theirs is None:
        return "NotFound"
    if mine.role != "admin":
        return "RoleTooLow"
    return "NothingToDo" if theirs.role == q.role else q._replace(step="write", mine=mine, theirs=theirs)


def _read_to_change_room(m: Model, w: World, q: Request) -> Reading:
    if q.step == "read":
        return q._replace(step="room", mine=w.member(q.room, q.actor), counted=_count(w, q.room))
    refusal = _no_admin(m, w, q)
    if refusal:
        return refusal
    room = w.rooms[q.room]
    assert room is not None
    asked, there = (q.code, room.code) if q.operation == "change code" else (q.join_role, room.join_role)
    return "NothingToDo" if asked == there else q._replace(step="write", seen=room)


def _read_to_close(m: Model, w: World, q: Request) -> Reading:
    if q.step == "read":
        members = enumerate(w.members[q.room])
        view = tuple((user, member) for user, member in members if member is not None)
        return q._replace(step="room", view=view, mine=w.member(q.room, q.actor), counted=len(view))
    refusal = _no_admin(m, w, q)
    return refusal or q._replace(step="write", seen=w.rooms[q.room])


def _no_admin(m: Model, w: World, q: Request) -> Failure | None:
    """Why the caller may not administer the room, by the membership read and the room that stands there now."""
    room = w.rooms[q.room]
    if room is None or room.members == 0:
        return "NotFound"
    if m.has(Guard.READ_COMPLETE) and room.members != q.counted:
        return STALE
    if q.mine is None:
        return "NotFound"
    if q.mine.role != "admin":
        return "RoleTooLow"
    return "PreconditionFailed" if q.if_match and q.expected != room.version else None


def _count(w: World, room: int) -> int:
    return sum(member is not None for member in w.members[room])


def _why_no_task(m: Model, w: World, q: Request) -> Reading:  # noqa: ARG001  # all of its kind are called alike
    mine = w.member(q.room, q.actor)
    if mine is None:
        return "NotFound"
    return "RoleTooLow" if mine.role == "viewer" else q


def _read_to_create_task(m: Model, w: World, q: Request) -> Reading:
    """Without assignees there is nothing to read."""
    refused = _why_no_task(m, w, q) if q.assignees else q
    return refused if isinstance(refused, str) else _with_named(w, q)


def _read_to_change_task(m: Model, w: World, q: Request) -> Reading:  # noqa: ARG001  # all of its kind are called alike
    refusal = _unwritable(w, q, trashed=False)
    return refusal or _with_named(w, q._replace(seen_task=w.tasks[q.task]))


def _read_to_purge_task(m: Model, w: World, q: Request) -> Reading:  # noqa: ARG001  # all of its kind are called alike
    refusal = _unwritable(w, q, trashed=True)
    return refusal or q._replace(step="write", seen_task=w.tasks[q.task])


def _read_to_restore_task(m: Model, w: World, q: Request) -> Reading:  # noqa: ARG001  # all of its kind are called alike
    """The task with the actor's membership, and then the memberships of those whom the task names."""
    if q.step == "read":
        refusal, task = _unwritable(w, q, trashed=True), w.tasks[q.task]
        step = "members" if task is not None and task.assignees and q.room != PERSONAL else "write"
        return refusal or q._replace(step=step, seen_task=task)
    assert q.seen_task is not None
    return q._replace(step="write", view=_members(w, q.room, [user for user, _ in q.seen_task.assignees]))


def _read_to_move_task(m: Model, w: World, q: Request) -> Reading:
    """The task and the one behind which it is to stand, and then the one that follows there in the list."""
    if q.step == "read":
        refusal = _unwritable(w, q, trashed=False)
        if refusal:
            return refusal
        after = None if q.after is None else w.tasks[q.after]
        if q.after is not None and (after is None or after.trashed_at is not None):
            return "NotFound"
        rank = Fraction() if after is None else after.rank
        job = w.jobs[q.room] if w.jobs else None
        return q._replace(step="column", seen_task=w.tasks[q.task], seen_rank=rank, job=job)
    column = w.column()
    following = next((number for number, task in column if q.after is None or task.rank > q.seen_rank), None)
    if following == q.task:
        there = not m.has(Guard.MOVE_THERE) or _is_as_read(w, q)
        return "NothingToDo" if there else STALE
    others = [(number, task) for number, task in column if number != q.task]
    q = q._replace(column=tuple((number, task.version) for number, task in others))
    ranks = [task.rank for _, task in others]
    if q.after is None:
        rank = ranks[0] - 1 if ranks else Fraction()
    else:
        # Between equal ones there is no room: behind all of them.
        behind = next((rank for rank in ranks if rank > q.seen_rank), None)
        rank = q.seen_rank + 1 if behind is None else (q.seen_rank + behind) / 2
    return q._replace(step="write", rank=rank)


def _is_as_read(w: World, q: Request) -> bool:
    task = w.tasks[q.task]
    return task is not None and q.seen_task is not None and task.revision == q.seen_task.revision


def _unwritable(w: World, q: Request, *, trashed: bool) -> Failure | None:
    """Why the caller may not change the task. ``trashed``: whether it is to be in the trash; what has expired is
    nowhere."""
    task = w.tasks[q.task]
    if task is None or (task.trashed_at is not None) != trashed or task.expired:
        return "NotFound"
    if q.room == PERSONAL:
        return None if task.room is None and task.owner == q.actor else "NotFound"
    mine = w.member(q.room, q.actor)
    if mine is None or task.room != q.room:
        return "NotFound"
    if mine.role == "viewer":
        return "RoleTooLow"
    return "PreconditionFailed" if q.if_match and q.expected != task.version else None


def _with_named(w: World, q: Request) -> Reading:
    """The request with the memberships of those whom it assigns, which are read at the same time."""
    view = _members(w, q.room, q.assignees or ())
    return q._replace(step="write", view=view) if len(view) == len(q.assignees or ()) else "AssigneeNotMember"


def _members(w: World, room: int, users: Iterable[int]) -> tuple[tuple[int, Member], ...]:
    return tuple((user, member) for user in users if (member := w.member(room, user)) is not None)


_READINGS: dict[str, Callable[[Model, World, Request], Reading]] = {
    "register": _read_nothing,
    "sign in": _read_user,
    "delete user": _read_nothing,
    "open": _read_user,
    "join": _read_to_join,
    "add": _read_to_add,
    "leave": _read_to_leave,
    "change role": _read_to_change_role,
    "change code": _read_to_change_room,
    "set join role": _read_to_change_room,
    "close": _read_to_close,
    "create task": _read_to_create_task,
    "create personal task": _read_user,
    "update task": _read_to_change_task,
    "move task": _read_to_move_task,
    "trash task": _read_to_change_task,
    "restore task": _read_to_restore_task,
    "purge task": _read_to_purge_task,
}

# What is written without a reading is read only when it was refused: to say why.
_WHY: dict[str, Callable[[Model, World, Request], Reading]] = {
    "create task": _why_no_task,
}


def _reads_nothing(q: Request) -> bool:
    """Whether the transaction is the first thing that is asked of DynamoDB."""
    return _READINGS[q.operation] is _read_nothing or (q.operation == "create task" and not q.assignees)


_WRITES: dict[str, Callable[[Model, World, Request], Outcome]] = {
    "register": transactions.register,
    "sign in": transactions.sign_in,
    "delete user": transactions.begin_removal,
    "open": transactions.open_room,
    "join": transactions.join,
    "add": transactions.add,
    "leave": transactions.leave,
    "change role": transactions.change_role,
    "change code": transactions.change_code,
    "set join role": transactions.set_join_role,
    "close": transactions.close,
    "create task": transactions.create_task,
    "create personal task": transactions.create_personal_task,
    "update task": transactions.update_task,
    "move task": transactions.move_task,
    "trash task": transactions.trash_task,
    "restore task": transactions.restore_task,
    "purge task": transactions.purge_task,
}


# What must be true of a commit, whatever its conditions were.


def _objection(m: Model, w: World, q: Request) -> str | None:
    if q.if_match and not q.applied and q.expected != version(w, q):
        return "a change is made although If-Match names another version"
    match q.operation:
        case "join" | "add":
            return _objection_to_entering(m, w, q) or (
                _unentitled(w, q) if q.operation == "add" else _objection_to_role(w, q)
            )
        case "leave":
            member = w.member(q.room, q.target)
            if member is not None and member.join_id != q.meant:
                return "a later membership is ended than the one that was meant"
            return _unentitled(w, q) if q.actor != q.target else None
        case "change role" | "close" | "set join role":
            return _unentitled(w, q)
        case "change code":
            return _unentitled(w, q) or _objection_to_code(w, q)
        case "open":
            return _objection_to_code(w, q)
        case "create task" | "update task" | "move task" | "trash task" | "restore task" | "purge task":
            return _objection_to_writing(m, w, q)
    return None


def _objection_to_entering(m: Model, w: World, q: Request) -> str | None:
    room = w.rooms[q.room]
    if room is None or room.members == 0:
        return "I7: somebody enters a dead room"
    if q.operation == "join" and room.code != q.code:
        return "a code opens a room that has another one"
    if room.members >= m.configuration.max_members and w.member(q.room, q.target) is None:
        return "a room has more members than it may have"
    return None


def _objection_to_role(w: World, q: Request) -> str | None:
    room = w.rooms[q.room]
    if room is None or room.join_role is None or RANKS.index(q.role) > RANKS.index(room.join_role):
        return "a code gives more than its room lets it"
    ended = w.ended[q.room][q.actor] if w.ended else None
    if ended == "removed":
        return "I16: somebody who was removed comes back by a code"
    if ended is not None and RANKS.index(q.role) > RANKS.index(ended):
        return "I16: a former member is more than before by joining again"
    return None


def _objection_to_code(w: World, q: Request) -> str | None:
    return "a code that a room has given up is given to a room" if w.given_up and w.given_up[q.code] else None


def _unentitled(w: World, q: Request) -> str | None:
    actor = w.member(q.room, q.actor)
    return None if actor is not None and actor.role == "admin" else "a room is administered by somebody who is no admin"


def _objection_to_writing(m: Model, w: World, q: Request) -> str | None:
    actor = w.member(q.room, q.actor)
    if q.room != PERSONAL and (actor is None or actor.role == "viewer"):
        return "a task is written by somebody who may not"
    if q.operation != "create task":
        task, seen = w.tasks[q.task], q.seen_task
        assert seen is not None
        if q.operation == "purge task":
            return "a task is purged that is not in the trash" if task is None or task.trashed_at is None else None
        if task is None or task.version != seen.version:
            return "I6: an acknowledged change of a task is lost"
    entries = transactions.coming_back(m, q) if q.operation == "restore task" else transactions.named(q)
    for user, join_id in () if q.room == PERSONAL else entries:
        member = w.member(q.room, user)
        if member is None:
            return "a task is assigned to somebody outside the room"
        if member.join_id != join_id:
            return "an assignment by a membership that ended is revived"
    return _objection_to_place(w, q) if q.operation == "move task" else None


def _objection_to_place(w: World, q: Request) -> str | None:
    """Behind the task that it names, and before all others that were read: but for those that were moved since."""
    low = None
    if q.after is not None:
        after = w.tasks[q.after]
        if after is None or after.trashed_at is not None or after.rank >= q.rank:
            return "a task is put behind one that does not stand before it"
        low = after.rank
    read = dict(q.column)
    between = [
        number
        for number, task in w.column()
        if (low is None or task.rank > low) and task.rank <= q.rank and read.get(number) == task.version
    ]
    return "a task is put elsewhere, and none was moved meanwhile" if between else None
