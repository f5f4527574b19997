"""Renders changes and pages of a copy, as far as one response can hold them."""

from typing import Any

from sync_api import response_schemas
from tasksync.domain.sync import cursor
from tasksync.domain.sync.changes import Changes, Position
from tasksync.domain.sync.pages import Piece, SyncPage
from tasksync.http import responses
from tasksync.http.pagination import cursors
from tasksync.http.pagination.response_size import SizeBudget
from tasksync.model.entities import ActivityResource, Caller
from tasksync.model.following import Following, LoggedChange, Place


def changes(found: Changes, caller: Caller, context: str) -> response_schemas.Changes:
    """Entries with what they are about: at most 4 MB, so maybe fewer than were found. ``context``: of cursors."""
    budget = SizeBudget()
    entries: list[Any] = []
    current: list[Any] = []
    gone: list[Any] = []
    shown: set[tuple[str, str]] = set()
    last = found.start
    for entry in found.entries:
        trial = budget.copy()
        parts = [trial.take(_entry(entry))]
        thing = (entry.resource, entry.resource_id)
        into = current
        if thing not in shown:
            now = _current(found, entry, caller)
            into = current if now is not None else gone
            parts.append(trial.take(now or {"type": entry.resource, "id": entry.resource_id}))
        if None in parts:
            break
        budget.become(trial)
        entries.append(parts[0])
        into += parts[1:]
        shown.add(thing)
        last = entry.seq
    return {
        "changes": entries,
        "current": current,
        "gone": gone,
        "next_cursor": cursors.seal(f"{found.epoch} {last}", context),
        "head": found.head,
        "more": last < found.head,
    }


def position(text: str | None, context: str) -> Position | None:
    """Raises ``BadCursor`` for a cursor of another log or caller."""
    if text is None:
        return None
    epoch, seq = cursors.unseal(text, context).split()
    return Position(int(epoch), int(seq))


def page(found: SyncPage, caller: Caller, before: str | None) -> response_schemas.SyncPage:
    """As many pieces as 4 MB hold, and the cursor after the last of them. ``before``: the client's cursor."""
    budget = SizeBudget()
    shown = _Shown()
    places: dict[str, Place | None] = {**found.start.places}
    more = found.more
    for piece in found.pieces:
        if not shown.add(piece, budget):
            more = True
            break
        places[piece.owner_id] = piece.place
    if before is not None and not found.pieces:
        sealed = before
    else:
        after = Following(found.start.epoch, {owner: place for owner, place in places.items() if place is not None})
        sealed = cursors.seal_bytes(cursor.encoded(after, caller.user_id), _copy_of(caller))
    return {
        "reset": found.reset,
        "reset_rooms": shown.reset_rooms,
        "rooms": shown.rooms,
        "members": shown.members,
        "labels": {},
        "tasks": shown.tasks,
        "users": shown.users,
        "gone": {"rooms": shown.gone_rooms, "tasks": shown.gone_tasks},
        "cursor": sealed,
        "more": more,
    }


def following(text: str | None, caller: Caller) -> Following | None:
    """How far the client has read, by its cursor. None: nothing. Raises ``BadCursor`` for another caller's cursor."""
    return None if text is None else cursor.decoded(cursors.unseal_bytes(text, _copy_of(caller)), caller.user_id)


def _copy_of(caller: Caller) -> str:
    """What the cursor of a copy is bound to."""
    return f"sync {caller.user_id}"


class _Shown:
    """The parts of a page. What is encoded stands as ``msgspec.Raw`` in them."""

    def __init__(self) -> None:
        self.reset_rooms: list[str] = []
        self.rooms: list[Any] = []
        self.members: dict[str, list[Any]] = {}
        self.tasks: list[Any] = []
        self.users: list[Any] = []
        self.gone_rooms: list[str] = []
        self.gone_tasks: list[str] = []

    def add(self, piece: Piece, budget: SizeBudget) -> bool:
        """False if it does not fit. Then nothing of it is added."""
        trial = budget.copy()
        room = None if piece.room is None else trial.take(responses.room(piece.room))
        members = None if piece.members is None else [trial.take(responses.member(each)) for each in piece.members]
        task = None if piece.task is None else trial.take(responses.task(piece.task))
        user = None if piece.user is None else trial.take(responses.profile(piece.user))
        trial.take([piece.owner_id, piece.gone_task_id])
        if trial.full:
            return False
        budget.become(trial)
        if piece.whole:
            self.reset_rooms.append(piece.owner_id)
        if piece.place is None:
            self.gone_rooms.append(piece.owner_id)
        if room is not None:
            self.rooms.append(room)
        if members is not None:
            self.members[piece.owner_id] = members
        if task is not None:
            self.tasks.append(task)
        if user is not None:
            self.users.append(user)
        if piece.gone_task_id is not None:
            self.gone_tasks.append(piece.gone_task_id)
        return True


def _entry(entry: LoggedChange) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "type": entry.resource,
        "id": entry.resource_id,
        "version": entry.version,
        "op": entry.action,
        "fields": entry.fields,
        "actor_id": entry.actor_id,
        "request_id": entry.request_id,
        "at": entry.at,
    }


def _current(found: Changes, entry: LoggedChange, caller: Caller) -> dict[str, Any] | None:
    """What an entry is about; None: it is not there any more."""
    things, thing_id = found.things, entry.resource_id
    match entry.resource:
        case ActivityResource.TASK:
            task = things.tasks.get(thing_id)
            return None if task is None else {"type": entry.resource, **responses.task(task)}
        case ActivityResource.ROOM:
            return None if things.room is None else {"type": entry.resource, **responses.room(things.room)}
        case ActivityResource.MEMBERSHIP:
            member = things.member(thing_id)
            return None if member is None else {"type": entry.resource, "id": thing_id, **responses.member(member)}
        case _:
            user = things.users.get(thing_id)
            return None if user is None else {"type": entry.resource, **responses.user(user, caller)}
