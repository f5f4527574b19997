"""Items are stored under the names and in the forms that they always had: what is stored can be read for ever."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from tasksync.dynamodb.core.mapper import NUMBER, TEXT, Attribute, Mapper
from tasksync.dynamodb.rooms.items import MembershipItem, RoomItem
from tasksync.dynamodb.rooms.mapper import MEMBERSHIP, ROOM
from tasksync.dynamodb.tasks.items import task_item
from tasksync.dynamodb.tasks.mapper import TASK, audited
from tasksync.model.entities import Assignment, JoinRole, Membership, Origin, Priority, Room, RoomRole, Task, TaskStatus

AT = datetime(2026, 11, 29, 3, 15, 0, 120_000, tzinfo=UTC)
STORED_AT = {"S": "2026-11-29T03:15:00.120Z"}

TASK_ID = "room_1.00000000000000000000000000000000"
EMPTY_TASK = Task(
    id=TASK_ID,
    owner_id="room_1",
    assignees=(),
    title="Paint",
    description=None,
    status=TaskStatus.PENDING,
    priority=Priority.LOW,
    deadline=None,
    created_by="usr_1",
    created_at=AT,
    updated_by="usr_2",
    updated_at=AT,
    completed_at=None,
    version=3,
    revision=5,
    rank="h0Vn3xW2a",
)
FULL_TASK = replace(
    EMPTY_TASK,
    assignees=(Assignment("usr_3", "join_1"), Assignment("usr_4")),
    description="The door",
    status=TaskStatus.COMPLETED,
    deadline=AT,
    completed_at=AT,
)
STORED_TASK: dict[str, dict[str, Any]] = {
    "owner_id": {"S": "room_1"},
    "item": {"S": TASK_ID},
    "title": {"S": "Paint"},
    "status": {"S": "pending"},
    "priority": {"S": "low"},
    "created_by": {"S": "usr_1"},
    "created_at": STORED_AT,
    "updated_by": {"S": "usr_2"},
    "updated_at": STORED_AT,
    "version": {"N": "3"},
    "revision": {"N": "5"},
    "rank": {"S": "h0Vn3xW2a"},
}
STORED_FULL_TASK: dict[str, dict[str, Any]] = STORED_TASK | {
    "assignees": {"L": [{"S": "usr_3 join_1"}, {"S": "usr_4"}]},
    "description": {"S": "The door"},
    "status": {"S": "completed"},
    "deadline": {"S": "2026-11-29T03:15:00.120000Z"},
    "completed_at": STORED_AT,
}

EMPTY_ROOM = Room("room_1", "GARDEN", None, None, 0, 0, "usr_1", AT, AT, 4, frozenset())
FULL_ROOM = replace(EMPTY_ROOM, join_role=JoinRole.VIEWER, name="Kitchen", member_count=1, member_ids={"usr_1"})
STORED_ROOM = {
    "room_id": {"S": "room_1"},
    "item": {"S": "ROOM"},
    "kind": {"S": "room"},
    "code": {"S": "GARDEN"},
    "join_role": {"S": "none"},
    "member_count": {"N": "0"},
    "admin_count": {"N": "0"},
    "created_by": {"S": "usr_1"},
    "created_at": STORED_AT,
    "updated_at": STORED_AT,
    "version": {"N": "4"},
}
STORED_FULL_ROOM = STORED_ROOM | {
    "join_role": {"S": "viewer"},
    "name": {"S": "Kitchen"},
    "member_count": {"N": "1"},
    "member_ids": {"SS": ["usr_1"]},
}

MEMBER = Membership("room_1", "usr_1", RoomRole.ADMIN, "join_1", AT)
STORED_MEMBER = {
    "room_id": {"S": "room_1"},
    "item": {"S": "MEMBER#usr_1"},
    "kind": {"S": "membership"},
    "user_id": {"S": "usr_1"},
    "role": {"S": "admin"},
    "join_id": {"S": "join_1"},
    "joined_at": STORED_AT,
    "origin": {"S": "oneself"},
}

Raw = dict[str, dict[str, Any]]


@pytest.mark.parametrize(("task", "expected"), [(EMPTY_TASK, STORED_TASK), (FULL_TASK, STORED_FULL_TASK)])
def test_a_task_is_stored_and_read(task: Task, expected: Raw) -> None:
    stored = task_item(task).serialize()

    assert {name: value for name, value in stored.items() if not name.startswith("by_")} == expected
    assert TASK.read(stored) == task


@pytest.mark.parametrize(("room", "expected"), [(EMPTY_ROOM, STORED_ROOM), (FULL_ROOM, STORED_FULL_ROOM)])
def test_a_room_is_stored_and_read(room: Room, expected: Raw) -> None:
    assert RoomItem.of(room).serialize() == expected
    assert ROOM.read(expected) == room


def test_a_room_from_before_join_roles_lets_members_join() -> None:
    old = {name: value for name, value in STORED_ROOM.items() if name != "join_role"}

    assert ROOM.read(old).join_role is JoinRole.MEMBER
    assert ROOM.audited(old) == {"code": "GARDEN", "join_role": "member"}


def test_a_membership_is_stored_and_read() -> None:
    assert MembershipItem.of(MEMBER, Origin.ONESELF).serialize() == STORED_MEMBER
    assert MEMBERSHIP.read(STORED_MEMBER) == MEMBER


def test_what_is_audited_has_the_names_of_the_api() -> None:
    assert audited(STORED_FULL_TASK) == {
        "title": "Paint",
        "description": "The door",
        "status": "completed",
        "priority": "low",
        "user_id": "usr_3",
        "assignee_ids": "usr_3,usr_4",
        "deadline": "2026-11-29T03:15:00.12Z",
    }
    assert ROOM.audited(STORED_ROOM) == {"code": "GARDEN"}


def test_an_audited_value_of_a_later_version_is_shown_as_it_is() -> None:
    assert TASK.audited(STORED_TASK | {"status": {"S": "paused"}})["status"] == "paused"


def test_a_field_without_an_attribute_is_a_defect() -> None:
    with pytest.raises(TypeError, match="joined_at"):
        Mapper(Membership, *[Attribute(name, TEXT) for name in ("room_id", "user_id", "role", "join_id")])
    with pytest.raises(TypeError, match="number"):
        Mapper(
            Membership, *[Attribute(name, TEXT) for name in Membership.__struct_fields__], Attribute("number", NUMBER)
        )
