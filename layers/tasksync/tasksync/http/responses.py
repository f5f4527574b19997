"""Responses, as handlers return them, and users, rooms and tasks as they go out, wherever they are shown."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from tasksync.http.schemas import responses as schemas
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
from tasksync.model.times import is_room_id, rfc3339, timestamp

JSON = "application/json"
PROBLEM = "application/problem+json"

# Beside the version in a tag: 8 characters in base64url.
_DIGEST_BYTES = 6

# Sent with every response. Intermediaries must not store private data; no page or script may load a response.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    # A directive without a value allows nothing, as 'none' does (CSP 3 §6.7.2). The gateway's own responses have the
    # same header, and API Gateway cannot write a quotation mark.
    "Content-Security-Policy": "default-src; frame-ancestors",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Response:
    """A status, a body, and headers in addition to ``SECURITY_HEADERS``.

    A text body is sent unchanged, and needs a Content-Type header; other bodies are sent as JSON. None: no body.
    """

    status: int
    body: Mapping[str, Any] | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def ok(body: Mapping[str, Any], version: int | None = None) -> Response:
    """Status 200, with an entity tag if there is a version."""
    return Response(200, body, _etag(body, version))


def uncompressed(response: Response) -> Response:
    """The response, excluded from compression: the gateway compresses no response that names its encoding.

    For responses that contain a secret (a token, a room code, an address) next to text of other users: the compressed
    size would show whether the text resembles the secret (BREACH, CVE-2013-3587).
    """
    return replace(response, headers={**response.headers, "Content-Encoding": "identity"})


def created(body: Mapping[str, Any], location: str, version: int | None = None) -> Response:
    """Status 201. ``location``: the path below the API's root; the root is prepended when the response is sent."""
    return Response(201, body, {"Location": location, **_etag(body, version)})


def no_content() -> Response:
    """Status 204."""
    return Response(204)


def etag(content: int | str) -> str:
    """A strong entity tag (RFC 9110 §8.8.3).

    A version alone stands for every representation of it in ``If-Match``: see ``http/entity_tags.py``.
    """
    return f'"{content}"'


def _etag(body: Mapping[str, Any], version: int | None) -> dict[str, str]:
    """The tag of a resource: its version, which preconditions of writes compare, and a digest of the response.

    The digest changes with what is shown without a new version: counts, the code for another role, fields of a later
    release.
    """
    if version is None:
        return {}
    digest_of_body = hashlib.sha256(msgspec.json.encode(body)).digest()[:_DIGEST_BYTES]
    return {"ETag": etag(f"{version}.{base64.urlsafe_b64encode(digest_of_body).decode()}")}


def digest(body: bytes) -> str:
    """What the entity tag of a body is made of that has no version, or shows less than the version counts."""
    return hashlib.sha256(body).hexdigest()[:32]


def profile(user: User) -> schemas.User:
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


def user(found: User, caller: Caller) -> schemas.VisibleUser:
    """All of oneself; to an admin, of everybody all but ``added_by``; of others the name alone."""
    if found.id == caller.user_id:
        return {**profile(found)}
    if caller.role is UserRole.ADMIN:
        whole: schemas.VisibleUser = {**profile(found)}
        del whole["added_by"]
        return whole
    return {"id": found.id, "username": found.username}


def session(found: Session, caller: Caller) -> schemas.Session:
    return {
        "id": found.id,
        "created_at": timestamp(found.created_at),
        "last_used_at": timestamp(found.last_used_at),
        "user_agent": found.user_agent,
        "ip": found.ip,
        "current": found.id == caller.session_id,
    }


def room_in_list(view: RoomView) -> schemas.RoomSummary:
    """Without ``user_ids``: they would cost one more read for each room."""
    return {
        "id": view.room.id,
        "code": view.code,
        "join_role": view.room.join_role,
        "name": view.room.name,
        "member_count": view.room.member_count,
        "tasks": None if view.tasks is None else {"open": view.tasks.open, "completed": view.tasks.completed},
        "role": view.caller.role,
        "created_by": view.room.created_by,
        "created_at": timestamp(view.room.created_at),
        "updated_at": timestamp(view.room.updated_at),
        "version": view.room.version,
    }


def room(view: RoomView) -> schemas.Room:
    return {**room_in_list(view), "user_ids": [each.user_id for each in view.members]}


def exported_room(view: RoomView) -> schemas.ExportedRoom:
    return {**room_in_list(view), "joined_at": timestamp(view.caller.joined_at)}


def former_room(former: FormerMember) -> schemas.FormerRoom:
    return {"room_id": former.room_id, "role": former.role, "left_at": timestamp(former.left_at)}


def member(found: tuple[Membership, User]) -> schemas.Member:
    membership, person = found
    return {
        "user_id": person.id,
        "username": person.username,
        "role": membership.role,
        "joined_at": timestamp(membership.joined_at),
    }


def activity(entry: ActivityEntry) -> schemas.Activity:
    """``actor_id`` is null where no user acted, ``old`` and ``new`` where there is no value."""
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


def exported_activity(entry: ActivityEntry) -> schemas.ExportedActivity:
    return {**activity(entry), "room_id": entry.owner_id if is_room_id(entry.owner_id) else None}


def task(found: Task) -> schemas.Task:
    """A task that was read whole."""
    return {**_task_without_description(found), "description": found.description}


def with_task(found: Task) -> Response:
    """Status 200."""
    return ok(task(found), found.version)


def with_new_task(found: Task) -> Response:
    """Status 201."""
    return created(task(found), f"/tasks/{found.id}", found.version)


def task_in_list(found: Task) -> schemas.TaskInList:
    """Of a long description there is only the beginning, under another name."""
    shown: schemas.TaskInList = {**_task_without_description(found)}  # type: ignore[typeddict-item]  # they come next
    if found.description_digest is None:
        shown["description"] = found.description
    else:
        shown["description_excerpt"] = found.description or ""
    return shown


def trashed_task(found: Task, expires_at: datetime) -> schemas.TrashedTask:
    """A task in the trash, which was read whole or not."""
    return {
        **task_in_list(found),
        "trashed_at": timestamp(found.trashed_at or found.updated_at),
        "trashed_by": found.trashed_by or found.updated_by,
        "expires_at": timestamp(expires_at),
    }


def _task_without_description(found: Task) -> schemas.TaskWithoutDescription:
    assignee_ids = [each.user_id for each in found.assignees]
    return {
        "id": found.id,
        "room_id": found.owner_id if is_room_id(found.owner_id) else None,
        "user_id": assignee_ids[0] if assignee_ids else None,
        "assignee_ids": assignee_ids,
        "title": found.title,
        "status": found.status,
        "priority": found.priority,
        "deadline": None if found.deadline is None else rfc3339(found.deadline),
        "created_by": found.created_by,
        "created_at": timestamp(found.created_at),
        "updated_by": found.updated_by,
        "updated_at": timestamp(found.updated_at),
        "completed_at": None if found.completed_at is None else timestamp(found.completed_at),
        "rank": found.rank,
        "version": found.version,
    }
