"""The transactions of ``tasksync/dynamodb``, each one step: its conditions, then its writes.

Each takes the state and what was read before, and gives the state after it or the failure that cancelled it.
"""

from collections.abc import Iterator

from tests.model.guards import Guard
from tests.model.model import DONE, STALE, Check, Failure, Model
from tests.model.world import (
    NEXT,
    NOBODY,
    PERSONAL,
    Entry,
    Kind,
    Member,
    Request,
    Role,
    Room,
    Task,
    Worker,
    World,
    changed,
    owner,
    retired,
)

Outcome = World | Failure


def open_room(m: Model, w: World, q: Request) -> Outcome:
    failure = _failure(
        m,
        w,
        q,
        (Guard.OPEN_ACTIVE, w.users[q.actor] == "active", "NotFound"),
        (Guard.OPEN_FREE, w.claims[q.code] is None, "CodeTaken"),
        (None, w.rooms_born < len(w.rooms), "CodeTaken"),
    )
    if failure:
        return failure
    room = w.rooms_born
    w = w.with_room(room, Room(q.code, 1, 1)).with_member(room, q.actor, Member("admin")).with_claim(q.code, room)
    return _unindexed(m, w._replace(rooms_born=room + 1), room, q.actor)


def join(m: Model, w: World, q: Request) -> Outcome:
    remembered = not w.former or w.former[q.room][q.actor] == q.former
    return _enter(m, w, q, q.actor, q.role, (Guard.JOIN_FORMER, remembered, STALE))


def add(m: Model, w: World, q: Request) -> Outcome:
    outcome = _enter(m, w, q, q.target, q.role, (Guard.ADD_ACTOR, _same(w.member(q.room, q.actor), q.mine), STALE))
    if isinstance(outcome, str) or not w.former:
        return outcome
    outcome = outcome.with_ended(q.room, q.target, None)
    return outcome.with_former(q.room, q.target, None) if m.has(Guard.ADD_FORGETS) else outcome


def _enter(m: Model, w: World, q: Request, newcomer: int, role: Role, *checks: Check) -> Outcome:
    room = w.rooms[q.room]
    failure = _failure(
        m,
        w,
        q,
        *checks,
        (Guard.JOIN_ACTIVE, w.users[newcomer] == "active", "NotFound"),
        (Guard.JOIN_NEW, w.member(q.room, newcomer) is None, "AlreadyMember"),
        (Guard.JOIN_VERSION, _same_version(room, q.seen), STALE),
    )
    if failure:
        return failure
    w = w.with_member(q.room, newcomer, Member(role, NEXT))
    if m.has(Guard.JOIN_ATOMIC):
        w = w.with_room(q.room, changed(room, 1, int(role == "admin")))
    return _unindexed(m, w, q.room, newcomer)


def leave(m: Model, w: World, q: Request) -> Outcome:
    actor = w.member(q.room, q.actor)
    failure = _failure(
        m,
        w,
        q,
        (Guard.REMOVE_ACTOR, q.actor == q.target or _same(actor, q.mine), STALE),
        *_leaving(w, q.room, q.target, q.theirs, last=q.last),
    )
    if failure:
        return failure
    member, after = w.member(q.room, q.target), _left(m, w, q.room, q.target, q.theirs, last=q.last)
    if w.dues and not q.last and m.has(Guard.LEAVE_DUE):
        after = after.with_due(q.room, q.target, NEXT)
    if not w.former:
        return after
    by_oneself = q.actor == q.target
    after = after.with_ended(q.room, q.target, member.role if by_oneself and member is not None else "removed")
    return note_former(m, after, q) if m.has(Guard.LEAVE_NOTED_ATOMIC) else after


def note_former(m: Model, w: World, q: Request) -> World:
    """Part of the transaction that ends a membership, or, without a guard, a write of its own."""
    assert q.theirs is not None
    if not m.has(Guard.LEAVE_NOTED):
        return w
    removed = q.actor != q.target and m.has(Guard.REMOVE_NOTED)
    return w.with_former(q.room, q.target, "removed" if removed else q.theirs.role)


def leave_as_worker(m: Model, w: World, k: Worker) -> Outcome:
    room = k.rooms[0]
    leaving = _leaving(w, room, k.subject, k.mine, last=k.last)
    return m.failure(leaving) or _left(m, w, room, k.subject, k.mine, last=k.last)


def _leaving(w: World, number: int, user: int, seen: Member | None, *, last: bool) -> tuple[Check, ...]:
    member, room = w.member(number, user), w.rooms[number]
    is_admin = seen is not None and seen.role == "admin"
    others_lead = last or (room is not None and room.admins > 1)
    counted = room is not None and (room.members == 1 if last else room.members >= 2)
    return (
        (Guard.LEAVE_MEMBER, member is not None, STALE),
        (Guard.LEAVE_JOIN, member is None or _same_join(member, seen), STALE),
        (Guard.LEAVE_ROLE, member is None or _same_role(member, seen), STALE),
        (Guard.LEAVE_LAST, counted, STALE),
        (Guard.LEAVE_LAST_ADMIN, not is_admin or others_lead, "LastAdmin"),
    )


def _left(m: Model, w: World, number: int, user: int, seen: Member | None, *, last: bool) -> World:
    w = _without_member(w, number, user)
    if not m.has(Guard.LEAVE_ATOMIC):
        return w
    room = changed(w.rooms[number], -1, -int(seen is not None and seen.role == "admin"))
    return w.with_room(number, room._replace(marked=True) if last and m.has(Guard.LEAVE_MARKS) else room)


def leave_to(m: Model, w: World, k: Worker) -> Outcome:
    number, room = k.rooms[0], w.rooms[k.rooms[0]]
    assert k.successor is not None
    successor, seen = k.successor
    failure = m.failure(
        (
            (None, _same(w.member(number, k.subject), k.mine), STALE),
            (Guard.SUCCESSOR_MEMBER, _same(w.member(number, successor), seen), STALE),
            (None, room is not None and room.members >= 2, STALE),
            (Guard.SUCCESSION_COUNTS, room is not None and room.admins == 1, STALE),
        )
    )
    if failure:
        return failure
    w = _with_role(_without_member(w, number, k.subject), number, successor, "admin")
    return w.with_room(number, changed(room, -1))


def change_role(m: Model, w: World, q: Request) -> Outcome:
    member, room = w.member(q.room, q.target), w.rooms[q.room]
    assert q.theirs is not None
    change = (q.role == "admin") - (q.theirs.role == "admin")
    failure = _failure(
        m,
        w,
        q,
        (Guard.ROLE_ACTOR, q.actor == q.target or _same(w.member(q.room, q.actor), q.mine), STALE),
        (Guard.ROLE_MEMBER, member is not None and _same_join(member, q.theirs), STALE),
        (Guard.ROLE_BEFORE, member is None or _same_role(member, q.theirs), STALE),
        (None, room is not None and room.members >= 1, "LastAdmin"),
        (Guard.ROLE_LAST_ADMIN, change >= 0 or (room is not None and room.admins > 1), "LastAdmin"),
    )
    if failure:
        return failure
    return _with_role(w, q.room, q.target, q.role).with_room(q.room, changed(room, 0, change))


def change_code(m: Model, w: World, q: Request) -> Outcome:
    room = w.rooms[q.room]
    assert q.seen is not None
    assert q.seen.code is not None
    failure = _failure(
        m,
        w,
        q,
        (Guard.CODE_ACTOR, _same(w.member(q.room, q.actor), q.mine), STALE),
        (Guard.CODE_FREE, w.claims[q.code] is None, "CodeTaken"),
        (Guard.CODE_OWNER, owner(w.claims[q.seen.code]) == q.room, STALE),
        (Guard.CODE_VERSION, _same_version(room, q.seen), STALE),
    )
    if failure:
        return failure
    w = _given_up(w, q.seen.code, q.room, retires=m.has(Guard.CODE_RETIRED)).with_claim(q.code, q.room)
    return w.with_room(q.room, changed(room)._replace(code=q.code))


def set_join_role(m: Model, w: World, q: Request) -> Outcome:
    room = w.rooms[q.room]
    failure = _failure(
        m,
        w,
        q,
        (None, _same(w.member(q.room, q.actor), q.mine), STALE),
        (None, _same_version(room, q.seen), STALE),
    )
    return failure or w.with_room(q.room, changed(room)._replace(join_role=q.join_role))


def close(m: Model, w: World, q: Request) -> Outcome:
    room = w.rooms[q.room]
    failure = _failure(
        m,
        w,
        q,
        *((Guard.CLOSE_MEMBERS, _same(w.member(q.room, user), seen), STALE) for user, seen in q.view),
        (Guard.CLOSE_VERSION, _same_version(room, q.seen), STALE),
    )
    if failure:
        return failure
    for user, _ in q.view:
        w = _without_member(w, q.room, user)
    room = changed(room)
    return w.with_room(q.room, room._replace(members=0, admins=0, marked=m.has(Guard.CLOSE_MARKS)))


def create_task(m: Model, w: World, q: Request) -> Outcome:
    failure = _failure(
        m,
        w,
        q,
        *_writer(w, q, Guard.TASK_CREATOR),
        *_joins(w, q, named(q)),
        (None, w.tasks_born < len(w.tasks), "RoomFull"),
    )
    return failure or _with_new_task(m, w, Task(q.room, q.actor, named(q)))


def create_personal_task(m: Model, w: World, q: Request) -> Outcome:
    failure = _failure(
        m,
        w,
        q,
        (Guard.TASK_PERSONAL, w.users[q.actor] == "active", "NotFound"),
        (None, w.tasks_born < len(w.tasks), "RoomFull"),
    )
    return failure or _with_new_task(m, w, Task(None, q.actor, ((q.actor, 0),)))


def update_task(m: Model, w: World, q: Request) -> Outcome:
    failure = _failure(m, w, q, *_writer(w, q, Guard.TASK_EDITOR), *_joins(w, q, named(q)), *_same_task(w, q))
    if failure:
        return failure
    assert q.seen_task is not None
    # Like DynamoDB's, an update sets what it names: the rest is what is there. Any may change the sort keys of links.
    before, task = q.seen_task.assignees, (w.tasks[q.task] or q.seen_task)._replace(version=NEXT, revision=NEXT)
    after = before if q.assignees is None else named(q)
    w = w.with_task(q.task, task if q.assignees is None else task._replace(assignees=after))
    return _relinked(w, q.task, before, after) if m.has(Guard.TASK_LINKS) else w


def move_task(m: Model, w: World, q: Request) -> Outcome:
    after = None if q.after is None else w.tasks[q.after]
    stands = q.after is None or (after is not None and after.trashed_at is None and after.rank == q.seen_rank)
    # A move that has read no respread stores one if it needs one, and otherwise knows nothing of it.
    respreads = q.makes_long or q.job is not None
    same_step = not respreads or w.jobs[q.room] == q.job
    failure = _failure(
        m,
        w,
        q,
        *_writer(w, q, Guard.TASK_EDITOR),
        *_same_task(w, q),
        (Guard.MOVE_AFTER, stands, STALE),
        (Guard.MOVE_STEP, same_step, STALE),
    )
    if failure:
        return failure
    if respreads:
        w = w.with_job(q.room, NEXT)
    task = w.tasks[q.task] or q.seen_task
    assert task is not None
    return w.with_task(q.task, task._replace(rank=q.rank, version=NEXT, revision=NEXT))


def trash_task(m: Model, w: World, q: Request) -> Outcome:
    failure = _failure(m, w, q, *_writer(w, q, Guard.TASK_EDITOR), *_same_task(w, q))
    if failure:
        return failure
    task = w.tasks[q.task] or q.seen_task
    assert task is not None
    w = w.with_task(q.task, task._replace(trashed_at=NEXT, expired=False, version=NEXT, revision=NEXT))
    assert q.seen_task is not None
    return _relinked(w, q.task, q.seen_task.assignees, None) if m.has(Guard.TRASH_LINKS) else w


def restore_task(m: Model, w: World, q: Request) -> Outcome:
    entries = coming_back(m, q)
    failure = _failure(
        m,
        w,
        q,
        *_writer(w, q, Guard.RESTORE_WRITER),
        *_joins(w, q, entries, Guard.RESTORE_JOIN),
        *_same_task(w, q, Guard.RESTORE_REVISION),
    )
    if failure:
        return failure
    task = w.tasks[q.task] or q.seen_task
    assert task is not None
    task = task._replace(assignees=entries, trashed_at=None, expired=False, version=NEXT, revision=NEXT)
    w = w.with_task(q.task, task)
    return _relinked(w, q.task, None, entries) if m.has(Guard.RESTORE_LINKS) else w


def coming_back(m: Model, q: Request) -> tuple[Entry, ...]:
    """The assignments that a restored task has: those by memberships that have not ended."""
    assert q.seen_task is not None
    if q.room == PERSONAL:
        return q.seen_task.assignees
    members = dict(q.view)
    return tuple(
        entry
        for entry in q.seen_task.assignees
        if entry[0] in members and (members[entry[0]].join_id == entry[1] or not m.has(Guard.RESTORE_DROPS))
    )


def purge_task(m: Model, w: World, q: Request) -> Outcome:
    failure = _failure(m, w, q, *_writer(w, q, Guard.TASK_EDITOR), *_still_trashed(w, q.task, q.seen_task))
    return failure or w.with_task(q.task, None)


def purge_expired(m: Model, w: World, k: Worker) -> Outcome:
    return m.failure(_still_trashed(w, k.task, k.seen_task)) or w.with_task(k.task, None)


def respread(m: Model, w: World, k: Worker) -> Outcome:
    """The first of the tasks that are to get another rank gets it."""
    number, rank, revision = k.plan[0]
    task = w.tasks[number]
    failure = m.failure(
        (
            (Guard.RESPREAD_STEP, w.jobs[k.subject] == k.job, STALE),
            (Guard.RESPREAD_REVISION, task is not None and task.revision == revision, STALE),
        )
    )
    if failure:
        return failure
    assert task is not None
    return w.with_task(number, task._replace(rank=rank, revision=NEXT)).with_job(k.subject, NEXT)


def respread_done(w: World, k: Worker) -> Outcome:
    return w.with_job(k.subject, None) if w.jobs[k.subject] == k.job else STALE


def _still_trashed(w: World, number: int, seen: Task | None) -> tuple[Check, ...]:
    task = w.tasks[number]
    assert seen is not None
    return ((Guard.PURGE_TRASHED, task is not None and task.trashed_at == seen.trashed_at, STALE),)


def unassign(m: Model, w: World, k: Worker) -> Outcome:
    """Of a person who is deleted, or has left the room."""
    task, seen = w.tasks[k.task], k.seen_task
    assert seen is not None
    if m.has(Guard.UNASSIGN_REVISION) and (task is None or task.revision != seen.revision):
        return STALE
    user = k.subject if k.kind == "user" else divmod(k.subject, len(w.users))[1]
    entries = tuple(entry for entry in seen.assignees if entry[0] != user)
    w = w.with_task(k.task, (task or seen)._replace(assignees=entries, revision=NEXT))
    return _relinked(w, k.task, seen.assignees, entries) if m.has(Guard.UNASSIGN_LINKS) else w


def unassigned(m: Model, w: World, k: Worker) -> Outcome:
    """The end of an unassignment."""
    room, user = divmod(k.subject, len(w.users))
    return m.failure(((Guard.DUE_SAME, w.dues[room][user] == k.due, STALE),)) or w.with_due(room, user, None)


def delete_dead(m: Model, w: World, k: Worker) -> Outcome:
    room = w.rooms[k.subject]
    assert k.code is not None
    failure = m.failure(
        (
            (Guard.CLEANUP_DEAD, room is not None and room.members == 0, STALE),
            (Guard.CLEANUP_OWNER, owner(w.claims[k.code]) == k.subject, STALE),
        )
    )
    return failure or _given_up(w.with_room(k.subject, None), k.code, k.subject, retires=m.has(Guard.CLEANUP_RETIRES))


def register(m: Model, w: World, q: Request) -> Outcome:
    name = m.configuration.username[q.actor]
    failure = m.failure(
        (
            (Guard.NAME_FREE, w.names[name] is None, "UsernameTaken"),
            (None, w.users[q.actor] == "absent", STALE),
        )
    )
    return failure or w.with_user(q.actor, "active").with_name(name, q.actor)


def sign_in(m: Model, w: World, q: Request) -> Outcome:
    failure = m.failure(((Guard.LOGIN_ACTIVE, w.users[q.actor] == "active", "InvalidCredentials"),))
    return failure or w.with_session(q.actor, True)


def begin_removal(m: Model, w: World, q: Request) -> Outcome:
    if w.users[q.actor] != "active":
        return "NotFound"
    record: tuple[Kind, int] = ("user", q.actor)
    return (w.with_user(q.actor, "deleting") if m.has(Guard.REMOVAL_MARKS) else w)._replace(owed=w.owed | {record})


def free_name(m: Model, w: World, k: Worker) -> Outcome:
    name = m.configuration.username[k.subject]
    failure = m.failure(((Guard.NAME_OWNER, w.names[name] == k.subject, STALE),))
    return failure or w.with_name(name, None)


def forget(w: World, room: int, user: int) -> World:
    """A deletion without a condition."""
    return w.with_former(room, user, None).with_ended(room, user, None)


def erase(m: Model, w: World, k: Worker) -> Outcome:
    status = "deleting" if m.has(Guard.REMOVAL_MARKS) else "active"
    return w.with_user(k.subject, "gone") if w.users[k.subject] == status else STALE


def _failure(m: Model, w: World, q: Request, *checks: Check) -> Failure | None:
    """The failure that is reported: of the idempotency record, then of the first condition."""
    if q.key is None or not w.records[q.key] or not m.has(Guard.IDEMPOTENCY_NEW):
        return m.failure(checks)
    return DONE if m.has(Guard.IDEMPOTENCY_FIRST) else m.failure(checks) or DONE


def _writer(w: World, q: Request, guard: Guard) -> tuple[Check, ...]:
    if q.room == PERSONAL:
        return ()
    member = w.member(q.room, q.actor)
    return (
        (guard, member is not None, STALE),
        (Guard.TASK_ROLE, member is None or member.role != "viewer", STALE),
    )


def named(q: Request) -> tuple[Entry, ...]:
    """Those whom the request assigns, by the memberships that were read."""
    members = dict(q.view)
    return tuple((user, members[user].join_id) for user in q.assignees or ())


def _joins(w: World, q: Request, entries: tuple[Entry, ...], guard: Guard = Guard.TASK_ASSIGNEE) -> Iterator[Check]:
    """Each is in the room by the join that is noted."""
    for user, join_id in () if q.room == PERSONAL else entries:
        member = w.member(q.room, user)
        yield (guard, member is not None and member.join_id == join_id, STALE)


def _same_task(w: World, q: Request, guard: Guard = Guard.TASK_VERSION) -> tuple[Check, ...]:
    """The task is as it was read. Its revision says so; its version alone knows nothing of an unassignment."""
    task, seen = w.tasks[q.task], q.seen_task
    assert seen is not None
    return (
        (guard, task is not None and task.version == seen.version, STALE),
        (Guard.TASK_REVISION, task is None or task.version != seen.version or task.revision == seen.revision, STALE),
    )


def _with_new_task(m: Model, w: World, task: Task) -> World:
    number = w.tasks_born
    owners: tuple[tuple[Kind, int], ...] = (
        *w.owners,
        ("user", task.owner) if task.room is None else ("room", task.room),
    )
    w = w.with_task(number, task)._replace(tasks_born=number + 1, owners=owners)
    return _relinked(w, number, None, task.assignees) if m.has(Guard.TASK_LINKS) else w


def _relinked(w: World, number: int, before: tuple[Entry, ...] | None, after: tuple[Entry, ...] | None) -> World:
    """The links of those who are not assigned any more are deleted, and those of all others put. None: no links."""
    links = dict(w.links[number])
    for user, _ in () if before is None else before or (NOBODY,):
        links.pop(user, None)
    links.update(() if after is None else after or (NOBODY,))
    return w.with_links(number, tuple(sorted(links.items())))


def _given_up(w: World, code: int, room: int, *, retires: bool) -> World:
    if not w.given_up:
        return w.with_claim(code, None)
    given_up = (*w.given_up[:code], True, *w.given_up[code + 1 :])
    return w._replace(given_up=given_up).with_claim(code, retired(room) if retires else None)


def _without_member(w: World, room: int, user: int) -> World:
    w = w.with_member(room, user, None)
    return w._replace(unindexed=w.unindexed - {(room, user)}) if w.unindexed else w


def _with_role(w: World, room: int, user: int, role: str) -> World:
    """Like DynamoDB's, the update of a membership that is not there makes one."""
    member = w.member(room, user) or Member("member", NEXT)
    return w.with_member(room, user, member._replace(role=role))  # type: ignore[arg-type]  # one of the roles


def _unindexed(m: Model, w: World, room: int, user: int) -> World:
    if not m.configuration.lagging_index:
        return w
    return w._replace(unindexed=w.unindexed | {(room, user)})


def _same(member: Member | None, seen: Member | None) -> bool:
    return member is not None and member == seen


def _same_join(member: Member, seen: Member | None) -> bool:
    return seen is not None and member.join_id == seen.join_id


def _same_role(member: Member, seen: Member | None) -> bool:
    return seen is not None and member.role == seen.role


def _same_version(room: Room | None, seen: Room | None) -> bool:
    return room is not None and seen is not None and room.version == seen.version
