"""What is missing in change logs, as records were lost, is made up for where no record can come any more."""

import json
from typing import Any

import pytest

from tests.functions.activity.test_redelivered_records import forget, records
from tests.functions.activity.trails import FUNCTION, Json, head, markers, own, stored
from tests.functions.room_cleanup.stream_deliveries import hand_over
from tests.support import tables
from tests.support.function_calls import call
from tests.support.product import Product

LONG_AGO = "2026-01-01T00:00:00.000Z"


def migrate(product: Product) -> dict[str, int]:
    """How many items each of the three migrations changed, started anew."""
    ids = ["0011-rooms-logged", "0012-tasks-logged", "0013-users-logged"]
    response = call(product.aws, "MigrationsFunction", {"items_per_second": 10_000, "again": ids})
    assert response["error"] is None
    return {state["id"][:4]: state["changed"] for state in response["migrations"] if state["id"] in ids}


def violations(product: Product) -> set[str]:
    report = call(product.aws, "AuditorFunction", {"older_than_seconds": 0})
    return {each["invariant"] for each in report["findings"] if each["violations"]}


def let_time_pass(product: Product, room: Any, *tasks: Any) -> None:
    """So that no record of these comes any more."""
    tables.change(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, updated_at=LONG_AGO)
    for task in tasks:
        key = {"owner_id": room["id"], "item": task["id"]}
        tables.change(product.aws, "TasksTableV2", key, updated_at=LONG_AGO)
    product.deliver()


def said(product: Product) -> list[tuple[str, str, int]]:
    return [(entry["action"], entry["resource"], int(entry["revision"])) for entry in stored(product)]


def test_lost_records_leave_one_entry_for_each_room_and_task(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    product.aws.deploy(LogLevel="INFO")
    ann = product.register("ann")
    room = ann.open_room()
    done, open_ = ann.plan(room_id=room["id"], status="completed"), ann.plan(room_id=room["id"])
    ann.plan()
    for title in ("1", "2"):
        ann.patch(f"/tasks/{open_['id']}", json={"title": title})
    product.deliver()
    forget(product, "room_")
    let_time_pass(product, room, done, open_)
    assert violations(product) == {"I13"}
    capsys.readouterr()

    first, second = migrate(product), migrate(product)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    repaired = [line for line in lines if line["event"] == "logs repaired"]
    assert [(line["function"], line["refetches"]) for line in repaired] == [("migrations", 3)]
    assert "refetches" in str(repaired[0]["_aws"])
    assert (first, second) == ({"0011": 1, "0012": 2, "0013": 0}, {"0011": 0, "0012": 0, "0013": 0})
    assert sorted(said(product)) == [("refetch", "room", 1), ("refetch", "task", 1), ("refetch", "task", 3)]
    assert head(product, room) == {"seq": 3, "open": 1, "completed": 1}
    assert violations(product) == set()


def test_lost_records_leave_one_entry_for_a_user_and_each_personal_task(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()
    ann.patch("/users/me", json={"email": "post@example.org"})
    product.deliver()
    forget(product)
    tables.change(product.aws, "UsersTable", {"user_id": ann.id}, updated_at=LONG_AGO)
    tables.change(product.aws, "TasksTableV2", {"owner_id": ann.id, "item": task["id"]}, updated_at=LONG_AGO)
    product.deliver()
    assert violations(product) == {"I13"}

    first, second = migrate(product), migrate(product)

    assert (first, second) == ({"0011": 0, "0012": 1, "0013": 1}, {"0011": 0, "0012": 0, "0013": 0})
    assert [(each["action"], each["resource"], each["revision"]) for each in own(ann)] == [
        ("refetch", "task", 1),
        ("refetch", "user", 2),
    ]
    assert violations(product) == set()


def test_while_tasks_are_closed_only_what_they_wait_for_is_done(product: Product) -> None:
    product.aws.deploy(TasksOpen="false")
    ids = [f"{number:04}" for number in (1, 4, 5, 6, 7, 8, 9)]

    closed = call(product.aws, "MigrationsFunction", {"items_per_second": 10_000})["migrations"]
    product.aws.deploy(TasksOpen="true")
    opened = call(product.aws, "MigrationsFunction", {"status": True})["migrations"]

    assert [(each["id"][:4], each["done"]) for each in closed] == [(each, True) for each in ids]
    assert [(each["id"][:4], each["done"]) for each in opened] == [
        *((each, True) for each in ids),
        *((each, False) for each in ("0010", "0011", "0012", "0013", "0014")),
    ]


def test_what_has_changed_lately_is_left_alone_and_its_records_still_come(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])

    changed = migrate(product)
    product.deliver()

    assert changed == {"0011": 0, "0012": 0, "0013": 0}
    assert said(product) == [("created", "room", 1), ("created", "task", 1)]
    assert markers(product)[task["id"]] == {"revision": 1, "counted": "open"}


def test_what_is_complete_is_left_alone(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    product.deliver()
    let_time_pass(product, room, task)
    before = product.items("LogTable")

    assert migrate(product) == {"0011": 0, "0012": 0, "0013": 0}
    assert product.items("LogTable") == before


@pytest.mark.parametrize("counted", ["completed", None])
def test_a_task_in_the_wrong_count_is_counted_again_by_an_entry(product: Product, counted: str | None) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    product.deliver()
    let_time_pass(product, room, task)
    key = {"owner_id": room["id"], "item": f"v#{task['id']}"}
    wrong: Json = {"completed": 1, "open": 0} if counted else {"completed": 0, "open": 0}
    tables.change(product.aws, "LogTable", {"owner_id": room["id"], "item": "head"}, **wrong)
    if counted:
        tables.change(product.aws, "LogTable", key, counted=counted)
    else:
        tables.forget(product.aws, "LogTable", key, "counted")

    assert migrate(product) == {"0011": 0, "0012": 1, "0013": 0}

    assert head(product, room) == {"seq": 3, "open": 1, "completed": 0}
    assert said(product)[-1] == ("refetch", "task", 1)
    assert violations(product) == set()


def test_a_record_that_is_replayed_after_the_repair_changes_nothing(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    delivered = records(product.deliver(to=FUNCTION))
    forget(product, "room_")
    let_time_pass(product, room, task)
    migrate(product)
    before = product.items("LogTable")

    assert hand_over(product, FUNCTION, delivered) == []
    assert product.items("LogTable") == before
