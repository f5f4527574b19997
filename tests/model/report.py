"""Results as text."""

from collections.abc import Iterator

from tests.model.explore import Result
from tests.model.model import Configuration
from tests.model.mutants import Mutant
from tests.model.world import NOBODY, Request, Worker, World, owner

_PEOPLE = ("Ann", "Bob", "Cat", "Dan")


def heading() -> str:
    return (
        f"{'configuration':16} {'requests':>8} {'at once':>7} {'states':>9} {'events':>9} {'depth':>5} {'seconds':>7}"
    )


def configuration_line(configuration: Configuration, result: Result) -> str:
    return (
        f"{configuration.name:16} {configuration.operations:8} {configuration.in_flight:7} {result.states:9} "
        f"{result.events:9} {result.depth:5} {result.seconds:7.1f}"
    )


def configuration_row(configuration: Configuration, result: Result) -> str:
    """The end of its row in ``docs/protocol-model.md``."""
    return (
        f"| {configuration.operations} | {configuration.in_flight} | {result.states:,} | {result.events:,} "
        f"| {result.depth} |\n"
    )


def mutant_row(mutant: Mutant, result: Result) -> str:
    """Its row in ``docs/protocol-model.md``."""
    return f"| {mutant.name} | {mutant.configuration.name} | {result.fault} | {result.depth} |\n"


def mutant_line(mutant: Mutant, result: Result) -> str:
    found = f"{result.fault} ({result.depth} events)" if result.fault else f"no fault: {mutant.fault} stands for it"
    return f"without {mutant.name:32} {mutant.configuration.name:12} {found}"


def trace_lines(result: Result) -> Iterator[str]:
    """One line for each event, with the tables after it wherever they have changed."""
    before: World | None = None
    for number, event in enumerate(result.trace, 1):
        who = event.who
        name = _request(who) if isinstance(who, Request) else _worker(who) if isinstance(who, Worker) else str(who)
        yield f"{number:3}. {name} {event.what}"
        after = event.world.tables_alone()
        if after != before:
            yield f"     {_tables(after)}"
        before = after


def _person(user: int) -> str:
    return _PEOPLE[user]


def _request(q: Request) -> str:
    words = [f"{_person(q.actor)}'s", q.operation]
    if q.target >= 0 and q.target != q.actor:
        words.append(_person(q.target))
    if q.operation in ("change role", "add"):
        words.append(f"as {q.role}")
    if q.operation == "set join role":
        words.append(f"to {q.join_role}")
    if q.operation in ("open", "join", "change code"):
        words.append(f"with code {q.code}")
    if q.key is not None:
        words.append(f"under key {q.key}")
    if q.assignees is not None:
        words.append("assigned to " + (", ".join(map(_person, q.assignees)) or "nobody"))
    if q.operation.endswith(" task") and not q.operation.startswith("create"):
        words.append(str(q.task))
    if q.operation == "move task":
        words.append("to the top" if q.after is None else f"behind {q.after}")
    if q.if_match:
        words.append("with If-Match")
    return " ".join(words)


def _worker(k: Worker) -> str:
    match k.kind:
        case "room":
            return f"the cleanup of room {k.subject}"
        case "user":
            return f"the removal of {_person(k.subject)}"
        case "trash":
            return f"the purge of task {k.subject}"
    return f"the unassignment of a former member ({k.subject})"


def _entry(user: int, join: int) -> str:
    return _person(user) if join == 0 else f"{_person(user)} as a former member"


def _tables(w: World) -> str:
    parts = []
    for number, (room, row) in enumerate(zip(w.rooms, w.members, strict=True)):
        members = ", ".join(f"{_person(user)} {member.role}" for user, member in enumerate(row) if member is not None)
        if room is not None:
            counts = f"{room.members} members, {room.admins} admins"
            parts.append(f"room {number} (code {room.code}, {counts}): {members or 'nobody'}")
        elif members:
            parts.append(f"no room {number}: {members}")
    for number, roles in enumerate(w.former):
        parts += [f"{_person(user)} left room {number}: {role}" for user, role in enumerate(roles) if role is not None]
    for code, claim in enumerate(w.claims):
        if claim is not None:
            parts.append(f"code {code} {'is' if claim >= 0 else 'was'} room {owner(claim)}'s")
    parts += _tasks(w)
    parts += [f"{_person(user)} is {status}" for user, status in enumerate(w.users) if status != "active"]
    parts += [f"key {key} has its idempotency record" for key, there in enumerate(w.records) if there]
    parts += [f"owed: {kind} {subject}" for kind, subject in sorted(w.owed)]
    return "; ".join(parts)


def _tasks(w: World) -> list[str]:
    parts = []
    for number, task in enumerate(w.tasks):
        if task is not None:
            place = f"of {_person(task.owner)}" if task.room is None else f"in room {task.room}"
            assigned = ", assigned to ".join(["", *[_entry(*entry) for entry in task.assignees]])
            trash = "" if task.trashed_at is None else ", in the trash too long" if task.expired else ", in the trash"
            ranked = f", at {task.rank}" if task.rank else ""
            parts.append(f"task {number} {place}{assigned}{trash}{ranked}")
    for number, links in enumerate(w.links):
        parts += [f"task {number} has a link to {_entry(*entry) if entry != NOBODY else 'nobody'}" for entry in links]
    for number, dues in enumerate(w.dues):
        parts += [f"{_person(user)} is to be unassigned in room {number}" for user, due in enumerate(dues) if due == 0]
    return parts
