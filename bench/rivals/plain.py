"""The tasks and rooms of TaskSync as one writes them with Chalice and PynamoDB alone.

The same tables, items, answers and rights: the membership is looked up, then what is asked for. No limits, no log
lines, no idempotency, no schemas, no conditions beyond the membership. The authorizer verifies the token and reads
nothing; on AWS it is a function of its own, and Chalice's local server calls it at each request.
"""

import functools
import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any

import jwt
from chalice.app import AuthRequest, AuthResponse, BadRequestError, Chalice, NotFoundError, Request, Response
from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.connection import Connection
from pynamodb.indexes import AllProjection, LocalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

app = Chalice(app_name="plain")
connection = Connection(region=os.environ["AWS_REGION"])


class RoomByCreated(LocalSecondaryIndex["Task"]):
    class Meta:
        index_name = "room_by_created"
        projection = AllProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    by_created = UnicodeAttribute(range_key=True)


class Task(Model):
    class Meta:
        table_name = os.environ["TASKS_TABLE"]
        region = os.environ["AWS_REGION"]

    owner_id = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    by_created = UnicodeAttribute()
    by_deadline = UnicodeAttribute()
    by_status = UnicodeAttribute()
    by_status_deadline = UnicodeAttribute()
    by_rank = UnicodeAttribute()
    assignees = ListAttribute(of=UnicodeAttribute, null=True)
    title = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    status = UnicodeAttribute(default="pending")
    priority = UnicodeAttribute(default="medium")
    deadline = UnicodeAttribute(null=True)
    rank = UnicodeAttribute()
    created_by = UnicodeAttribute()
    created_at = UnicodeAttribute()
    updated_by = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    completed_at = UnicodeAttribute(null=True)
    version = NumberAttribute(default=1)
    revision = NumberAttribute(default=1)
    stamp = UnicodeAttribute(null=True)
    room_by_created = RoomByCreated()

    def to_response(self) -> dict[str, Any]:
        assignee_ids = [str(assignee).partition(" ")[0] for assignee in self.assignees or ()]
        return {
            "id": self.item,
            "room_id": self.owner_id,
            "user_id": assignee_ids[0] if assignee_ids else None,
            "assignee_ids": assignee_ids,
            "title": self.title,
            "description": self.description,
            "status": self.status,
            "priority": self.priority,
            "deadline": self.deadline,
            "created_by": self.created_by,
            "created_at": self.created_at,
            "updated_by": self.updated_by,
            "updated_at": self.updated_at,
            "completed_at": self.completed_at,
            "version": int(self.version),
        }


class Assignment(Model):
    """A task in the list of a person."""

    class Meta:
        table_name = os.environ["TASKS_TABLE"]
        region = os.environ["AWS_REGION"]

    owner_id = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    by_created = UnicodeAttribute()
    by_deadline = UnicodeAttribute()
    person_id = UnicodeAttribute()
    assignee_id = UnicodeAttribute()
    join_id = UnicodeAttribute(null=True)


class RoomItem(Model):
    """A room, or a membership of it."""

    class Meta:
        table_name = os.environ["ROOMS_TABLE"]
        region = os.environ["AWS_REGION"]

    room_id = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    code = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    member_count = NumberAttribute(null=True)
    admin_count = NumberAttribute(null=True)
    created_by = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    member_ids = UnicodeSetAttribute(null=True)
    stamp = UnicodeAttribute(null=True)
    user_id = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    join_id = UnicodeAttribute(null=True)
    joined_at = UnicodeAttribute(null=True)


def _request() -> Request:
    assert app.current_request is not None
    return app.current_request


def _caller() -> str:
    return str(_request().context["authorizer"]["user_id"])


def _membership(room_id: str) -> RoomItem:
    try:
        return RoomItem.get(room_id, f"MEMBER#{_caller()}", consistent_read=True)
    except RoomItem.DoesNotExist:
        raise NotFoundError("no such room") from None


@functools.cache
def _public_key() -> jwt.PyJWK:
    return jwt.PyJWK(json.loads(os.environ["TOKEN_KEY"]))


@app.authorizer()
def signed_in(request: AuthRequest) -> AuthResponse:
    token = request.token.removeprefix("Bearer ")
    try:
        claims = jwt.decode(token, _public_key(), algorithms=["ES256"], audience="tasksync-api")
    except jwt.InvalidTokenError:
        return AuthResponse(routes=[], principal_id="")
    return AuthResponse(routes=["*"], principal_id=claims["sub"], context={"user_id": claims["sub"]})


@app.route("/tasks/{task_id}", methods=["GET"], authorizer=signed_in)
def get_task(task_id: str) -> dict[str, Any]:
    room_id = task_id.partition(".")[0]
    _membership(room_id)
    try:
        return Task.get(room_id, task_id, consistent_read=True).to_response()
    except Task.DoesNotExist:
        raise NotFoundError("no such task") from None


@app.route("/rooms/{room_id}/tasks", methods=["GET"], authorizer=signed_in)
def list_tasks(room_id: str) -> dict[str, Any]:
    _membership(room_id)
    found = Task.room_by_created.query(room_id, Task.by_created.startswith("T#"), consistent_read=True, limit=50)
    items = [task.to_response() for task in found]
    return {"items": items, "next_cursor": found.last_evaluated_key}


@app.route("/tasks", methods=["POST"], authorizer=signed_in)
def create_task() -> Response:
    body = _request().json_body or {}
    if not body.get("title") or not body.get("room_id"):
        raise BadRequestError("title and room_id are required")
    caller, now = _caller(), datetime.now(UTC).isoformat()
    membership = _membership(body["room_id"])
    own, deadline = uuid.uuid4().hex, body.get("deadline")
    task = Task(
        body["room_id"],
        f"{body['room_id']}.{own}",
        by_created=f"T#{own}",
        by_deadline=f"T#{deadline}#{own}",
        by_status=f"T#12#{own}",
        by_status_deadline=f"T#12#{deadline}#{own}",
        by_rank=f"T#1#{own}#{own}",
        assignees=[f"{caller} {membership.join_id}"],
        title=body["title"],
        description=body.get("description"),
        deadline=deadline,
        rank=own,
        created_by=caller,
        created_at=now,
        updated_by=caller,
        updated_at=now,
    )
    assignment = Assignment(
        task.owner_id,
        f"A#{caller}#{task.item}",
        by_created=f"A#{caller}#12#{own}",
        by_deadline=f"A#{caller}#12#{deadline}#{own}",
        person_id=caller,
        assignee_id=caller,
        join_id=membership.join_id,
    )
    with TransactWrite(connection=connection) as transaction:
        transaction.condition_check(
            RoomItem, membership.room_id, membership.item, condition=RoomItem.join_id == membership.join_id
        )
        transaction.save(task, condition=Task.item.does_not_exist())
        transaction.save(assignment)
    return Response(task.to_response(), status_code=201)


@app.route("/rooms/{room_id}", methods=["GET"], authorizer=signed_in)
def get_room(room_id: str) -> dict[str, Any]:
    items = list(RoomItem.query(room_id, consistent_read=True))
    members = sorted((item for item in items if item.kind == "membership"), key=lambda item: item.joined_at)
    caller = next((member for member in members if member.user_id == _caller()), None)
    room = next((item for item in items if item.kind == "room"), None)
    if room is None or caller is None:
        raise NotFoundError("no such room")
    return {
        "id": room.room_id,
        "code": room.code,
        "name": room.name,
        "member_count": int(room.member_count),
        "role": caller.role,
        "created_by": room.created_by,
        "created_at": room.created_at,
        "updated_at": room.updated_at,
        "version": int(room.version),
        "user_ids": [member.user_id for member in members],
    }
