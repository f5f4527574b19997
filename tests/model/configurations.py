"""Bounds, each small enough to look at everything, and together with every feature beside those it meets."""

from fractions import Fraction

from tests.model.model import Configuration
from tests.model.world import NOBODY, PERSONAL, FormerRole, Member, Request, Role, Room, Task, UserStatus, World

ANN, BOB, CAT, DAN = range(4)


def _world(
    *members: tuple[Role | None, ...], users: int = 3, rooms: int = 1, codes: int = 2, tasks: int = 0, keys: int = 0
) -> World:
    """Rooms with the given members, by role; the rest of the rooms, codes and tasks are yet to be."""
    rows = [tuple(Member(role) if role else None for role in row) for row in members]
    present = len(rows[0]) if rows else users
    open_rooms = [
        Room(number, sum(member is not None for member in row), sum(member == Member("admin") for member in row))
        for number, row in enumerate(rows)
    ]
    unborn = rooms - len(rows)
    empty: tuple[Member | None, ...] = (None,) * present
    active: UserStatus = "active"
    return World(
        users=(active,) * present,
        names=tuple(range(present)),
        sessions=(False,) * present,
        rooms=(*open_rooms, *[None] * unborn),
        rooms_born=len(rows),
        members=(*rows, *[empty] * unborn),
        unindexed=frozenset(),
        claims=(*range(len(rows)), *[None] * (codes - len(rows))),
        tasks=(None,) * tasks,
        tasks_born=0,
        links=((),) * tasks,
        records=(False,) * keys,
        effects=(False,) * keys,
        owed=frozenset(),
    )


def _remembering(world: World) -> World:
    """The same, where rooms remember who has left them."""
    nobody: tuple[FormerRole | None, ...] = (None,) * len(world.users)
    return world._replace(former=(nobody,) * len(world.rooms), ended=(nobody,) * len(world.rooms))


def _retiring(world: World) -> World:
    """The same, where nobody gets a code that a room has given up."""
    return world._replace(given_up=(False,) * len(world.claims))


def _with_tasks(world: World, *assignees: tuple[int, ...]) -> World:
    """The same, where the first room has tasks, one behind the other."""
    entries = [tuple((user, 0) for user in users) for users in assignees]
    return world._replace(
        tasks=tuple(Task(0, ANN, each, rank=Fraction(number)) for number, each in enumerate(entries)),
        tasks_born=len(entries),
        links=tuple(each or (NOBODY,) for each in entries),
        owners=(("room", 0),) * len(entries),
    )


def _following(world: World) -> World:
    """The same, where whoever leaves is unassigned."""
    return world._replace(dues=((None,) * len(world.users),) * len(world.rooms))


def _leave(*users: int) -> tuple[Request, ...]:
    return tuple(Request("leave", user, user) for user in users)


def _join(*users: int) -> tuple[Request, ...]:
    return tuple(Request("join", user) for user in users)


MEMBERSHIP = Configuration(
    "membership",
    "joining, leaving, being removed and added, changing roles, one room that may die",
    _world(("admin", "member", None)),
    (
        *_join(ANN, BOB, CAT),
        *_leave(ANN, BOB, CAT),
        Request("leave", ANN, BOB),
        Request("leave", BOB, ANN),
        Request("add", ANN, CAT, role="admin"),
        Request("change role", ANN, BOB, role="admin"),
        Request("change role", BOB, ANN, role="member"),
        Request("change role", ANN, ANN, role="member"),
    ),
    operations=6,
    max_members=2,
)

CLOSING = Configuration(
    "closing",
    "an admin closes the room while others come, go and change roles; queries read item by item",
    _world(("admin", "member", None)),
    (
        Request("close", ANN),
        Request("close", BOB),
        Request("close", ANN, if_match=True),
        Request("change code", ANN, code=1),
        Request("change code", ANN, code=1, if_match=True),
        *_join(BOB, CAT),
        *_leave(ANN, BOB),
        Request("add", ANN, CAT, role="admin"),
        Request("change role", ANN, BOB, role="admin"),
        Request("change role", BOB, ANN, role="member"),
    ),
    operations=5,
)

CODES = Configuration(
    "codes",
    "rooms are opened, change codes and die, and their codes are used again; runs of room_cleanup overlap",
    _world(("admin", None), rooms=2, codes=3),
    (
        Request("open", BOB, code=0),
        Request("open", BOB, code=1),
        Request("join", BOB, code=0),
        Request("join", ANN, code=0),
        Request("change code", ANN, code=1),
        Request("change code", ANN, code=2),
        Request("change code", BOB, room=1, code=1),
        Request("leave", ANN, ANN),
        Request("leave", BOB, BOB, room=1),
        Request("close", ANN),
    ),
    operations=4,
    workers=2,
)

TASKS = Configuration(
    "tasks",
    "tasks are created, changed and deleted while members come, go and lose their rights, and the room dies",
    _world(("admin", "member"), tasks=2),
    (
        Request("create task", ANN, assignees=(BOB,)),
        Request("create task", BOB),
        Request("update task", BOB),
        Request("update task", ANN, assignees=(ANN, BOB)),
        Request("trash task", BOB),
        Request("trash task", ANN, if_match=True),
        Request("change role", ANN, BOB, role="viewer"),
        *_leave(ANN, BOB),
        Request("close", ANN),
    ),
    operations=5,
    workers=2,
)

REMOVAL = Configuration(
    "removal",
    "people are deleted while they and others join, lead and leave rooms; the last admin names a successor",
    _world(("admin", "member", "viewer"), (None, "admin", None), rooms=2),
    (
        Request("delete user", ANN),
        Request("delete user", BOB),
        Request("add", BOB, ANN, room=1, role="admin"),
        Request("join", ANN, code=1, room=1),
        Request("change role", ANN, BOB, role="admin"),
        *_leave(BOB, CAT),
    ),
    operations=4,
    lagging_index=True,
)

SUCCESSION = Configuration(
    "succession",
    "the last admin is deleted while roles change; runs of user_removal overlap",
    _world(("admin", "member", "viewer")),
    (
        Request("delete user", ANN),
        Request("change role", ANN, BOB, role="admin"),
        Request("change role", ANN, BOB, role="member"),
        *_leave(BOB),
    ),
    operations=5,
    in_flight=3,
    workers=2,
)

ACCOUNTS = Configuration(
    "accounts",
    "a person with tasks and sessions is deleted while others assign tasks to them, and somebody wants their name",
    _world(("admin", "member", None), rooms=2, tasks=2)._replace(
        users=("active", "active", "absent"), names=(ANN, BOB), sessions=(False, True, False)
    ),
    (
        Request("delete user", BOB),
        Request("sign in", BOB),
        Request("register", CAT),
        Request("create task", ANN, assignees=(BOB,)),
        Request("update task", ANN, assignees=(ANN,)),
        Request("update task", ANN, assignees=(ANN, BOB)),
        Request("create personal task", BOB),
        Request("open", BOB, code=1),
    ),
    operations=4,
    workers=2,
    username=(ANN, BOB, BOB),
)

RETRIES = Configuration(
    "retries",
    "clients repeat requests with idempotency keys, one after the other and at once, and responses are lost",
    _world(("admin", "member", None), rooms=2, tasks=2, keys=1),
    (
        Request("add", ANN, CAT, key=0),
        Request("join", CAT),
        Request("leave", ANN, CAT),
        *_leave(CAT),
    ),
    operations=6,
    lost_responses=True,
)

KEYS = Configuration(
    "keys",
    "the same with tasks and rooms: creations, and changes on condition of a version",
    _world(("admin", "member"), rooms=2, tasks=2, keys=3),
    (
        Request("create task", BOB, assignees=(BOB,), key=0),
        Request("update task", BOB, key=1, if_match=True),
        Request("update task", ANN, if_match=True),
        Request("trash task", ANN),
        Request("open", BOB, code=1, key=2),
        Request("create task", ANN),
        *_leave(BOB),
    ),
    operations=6,
    lost_responses=True,
)

RETURNING = Configuration(
    "returning",
    "somebody joins by the code, leaves or is removed, changes roles meanwhile, and joins again or is added",
    _remembering(_world(("admin", None))),
    (
        *_join(BOB),
        *_leave(BOB),
        Request("leave", ANN, BOB),
        Request("add", ANN, BOB),
        Request("change role", ANN, BOB, role="viewer"),
        Request("change role", ANN, BOB, role="member"),
        Request("set join role", ANN, join_role="viewer"),
        Request("set join role", ANN),
    ),
    operations=5,
    workers=0,
)

FORGETTING = Configuration(
    "forgetting",
    "people who have left rooms, or are just being removed from them, are deleted; a lagging index",
    _remembering(_world(("admin", "member"))),
    (
        Request("delete user", BOB),
        *_leave(BOB),
        Request("leave", ANN, BOB),
        *_join(BOB),
    ),
    operations=4,
    lagging_index=True,
)

RETIRED = Configuration(
    "retired",
    "the same as codes, where codes that rooms have given up stay claimed",
    _retiring(_world(("admin", None), rooms=2, codes=3)),
    (
        Request("open", BOB, code=0),
        Request("open", BOB, code=1),
        Request("join", BOB, code=0),
        Request("change code", ANN, code=1),
        Request("change code", BOB, room=1, code=0),
        Request("leave", ANN, ANN),
        Request("close", ANN),
    ),
    operations=4,
)

ASSIGNING = Configuration(
    "assigning",
    "a task is assigned to several who leave, are removed and come back, while their assignments are cleaned up",
    _following(_with_tasks(_world(("admin", "member"), codes=1, tasks=1), (BOB,))),
    (
        Request("update task", ANN),
        Request("update task", ANN, assignees=(ANN, BOB)),
        Request("update task", ANN, assignees=()),
        *_leave(BOB),
        *_join(BOB),
    ),
    operations=5,
)

TRASH = Configuration(
    "trash",
    "a task is trashed, restored and purged while its assignees come and go, its time ends and the room is closed",
    _following(_with_tasks(_world(("admin", "member"), codes=1, tasks=1), (BOB,))),
    (
        Request("trash task", ANN),
        Request("restore task", ANN),
        Request("restore task", BOB),
        Request("purge task", ANN),
        Request("update task", ANN),
        *_leave(BOB),
        *_join(BOB),
        Request("close", ANN),
    ),
    operations=4,
    expiring=True,
)

MOVING = Configuration(
    "moving",
    "tasks of one column are moved, also to the same place at once, and trashed and restored meanwhile",
    _with_tasks(_world(("admin", "member"), codes=1, tasks=3), (), (), ()),
    (
        Request("move task", ANN, task=0, after=2),
        Request("move task", BOB, task=1, after=2),
        Request("move task", BOB, task=0, after=1),
        Request("move task", ANN, task=2),
        Request("trash task", ANN, task=1),
        Request("restore task", ANN, task=1),
        Request("change role", ANN, BOB, role="viewer"),
    ),
    operations=4,
    workers=0,
)

PERSONAL_TASKS = Configuration(
    "personal",
    "a personal task is changed, trashed, restored and purged while its owner is deleted; two runs of the removal",
    _world(users=1, codes=1, tasks=1),
    (
        Request("create personal task", ANN),
        Request("update task", ANN, room=PERSONAL),
        Request("trash task", ANN, room=PERSONAL),
        Request("restore task", ANN, room=PERSONAL),
        Request("purge task", ANN, room=PERSONAL),
        Request("delete user", ANN),
    ),
    operations=5,
    workers=2,
    expiring=True,
)

RESPREADING = Configuration(
    "respreading",
    "moves make a rank long, and it becomes short while tasks are moved and trashed",
    _with_tasks(_world(("admin", "member"), codes=1, tasks=4), (), (), (), ())._replace(jobs=(None,)),
    (
        Request("move task", ANN, task=2, after=0),
        Request("move task", BOB, task=3, after=0, makes_long=True),
        Request("trash task", ANN, task=1),
    ),
    operations=4,
)

ALL = (
    *(MEMBERSHIP, CLOSING, CODES, TASKS, REMOVAL, SUCCESSION, ACCOUNTS, RETRIES, KEYS),
    *(RETURNING, FORGETTING, RETIRED, ASSIGNING, TRASH, MOVING, RESPREADING, PERSONAL_TASKS),
)
