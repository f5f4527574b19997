"""Users, rooms and tasks as they go out, wherever they are shown."""

import hashlib
from datetime import datetime

from tasksync.http.schemas import responses
from tasksync.model.entities import (
    ActivityEntry,
    Caller,
    FormerMember,
    Membership,
    RoomView,
    Session,
    Task,
    User,
    UserRole,
)
from tasksync.model.ids import is_room_id
from tasksync.runtime.clock import rfc3339, timestamp


def digest(body: bytes) -> str:
    """What the entity tag of a body is made of that has no version, or shows less than the version counts."""
    return hashlib.sha256(body).hexdigest()[:32]


def profile(user: User) -> responses.User:
    """A user as they see themselves."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "role": user.role,
        "created_at": timestamp(user.created_at),
        "updated_at": timestamp(user.updated_at),
        "version": user.version,
        "added_by": user.added_by,
    }


def user(found: User, caller: Caller) -> responses.VisibleUser:
    """All of oneself; to an admin, of everybody all but ``added_by``; of others the name alone."""
    if found.id == caller.user_id:
        return {**profile(found)}
    if caller.role is UserRole.ADMIN:
        whole: responses.VisibleUser = {**profile(found)}
        del whole["added_by"]
        return whole
    return {"id": found.id, "username": found.username}


def session(found: Session, caller: Caller) -> responses.Session:
    return {
        "id": found.id,
        "created_at": timestamp(found.created_at),
        "last_used_at": timestamp(found.last_used_at),
        "user_agent": found.user_agent,
        "ip": found.ip,
        "current": found.id == caller.session_id,
    }


def room_in_list(view: RoomView) -> responses.RoomSummary:
    """Without ``user_ids``: they would cost one more read for each room."""
    return {
        "id": view.room.id,
        "code": view.code,
        "join_role": view.room.join_role,
        "name": view.room.name,
        "member_count": view.room.member_count,
        "role": view.caller.role,
        "created_by": view.room.created_by,
        "created_at": timestamp(view.room.created_at),
        "updated_at": timestamp(view.room.updated_at),
        "version": view.room.version,
    }


def room(view: RoomView) -> responses.Room:
    return {**room_in_list(view), "user_ids": [each.user_id for each in view.members]}


def exported_room(view: RoomView) -> responses.ExportedRoom:
    return {**room_in_list(view), "joined_at": timestamp(view.caller.joined_at)}


def former_room(former: FormerMember) -> responses.FormerRoom:
    return {"room_id": former.room_id, "role": former.role, "left_at": timestamp(former.left_at)}


def member(found: tuple[Membership, User]) -> responses.Member:
    membership, person = found
    return {
        "user_id": person.id,
        "username": person.username,
        "role": membership.role,
        "joined_at": timestamp(membership.joined_at),
    }


def activity(entry: ActivityEntry) -> responses.Activity:
    """``actor_id`` is null where the service acted by itself, ``old`` and ``new`` where there is no value."""
    return {
        "id": entry.id,
        "seq": entry.seq,
        "at": timestamp(entry.at),
        "actor_id": entry.actor_id,
        "action": entry.action,
        "resource": entry.resource,
        "resource_id": entry.resource_id,
        "changes": {name: {"old": old, "new": new} for name, (old, new) in entry.changes.items()},
        "request_id": entry.request_id,
        "version": entry.version,
        "revision": entry.revision,
    }


def exported_activity(entry: ActivityEntry) -> responses.ExportedActivity:
    return {**activity(entry), "room_id": entry.owner_id}


def task(found: Task) -> responses.Task:
    """A task that was read whole."""
    return {**_task_without_description(found), "description": found.description}


def task_in_list(found: Task) -> responses.TaskInList:
    """Of a long description there is only the beginning, under another name."""
    shown: responses.TaskInList = {**_task_without_description(found)}  # type: ignore[typeddict-item]  # they come next
    if found.description_digest is None:
        shown["description"] = found.description
    else:
        shown["description_excerpt"] = found.description or ""
    return shown


def trashed_task(found: Task, expires_at: datetime) -> responses.TrashedTask:
    """A task in the trash, which was read whole or not."""
    return {
        **task_in_list(found),
        "trashed_at": timestamp(found.trashed_at or found.updated_at),
        "trashed_by": found.trashed_by or found.updated_by,
        "expires_at": timestamp(expires_at),
    }


def _task_without_description(found: Task) -> responses.TaskWithoutDescription:
    return {
        "id": found.id,
        "room_id": found.owner_id if is_room_id(found.owner_id) else None,
        "user_id": found.user_id,
        "assignee_ids": [*found.assignee_ids],
        "title": found.title,
        "status": found.status,
        "priority": found.priority,
        "deadline": None if found.deadline is None else rfc3339(found.deadline),
        "created_by": found.created_by,
        "created_at": timestamp(found.created_at),
        "updated_by": found.updated_by,
        "updated_at": timestamp(found.updated_at),
        "completed_at": None if found.completed_at is None else timestamp(found.completed_at),
        "version": found.version,
    }
