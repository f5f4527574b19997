"""Items are stored under the names and in the forms that they always had: what is stored can be read for ever."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from tasksync.dynamodb.core.mapper import NUMBER, TEXT, Attribute, Mapper
from tasksync.dynamodb.rooms.items import RoomItem
from tasksync.dynamodb.rooms.mapper import MEMBERSHIP, ROOM
from tasksync.dynamodb.rooms.memberships import MembershipItem
from tasksync.dynamodb.sessions.items import SessionItem
from tasksync.dynamodb.sessions.mapper import session_of
from tasksync.dynamodb.tasks.items import task_item
from tasksync.dynamodb.tasks.mapper import TASK, audited
from tasksync.dynamodb.users.items import UserItem
from tasksync.dynamodb.users.mapper import USER, recovery_of
from tasksync.model.entities import (
    AddedBy,
    Assignment,
    Exchange,
    JoinRole,
    Membership,
    Origin,
    Priority,
    Recovery,
    Room,
    RoomRole,
    Session,
    Task,
    TaskStatus,
    User,
    UserRole,
    UserStatus,
)

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
    "person_id": {"S": "usr_1"},
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

STORED_USER = {
    "user_id": {"S": "usr_1"},
    "kind": {"S": "user"},
    "username": {"S": "Ann"},
    "password_hash": {"S": "$2b$"},
    "role": {"S": "user"},
    "status": {"S": "active"},
    "token_epoch": {"N": "2"},
    "created_at": STORED_AT,
    "updated_at": STORED_AT,
    "version": {"N": "3"},
    "added_by": {"S": "anyone"},
}
STORED_FULL_USER = STORED_USER | {"email": {"S": "ann@example.org"}, "added_by": {"S": "nobody"}}
EMPTY_USER = User("usr_1", "Ann", None, "$2b$", UserRole.USER, UserStatus.ACTIVE, 2, AT, AT, 3)
FULL_USER = replace(EMPTY_USER, email="ann@example.org", added_by=AddedBy.NOBODY)

SECOND = datetime(2026, 11, 29, 3, 15, tzinfo=UTC)
LATER = datetime(2026, 12, 29, 3, 15, tzinfo=UTC)
SESSION = Session("ses_1", "usr_1", 2, "family", "refresh", AT, AT, AT, SECOND, LATER, "curl/8", "192.0.2.1")
STORED_SESSION: dict[str, dict[str, Any]] = {
    "session_id": {"S": "ses_1"},
    "kind": {"S": "session"},
    "user_id": {"S": "usr_1"},
    "epoch": {"N": "2"},
    "family_hash": {"S": "family"},
    "refresh_hash": {"S": "refresh"},
    "created_at": STORED_AT,
    "authenticated_at": STORED_AT,
    "last_used_at": STORED_AT,
    "expires_at": {"N": "1795922100"},
    "ends_at": {"N": "1798514100"},
    "user_agent": {"S": "curl/8"},
    "ip": {"S": "192.0.2.1"},
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


@pytest.mark.parametrize(("user", "expected"), [(EMPTY_USER, STORED_USER), (FULL_USER, STORED_FULL_USER)])
def test_a_user_is_stored_and_read(user: User, expected: Raw) -> None:
    assert UserItem.of(user).serialize() == expected
    assert USER.read(expected) == user
    assert recovery_of(expected) is None


def test_a_user_from_before_this_choice_may_be_added_by_anyone() -> None:
    old = {name: value for name, value in STORED_FULL_USER.items() if name != "added_by"}

    assert USER.read(old).added_by is AddedBy.ANYONE


def test_a_recovery_token_is_read() -> None:
    recovery = {"recovery_hash": {"S": "token"}, "recovery_expires_at": STORED_AT, "recovery_version": {"N": "3"}}

    assert recovery_of(STORED_USER | recovery) == Recovery("token", AT, 3)


def test_a_session_is_stored_and_read() -> None:
    assert SessionItem.of(SESSION).serialize() == STORED_SESSION
    assert session_of(STORED_SESSION) == SESSION


@pytest.mark.parametrize("key", [None, "key"])
def test_a_refreshed_session_is_read(key: str | None) -> None:
    exchange: Raw = {"spent_hash": {"S": "spent"}, "exchange_key": {"S": key}, "exchange_salt": {"S": "salt"}}
    if key is None:
        del exchange["exchange_key"]

    assert session_of(STORED_SESSION | exchange) == replace(SESSION, exchange=Exchange("spent", key, "salt"))


def test_a_session_from_before_reauthentication_and_idle_sessions_is_read() -> None:
    old = {name: value for name, value in STORED_SESSION.items() if name not in ("authenticated_at", "ends_at")}
    old["created_at"] = {"S": "2026-11-28T03:15:00.000Z"}

    session = session_of(old)

    assert session.authenticated_at == session.created_at < AT
    assert session.ends_at == session.expires_at == SECOND


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


def test_an_audited_number_is_shown_as_a_text() -> None:
    versions = ("version", "member_count")
    mapper = Mapper(
        Room,
        *(Attribute(name, NUMBER if name in versions else TEXT, audited=name) for name in Room.__struct_fields__),
    )

    assert mapper.audited({"name": {"S": "Garden"}, "version": {"N": "7"}}) == {"name": "Garden", "version": "7"}


def test_an_audited_value_of_a_later_version_is_shown_as_it_is() -> None:
    assert TASK.audited(STORED_TASK | {"status": {"S": "paused"}})["status"] == "paused"


def test_a_field_without_an_attribute_is_a_defect() -> None:
    with pytest.raises(TypeError, match="joined_at"):
        Mapper(Membership, *[Attribute(name, TEXT) for name in ("room_id", "user_id", "role", "join_id")])
    with pytest.raises(TypeError, match="number"):
        Mapper(
            Membership, *[Attribute(name, TEXT) for name in Membership.__struct_fields__], Attribute("number", NUMBER)
        )
