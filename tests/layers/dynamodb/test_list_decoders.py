"""Rows, as lists and rooms are read, are what single items are."""

from typing import Any

import pytest
from msgspec.structs import replace
from pynamodb.models import Model

from tasksync.dynamodb.core.queries import query
from tasksync.dynamodb.rooms.items import RoomItem
from tasksync.dynamodb.rooms.memberships import MembershipItem
from tasksync.dynamodb.rooms.repository import partition
from tasksync.dynamodb.tasks import mapper
from tasksync.dynamodb.tasks.mapper import TASK, TaskRow, rows_with
from tasksync.model import times
from tasksync.model.entities import JoinRole, Membership, Origin, Room, RoomRole
from tasksync.model.times import new_room_id
from tests.support.aws import LOCK, Aws
from tests.support.random_tasks import random_tasks, stored

Raw = dict[str, dict[str, Any]]

ROOM_ID = new_room_id(times.now())
TASKS = [
    replace(task, completed_at=task.created_at if count % 2 else None)
    for count, task in enumerate(random_tasks(20, ROOM_ID, "usr_ann", ["usr_ann", None], seed=1))
]


def put(aws: Aws, table: str, *items: Raw) -> None:
    with LOCK:
        for item in items:
            aws.dynamodb.put_item(TableName=table, Item=item)


def read(*keys: str) -> list[TaskRow]:
    question = {
        "TableName": "TasksTableV2",
        "KeyConditionExpression": "owner_id = :0",
        "ExpressionAttributeValues": {":0": {"S": ROOM_ID}},
    }
    return query(rows_with(*keys), question).rows


def test_a_row_decodes_to_the_same_task_as_an_item(aws: Aws) -> None:
    put(aws, "TasksTableV2", *[{**stored(task), "unknown": {"S": "to this version"}} for task in TASKS])

    tasks = [row.entity() for row in read()]

    assert tasks == TASKS
    assert tasks == [TASK.read(stored(task)) for task in TASKS]


def test_a_row_has_the_requested_sort_keys(aws: Aws) -> None:
    put(aws, "TasksTableV2", stored(TASKS[0]))

    [row] = read("by_status", "item", "by_deadline")

    expected = mapper.stored(TASKS[0]).keys
    assert row.key("item") == row.id == TASKS[0].id
    assert (row.key("by_status"), row.key("by_deadline")) == (expected["by_status"], expected["by_deadline"])


def test_null_attributes_are_absent(aws: Aws) -> None:
    nothing = {"NULL": True}
    put(aws, "TasksTableV2", {**stored(TASKS[0]), "description": nothing, "deadline": nothing}, stored(TASKS[1]))

    assert TASKS[0].deadline
    assert [row.entity() for row in read()] == [replace(TASKS[0], description=None, deadline=None), TASKS[1]]


@pytest.mark.parametrize("wrong", [{"title": {"N": "1"}}, {"status": {"S": "lost"}}, {"created_at": {"S": "today"}}])
def test_an_invalid_value_is_refused(aws: Aws, wrong: Raw) -> None:
    put(aws, "TasksTableV2", {**stored(TASKS[0]), **wrong})

    with pytest.raises(TypeError, match=r"no TaskRow.*\$\.Items"):
        read()


def test_an_item_without_a_required_attribute_is_refused(aws: Aws) -> None:
    put(aws, "TasksTableV2", {name: value for name, value in stored(TASKS[0]).items() if name != "version"})

    with pytest.raises(TypeError, match="version"):
        read()


@pytest.mark.parametrize("name", ["Move", None])
def test_a_partition_decodes_to_the_same_room_as_its_items(aws: Aws, name: str | None) -> None:
    at = times.now()
    members = [Membership(ROOM_ID, f"usr_{number}", role, "j", at) for number, role in enumerate(RoomRole)]
    names = frozenset(member.user_id for member in members)
    room = Room(ROOM_ID, "GARDEN", JoinRole.VIEWER, name, 3, 1, "usr_0", at, at, 7, names)
    items: list[Model] = [RoomItem.of(room), *[MembershipItem.of(member, Origin.ONESELF) for member in members]]
    put(aws, "RoomsTable", *[item.serialize() for item in items])
    put(aws, "RoomsTable", {"room_id": {"S": ROOM_ID}, "item": {"S": "X"}, "kind": {"S": "of a later version"}})

    assert partition(ROOM_ID) == (room, members)


def test_a_partition_of_several_pages_is_read_to_its_end(aws: Aws) -> None:
    at = times.now()
    # A page has a megabyte at most.
    members = [Membership(ROOM_ID, f"usr_{number}", RoomRole.MEMBER, "j" * 300_000, at) for number in range(8)]
    put(aws, "RoomsTable", *[MembershipItem.of(member, Origin.ONESELF).serialize() for member in members])

    assert partition(ROOM_ID) == (None, members)
