"""Renders changes, as far as one response can hold them."""

from typing import Any

from sync_api import response_schemas
from tasksync.domain.sync.changes import Changes, Position
from tasksync.http import responses
from tasksync.http.pagination import cursors
from tasksync.http.pagination.response_size import SizeBudget
from tasksync.model.entities import ActivityResource, Caller
from tasksync.model.following import LoggedChange


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


def position(cursor: str | None, context: str) -> Position | None:
    """Raises ``BadCursor`` for a cursor of another log or caller."""
    if cursor is None:
        return None
    epoch, seq = cursors.unseal(cursor, context).split()
    return Position(int(epoch), int(seq))


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
