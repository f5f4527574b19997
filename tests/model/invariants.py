"""The invariants of the protocol: in every state, and at rest.

I6 (versions of a task form one chain), I7 (nobody enters a dead room) and I8 (one idempotency key, one effect, one
answer) are about events: ``requests.py`` and ``workers.py`` check them where the event happens.
"""

from tests.model import workers
from tests.model.guards import Guard
from tests.model.model import Model
from tests.model.world import NOBODY, Kind, Worker, World

_RUNS = 16


def broken(w: World) -> str | None:
    """What is wrong in this state, whoever is at work."""
    return (
        _broken_room(w)
        or _broken_claim(w)
        or _broken_task(w)
        or _broken_link(w)
        or _broken_user(w)
        or _broken_memory(w)
    )


def _broken_room(w: World) -> str | None:
    for room, row in zip(w.rooms, w.members, strict=True):
        roles = [member.role for member in row if member is not None]
        if room is None:
            if roles:
                return "I3: a membership of a room that is not there"
            continue
        if roles and not room.members:
            return "I3: a membership of a dead room"
        if room.members != len(roles):
            return "I1: member_count is not the number of memberships"
        if room.admins != roles.count("admin"):
            return "I2: admin_count is not the number of admins"
        if roles and not room.admins:
            return "I2: a room with members and no admin"
        if room.marked and room.members:
            return "I17: a room with members is marked as dead"
        if not room.marked and not room.members:
            return "I17: a dead room is not marked"
    return None


def _broken_claim(w: World) -> str | None:
    for number, room in enumerate(w.rooms):
        if room is not None and (room.code is None or w.claims[room.code] != number):
            return "I5: a room without the claim on its code"
    for code, claim in enumerate(w.claims):
        if claim is not None and claim >= 0:
            holder = w.rooms[claim]
            if holder is None or holder.code != code:
                return "I5: a claim on a code that its room does not have"
    return None


def _broken_task(w: World) -> str | None:
    for task in w.tasks:
        if task is not None and task.room is not None and w.rooms[task.room] is None:
            return "I4: a task of a room that is not there"
        if task is not None and task.room is None and w.users[task.owner] == "gone":
            return "I4: a task of a person who is not there"
        if task is not None and task.trashed_at is None and any(w.users[user] == "gone" for user, _ in task.assignees):
            return "I4: a task assigned to a person who is not there"
    return None


def _broken_link(w: World) -> str | None:
    for task, links, owner in zip(w.tasks, w.links, w.owners, strict=False):
        if _is_purged(w, *owner):
            continue
        if task is None:
            if links:
                return "I15: a link of a task that is not there"
        elif task.trashed_at is not None:
            if links:
                return "I15: a link of a task in the trash"
        elif links != tuple(sorted(task.assignees or (NOBODY,))):
            return "I15: the links are not the task's assignees"
    return None


def _is_purged(w: World, kind: Kind, owner: int) -> bool:
    """Whether the items of a room or person are deleted, one by one."""
    if kind == "user":
        return w.users[owner] == "deleting"
    room = w.rooms[owner]
    return room is not None and room.members == 0


def _broken_user(w: World) -> str | None:
    for user, status in enumerate(w.users):
        if status == "gone":
            if any(row[user] is not None for row in w.members):
                return "I3: a membership of a person who is not there"
            if w.sessions[user]:
                return "I5: a session of a person who is not there"
            if user in w.names:
                return "I5: a claim on a name by a person who is not there"
    active = [user for user, status in enumerate(w.users) if status == "active"]
    if any(w.names.count(user) != 1 for user in active):
        return "I5: a person without the claim on their name"
    return None


def _broken_memory(w: World) -> str | None:
    for row, members in zip(w.former, w.members, strict=True) if w.former else ():
        for user, (former, member) in enumerate(zip(row, members, strict=True)):
            if former == "removed" and member is not None:
                return "I16: a member of whom it says that they were removed"
            if former is not None and w.users[user] == "gone":
                return "I16: it says how somebody left who is not there any more"
    return None


def broken_at_rest(m: Model, w: World) -> str | None:
    """I11: what is left once everybody at work was cut off and what is owed has been run without disturbance.

    Rooms must be gone after the runs that the streams owe; everything when the sweeper has run, too, and if it has
    run alone because every record was lost. Once the runs begin, the index shows all there is.
    """
    w = w.tables_alone()._replace(unindexed=frozenset())
    streamed = _all_run(m, w)
    if any(room is not None and room.members == 0 for room in streamed.rooms):
        return "I11: a dead room is left over"
    return _left_over(_swept(m, streamed)) or _left_over(_swept(m, w))


def _swept(m: Model, w: World) -> World:
    return _all_run(m, w._replace(owed=_found_by_sweeper(w) if m.has(Guard.SWEEPER) else frozenset()))


def _found_by_sweeper(w: World) -> frozenset[tuple[Kind, int]]:
    """Whoever is to be deleted is marked by the very update that says so: that is one thing here."""
    rooms: set[tuple[Kind, int]] = {
        ("room", number) for number, room in enumerate(w.rooms) if room is not None and room.marked
    }
    users: set[tuple[Kind, int]] = {("user", number) for number, status in enumerate(w.users) if status == "deleting"}
    return frozenset({*rooms, *users, *workers.pending(w)})


def _all_run(m: Model, w: World) -> World:
    for _ in range(_RUNS):
        if not w.owed:
            break
        kind, subject = min(w.owed)
        w = workers.run(m, w, Worker(kind, subject))
    return w


def _left_over(w: World) -> str | None:
    if any(room is not None and room.members == 0 for room in w.rooms):
        return "I11: a dead room is left over"
    if "deleting" in w.users:
        return "I11: a person whose deletion was accepted is left over"
    if any(task is not None and task.expired for task in w.tasks):
        return "I11: a task whose time in the trash is over is left over"
    if any(job is not None for job in w.jobs):
        return "I11: ranks that are to become short are left over"
    if w.dues and any(join < 0 and user >= 0 for links in w.links for user, join in links):
        return "I11: an assignment by a membership that ended is left over"
    return broken(w)
