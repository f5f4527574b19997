"""What the model's tables hold, and who is at work on them: one immutable, hashable value per state.

Users, rooms, codes, tasks and idempotency keys are numbers from 0. A version or join id is 0 where it is the current
one, and -1 in the hands of somebody whose reading of it is out of date: nothing in the protocol asks for more than
whether it still is what was read, and so all histories that differ in nothing else are one state.
"""

from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple, TypeVar

Role = Literal["admin", "member", "viewer"]
FormerRole = Role | Literal["removed"]
Kind = Literal["room", "user", "unassignment", "trash", "ranks"]
"""Of a run behind a change."""
UserStatus = Literal["absent", "active", "deleting", "gone"]

RANKS: tuple[Role, ...] = ("viewer", "member", "admin")
"""Roles from the lowest to the highest."""

_STALE = -1
_CURRENT = 0
NEXT = 1

Entry = tuple[int, int]
"""An assignment as the task's item and its link have it: the user, and the join of the membership it was made in."""

NOBODY: Entry = (-1, _CURRENT)
"""The link of a live task without assignees."""


class Room(NamedTuple):
    code: int | None
    members: int
    admins: int
    version: int = _CURRENT
    join_role: Role | None = "member"
    """What joining by the code gives; None: nobody joins by it."""
    marked: bool = False
    """Whether the sweeper finds it."""


class Member(NamedTuple):
    role: Role
    join_id: int = _CURRENT


class Task(NamedTuple):
    """A task of a room, or of the person ``owner`` where ``room`` is None. In the trash it keeps its assignees."""

    room: int | None
    owner: int
    assignees: tuple[Entry, ...] = ()
    version: int = _CURRENT
    revision: int = _CURRENT
    """Raised by every write; the version only by what people ask for."""
    trashed_at: int | None = None
    """None: the task is live."""
    expired: bool = False
    """Whether it has been in the trash for as long as it may."""
    rank: Fraction = Fraction()
    """Its place in its column: the lower rank first, and of equal ones the lower number."""


PERSONAL = -1
"""In place of the room, where a request is about a personal task of its actor."""


class Request(NamedTuple):
    """A client's request, and how far the function that carries it out has come."""

    operation: str
    actor: int
    target: int = -1
    room: int = 0
    code: int = 0
    role: Role = "member"
    """The one that is asked for; of a join the one that was decided on."""
    join_role: Role | None = None
    task: int = 0
    assignees: tuple[int, ...] | None = None
    """Those that a new task or a change names; None: the change is about something else."""
    after: int | None = None
    """Of a move: the task behind which it is to stand; None: before all others."""
    makes_long: bool = False
    """Of a move: whether the rank is so long that the room needs a respread."""
    key: int | None = None
    if_match: bool = False

    step: str = "start"
    seen: Room | None = None
    mine: Member | None = None
    theirs: Member | None = None
    view: tuple[tuple[int, Member], ...] = ()
    """The members read, where the request is about several of them."""
    counted: int = 0
    """How many memberships were read."""
    seen_task: Task | None = None
    seen_rank: Fraction = Fraction()
    """Of the task behind which the moved one is to stand."""
    rank: Fraction = Fraction()
    """The one that was made for the moved task."""
    job: int | None = None
    """Of a move: the respread as it was read, before any rank."""
    column: tuple[tuple[int, int], ...] = ()
    """The other tasks that were read in the column, with their versions."""
    expected: int | None = None
    """The version that the client's ``If-Match`` names."""
    meant: int | None = None
    """The join id that the request found first: the membership it is about."""
    former: FormerRole | None = None
    """How the actor left the room before, as it was read."""
    last: bool = False
    """Whether the membership that is to end was read as the only one of its room."""
    applied: bool = False
    """Whether an attempt has committed whose response was lost."""


class Worker(NamedTuple):
    """A run of ``room_cleanup``, ``user_removal``, an unassignment, the purge of a task in the trash or a respread:
    started by a stream record, a route or the sweeper.
    """

    kind: Kind
    subject: int
    """The room, the user, ``member_number`` of a former member, or the task."""
    step: str = "start"
    rooms: tuple[int, ...] = ()
    code: int | None = None
    mine: Member | None = None
    successor: tuple[int, Member] | None = None
    last: bool = False
    """As of a request."""
    task: int = 0
    seen_task: Task | None = None
    due: int | None = None
    """The pending unassignment as it was read."""
    links: tuple[int, ...] = ()
    """The tasks to which a former member was read to have links."""
    job: int | None = None
    """The respread as it was read."""
    plan: tuple[tuple[int, Fraction, int], ...] = ()
    """The tasks that are to get another rank, with that rank and the revision that was read."""
    settled: bool = True
    """Whether the index had caught up with the user's joins when the run began."""


class World(NamedTuple):
    users: tuple[UserStatus, ...]
    names: tuple[int | None, ...]
    """By name: the user who has the claim on it."""
    sessions: tuple[bool, ...]
    rooms: tuple[Room | None, ...]
    rooms_born: int
    members: tuple[tuple[Member | None, ...], ...]
    """By room and user."""
    unindexed: frozenset[tuple[int, int]]
    """The memberships, by room and user, that the index by user does not show yet."""
    claims: tuple[int | None, ...]
    """By code: the room that has the claim on it; ``retired`` of it, once the room has given the code up."""
    tasks: tuple[Task | None, ...]
    tasks_born: int
    records: tuple[bool, ...]
    effects: tuple[bool, ...]
    """By key: whether a request with it has been carried out. Nobody reads it but the invariants."""
    owed: frozenset[tuple[Kind, int]]
    """The stream records, by table and subject, for which no run has come to its end."""
    requests: tuple[Request, ...] = ()
    workers: tuple[Worker, ...] = ()
    left: int = 0
    """How many requests clients may still send."""
    former: tuple[tuple[FormerRole | None, ...], ...] = ()
    """By room and user: how a membership ended. Empty in configurations where nobody is remembered."""
    ended: tuple[tuple[FormerRole | None, ...], ...] = ()
    """The same as it really was. Nobody reads it but the invariants."""
    given_up: tuple[bool, ...] = ()
    """By code: whether a room has given it up. Nobody reads it but the invariants. Empty in configurations where codes
    are free again at once."""
    links: tuple[tuple[Entry, ...], ...] = ()
    """By task: its links."""
    owners: tuple[tuple[Kind, int], ...] = ()
    """By task that there is or was: the room or person in whose partition its items are."""
    dues: tuple[tuple[int | None, ...], ...] = ()
    """By room and user: the pending unassignment of somebody who has left. Empty in configurations where nobody is
    unassigned."""
    jobs: tuple[int | None, ...] = ()
    """By room: the respread of its ranks. Empty in configurations where ranks never get long."""

    def member(self, room: int, user: int) -> Member | None:
        return self.members[room][user]

    def column(self) -> list[tuple[int, Task]]:
        """The live tasks in the manual order."""
        live = [(n, task) for n, task in enumerate(self.tasks) if task is not None and task.trashed_at is None]
        return sorted(live, key=lambda each: (each[1].rank, each[0]))

    def with_user(self, user: int, status: UserStatus) -> "World":
        return self._replace(users=_put(self.users, user, status))

    def with_name(self, name: int, owner: int | None) -> "World":
        return self._replace(names=_put(self.names, name, owner))

    def with_session(self, user: int, is_open: bool) -> "World":
        return self._replace(sessions=_put(self.sessions, user, is_open))

    def with_member(self, room: int, user: int, member: Member | None) -> "World":
        return self._replace(members=_put(self.members, room, _put(self.members[room], user, member)))

    def with_room(self, number: int, room: Room | None) -> "World":
        """An update that leaves no members puts a record on the stream."""
        owed = self.owed
        if room is not None and room.members == 0:
            owed = owed | {("room", number)}
        return self._replace(rooms=_put(self.rooms, number, room), owed=owed)

    def with_former(self, room: int, user: int, role: FormerRole | None) -> "World":
        return self._replace(former=_put(self.former, room, _put(self.former[room], user, role)))

    def with_ended(self, room: int, user: int, role: FormerRole | None) -> "World":
        return self._replace(ended=_put(self.ended, room, _put(self.ended[room], user, role)))

    def with_claim(self, code: int, room: int | None) -> "World":
        return self._replace(claims=_put(self.claims, code, room))

    def with_task(self, number: int, task: Task | None) -> "World":
        return self._replace(tasks=_put(self.tasks, number, task))

    def with_links(self, number: int, entries: tuple[Entry, ...]) -> "World":
        return self._replace(links=_put(self.links, number, entries))

    def with_due(self, room: int, user: int, due: int | None) -> "World":
        return self._replace(dues=_put(self.dues, room, _put(self.dues[room], user, due)))

    def with_job(self, room: int, job: int | None) -> "World":
        return self._replace(jobs=_put(self.jobs, room, job))

    def tables_alone(self) -> "World":
        """The same tables and stream with nobody at work."""
        return self._replace(requests=(), workers=(), left=0)


Who = TypeVar("Who", Request, Worker)


def _put(values: tuple, index: int, value: object) -> tuple:  # type: ignore[type-arg]  # of any fields
    return (*values[:index], value, *values[index + 1 :])


def changed(room: Room | None, members: int = 0, admins: int = 0) -> Room:
    """The room after an update; like DynamoDB's, the update of a room that is not there makes one."""
    room = room or Room(None, 0, 0)
    return room._replace(members=room.members + members, admins=room.admins + admins, version=NEXT)


def retired(room: int) -> int:
    """The claim of a room on a code that it has given up."""
    return ~room


def owner(claim: int | None) -> int | None:
    """The room that has a claim, or had it before it was retired."""
    return claim if claim is None or claim >= 0 else ~claim


def member_number(world: World, room: int, user: int) -> int:
    """A number for somebody in a room; ``divmod`` by the number of users has the two again."""
    return room * len(world.users) + user


def settled(world: World, before: World) -> World:
    """The state with every version current or stale, and all who are at work in one order.

    ``before``: the settled state that the event led from. What stands there untouched need not be looked at again.
    """
    found = _settled(world, before)
    return _ranked(found) if found.jobs else found


def _settled(world: World, before: World) -> World:
    if (
        world.rooms is before.rooms
        and world.members is before.members
        and world.tasks is before.tasks
        and world.dues is before.dues
        and world.jobs is before.jobs
    ):
        return world._replace(
            requests=_ordered(world.requests, before.requests), workers=_ordered(world.workers, before.workers)
        )
    requests = tuple(sorted([_judged(request, world) for request in world.requests], key=_order))
    workers = tuple(sorted([_judged_worker(worker, world) for worker in world.workers], key=_order))
    return world._replace(
        rooms=tuple(
            room._replace(version=_CURRENT) if room is not None and room.version else room for room in world.rooms
        ),
        members=tuple(
            tuple(
                member._replace(join_id=_CURRENT) if member is not None and member.join_id else member for member in row
            )
            for row in world.members
        ),
        tasks=tuple(None if task is None else _as_new(task, world) for task in world.tasks),
        links=tuple(
            links if task is None or not links else _as_entries(links, task.room, world)
            for task, links in zip(world.tasks, world.links, strict=True)
        ),
        dues=tuple(tuple(None if due is None else _CURRENT for due in row) for row in world.dues),
        jobs=tuple(None if job is None else _CURRENT for job in world.jobs),
        requests=requests,
        workers=workers,
    )


def _ranked(world: World) -> World:
    """The state with whole numbers for ranks, in the same order: nothing depends on how far they are apart."""
    ranks = {task.rank for task in world.tasks if task is not None}
    ranks |= {rank for worker in world.workers for _, rank, _ in worker.plan}
    for request in world.requests:
        ranks |= {request.rank, request.seen_rank} | ({request.seen_task.rank} if request.seen_task else set())
    as_number = {rank: Fraction(number) for number, rank in enumerate(sorted(ranks))}
    return world._replace(
        tasks=tuple(task and task._replace(rank=as_number[task.rank]) for task in world.tasks),
        workers=tuple(
            worker._replace(plan=tuple((task, as_number[rank], seen) for task, rank, seen in worker.plan))
            for worker in world.workers
        ),
        requests=tuple(
            request._replace(
                rank=as_number[request.rank],
                seen_rank=as_number[request.seen_rank],
                seen_task=request.seen_task and request.seen_task._replace(rank=as_number[request.seen_task.rank]),
            )
            for request in world.requests
        ),
    )


def _ordered(those: tuple[Who, ...], before: tuple[Who, ...]) -> tuple[Who, ...]:
    return those if those is before or len(those) < 2 else tuple(sorted(those, key=_order))


@cache
def _order(who: Request | Worker) -> str:
    """Any order will do that is the same in every run; tuples with None in them have none of their own."""
    return repr(who)


def version(world: World, request: Request) -> int | None:
    """The version now of what the request is about: a task, or else the room."""
    subject = world.tasks[request.task] if request.operation.endswith("task") else world.rooms[request.room]
    return None if subject is None else subject.version


def _judged(request: Request, world: World) -> Request:
    if request.step == "start":
        return request
    room, target = request.room, request.target
    task = world.tasks[request.task] if world.tasks else None
    if room == PERSONAL:
        return request._replace(
            seen_task=_as_task(request.seen_task, task, world),
            expected=_as_number(request.expected, version(world, request)),
        )
    theirs = world.member(room, target)
    return request._replace(
        seen=_as_room(request.seen, world.rooms[room]),
        mine=_as_member(request.mine, world.member(room, request.actor)),
        theirs=_as_member(request.theirs, theirs),
        view=tuple(
            (user, member) for user, seen in request.view if (member := _as_member(seen, world.member(room, user)))
        ),
        seen_task=_as_task(request.seen_task, task, world),
        expected=_as_number(request.expected, version(world, request)),
        meant=_as_number(request.meant, theirs.join_id if theirs else None),
        job=_as_number(request.job, world.jobs[room]) if world.jobs else None,
        column=tuple(
            (number, _CURRENT)
            for number, seen in request.column
            if (other := world.tasks[number]) is not None and other.version == seen
        ),
    )


def _judged_worker(worker: Worker, world: World) -> Worker:
    if worker.kind == "user":
        successor = worker.successor
        room = worker.rooms[0] if worker.rooms else None
        mine = _as_member(worker.mine, world.member(room, worker.subject)) if room is not None else None
        if successor is not None and room is not None:
            user, seen = successor
            member = _as_member(seen, world.member(room, user))
            successor = (user, member) if member else None
        return worker._replace(mine=mine, successor=successor, seen_task=_seen_task(worker, world))
    if worker.kind == "trash":
        return worker._replace(seen_task=_seen_task(worker, world))
    if worker.kind == "ranks":
        plan = tuple((number, rank, _as_revision(seen, world.tasks[number])) for number, rank, seen in worker.plan)
        return worker._replace(job=_as_number(worker.job, world.jobs[worker.subject]), plan=plan)
    if worker.kind == "unassignment":
        room, user = divmod(worker.subject, len(world.users))
        member = world.member(room, user)
        return worker._replace(
            mine=_as_member(worker.mine, member),
            seen_task=_seen_task(worker, world),
            due=_as_number(worker.due, world.dues[room][user]),
        )
    return worker


def _seen_task(worker: Worker, world: World) -> Task | None:
    return _as_task(worker.seen_task, world.tasks[worker.task] if world.tasks else None, world)


def _as_revision(seen: int, task: Task | None) -> int:
    return _CURRENT if task is not None and task.revision == seen else _STALE


def _as_number(seen: int | None, current: int | None) -> int | None:
    if seen is None:
        return None
    return _CURRENT if seen == current else _STALE


def _as_room(seen: Room | None, room: Room | None) -> Room | None:
    if seen is None:
        return None
    return seen._replace(version=_CURRENT if room is not None and seen.version == room.version else _STALE)


def _as_member(seen: Member | None, member: Member | None) -> Member | None:
    if seen is None:
        return None
    return seen._replace(join_id=_CURRENT if member is not None and seen.join_id == member.join_id else _STALE)


def _as_new(task: Task, world: World) -> Task:
    return task._replace(
        assignees=_as_entries(task.assignees, task.room, world),
        version=_CURRENT,
        revision=_CURRENT,
        trashed_at=None if task.trashed_at is None else _CURRENT,
    )


def _as_task(seen: Task | None, task: Task | None, world: World) -> Task | None:
    if seen is None:
        return None
    return seen._replace(
        assignees=_as_entries(seen.assignees, seen.room, world),
        version=_CURRENT if task is not None and seen.version == task.version else _STALE,
        revision=_CURRENT if task is not None and seen.revision == task.revision else _STALE,
        trashed_at=_as_number(seen.trashed_at, None if task is None else task.trashed_at),
    )


def _as_entries(entries: tuple[Entry, ...], room: int | None, world: World) -> tuple[Entry, ...]:
    if room is None:
        return entries
    row = world.members[room]
    return tuple(entry if entry == NOBODY else (entry[0], _as_join(entry[1], row[entry[0]])) for entry in entries)


def _as_join(join: int, member: Member | None) -> int:
    return _CURRENT if member is not None and join == member.join_id else _STALE
