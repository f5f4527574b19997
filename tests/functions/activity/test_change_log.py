"""The change log of a room: numbered without a gap, complete up to its head, honest about what got lost."""

import copy
import json
import time
from itertools import pairwise
from typing import Any

import pytest

from tests.functions.activity.test_redelivered_records import forget, records
from tests.functions.activity.trails import FUNCTION, Json, about, deeds, head, markers, stored, trail
from tests.functions.migrations.concurrent_writes import before_the_next_transaction
from tests.functions.room_cleanup.stream_deliveries import hand_over, outage
from tests.support.client import Person
from tests.support.product import Product
from tests.support.tables import change

DAY = 24 * 3600


def room_with_a_task(product: Product, changes: int = 0) -> tuple[Person, Any, Any]:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"], title="0")
    for number in range(1, changes + 1):
        ann.patch(f"/tasks/{task['id']}", json={"title": str(number)})
    return ann, room, task


def raw_item(product: Product, table: str, key: Json) -> Json:
    """As DynamoDB spells it."""
    found: Json = product.aws.dynamodb.get_item(TableName=table, Key=key)["Item"]
    return found


def of(delivered: list[Json], thing: Any) -> list[Json]:
    """The records of a room's or a task's own item."""
    return [each for each in delivered if each["dynamodb"]["Keys"].get("item", {}).get("S") in ("ROOM", thing["id"])]


def is_deletion(record: Json, thing: Any) -> bool:
    return bool(record["eventName"] == "REMOVE" and record["dynamodb"]["Keys"]["item"]["S"] == thing["id"])


def seqs(person: Person, room: Any) -> list[int]:
    return [entry["seq"] for entry in trail(person, room)]


def test_entries_of_all_streams_are_numbered_without_a_gap(product: Product) -> None:
    ann, room, task = room_with_a_task(product, 2)
    bob = product.register("bob")
    bob.join(room)
    product.deliver()
    ann.delete(f"/tasks/{task['id']}")
    product.deliver()

    entries = trail(ann, room)

    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry["revision"] for entry in about(entries, task["id"])] == [1, 2, 3, 4]
    assert [entry["version"] for entry in about(entries, task["id"])] == [1, 2, 3, 4]
    assert head(product, room) == {"seq": 6, "open": 0, "completed": 0}
    assert markers(product) == {
        room["id"]: {"revision": 2},
        task["id"]: {"revision": 4},
    }


def test_a_commit_that_changes_two_memberships_has_two_entries_of_one_revision_side_by_side(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    ann.delete("/users/me")
    product.deliver()

    last = trail(bob, room)[-2:]

    assert deeds(last) == [("deleted", "membership"), ("updated", "membership")]
    assert [(entry["seq"], entry["revision"], entry["version"]) for entry in last] == [(3, 3, 3), (4, 3, 3)]


def test_open_and_completed_tasks_are_counted_in_the_head(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    done, undone, trashed, back, gone = [ann.plan(room_id=room["id"]) for _ in range(5)]
    for task in (done, undone):
        ann.patch(f"/tasks/{task['id']}", json={"status": "completed"})
    ann.patch(f"/tasks/{undone['id']}", json={"status": "in progress"})
    for task in (trashed, back, gone):
        ann.delete(f"/tasks/{task['id']}")
    ann.post(f"/tasks/{back['id']}/restore")
    ann.delete(f"/rooms/{room['id']}/trash/{gone['id']}")
    product.deliver()

    assert head(product, room) == {"seq": 14, "open": 2, "completed": 1}
    assert {name: marker.get("counted") for name, marker in markers(product).items()} == {
        room["id"]: None,
        done["id"]: "completed",
        undone["id"]: "open",
        trashed["id"]: None,
        back["id"]: "open",
        gone["id"]: None,
    }


def test_a_lost_record_is_covered_by_an_entry_before_the_next_one(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    product.aws.deploy(LogLevel="INFO")
    ann, room, task = room_with_a_task(product, 3)
    ann.patch(f"/tasks/{task['id']}", json={"status": "completed"})
    delivered = records(product.deliver(to=FUNCTION))
    forget(product)
    created, *lost, renamed, completed = of(delivered, task)[1:]
    capsys.readouterr()

    hand_over(product, FUNCTION, [*of(delivered, room)[:1], created, renamed, completed])
    hand_over(product, FUNCTION, lost)  # later than can be, and too late

    entries = about(trail(ann, room), task["id"])
    assert [(entry["action"], entry["revision"], entry["version"]) for entry in entries] == [
        ("created", 1, 1),
        ("refetch", 3, None),
        ("updated", 4, 4),
        ("updated", 5, 5),
    ]
    assert entries[1] == {
        **entries[1],
        "resource": "task",
        "at": entries[2]["at"],
        "actor_id": None,
        "request_id": None,
        "changes": {},
    }
    assert seqs(ann, room) == [1, 2, 3, 4, 5]
    assert head(product, room) == {"seq": 5, "open": 0, "completed": 1}
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert [(line["entries"], line["refetches"]) for line in lines if line["event"] == "log appended"] == [(5, 1)]


def test_what_is_older_than_its_log_begins_with_an_entry_that_says_so(product: Product) -> None:
    ann, room, task = room_with_a_task(product, 2)
    product.deliver()
    forget(product)
    ann.patch(f"/tasks/{task['id']}", json={"title": "new"})
    product.deliver()

    assert [(entry["action"], entry["revision"]) for entry in trail(ann, room)] == [("refetch", 3), ("updated", 4)]
    assert head(product, room) == {"seq": 2, "open": 1, "completed": 0}


@pytest.mark.parametrize("attribute", ["updated_at", "status", "stamp", "description_digest"])
def test_an_unreadable_record_becomes_an_entry_that_says_so(product: Product, attribute: str) -> None:
    ann, room, task = room_with_a_task(product, 1)
    delivered = records(product.deliver(to=FUNCTION))
    forget(product)
    unreadable = copy.deepcopy(delivered)
    unreadable[1]["dynamodb"]["NewImage"][attribute] = {"S": "7"} if attribute != "description_digest" else "7"

    failed = hand_over(product, FUNCTION, unreadable * 2)

    assert failed == []
    # The next record has the image before, too.
    assert [(entry["action"], entry["revision"]) for entry in about(trail(ann, room), task["id"])] == [
        ("refetch", 1),
        ("updated", 2),
    ]


def test_a_record_without_a_revision_blocks_nothing_and_takes_no_revision(product: Product) -> None:
    ann, room, task = room_with_a_task(product, 1)
    delivered = records(product.deliver(to=FUNCTION))
    forget(product)
    unreadable = json.loads(json.dumps(delivered[1]).replace('"revision"', '"edition"').replace('"version"', '"x"'))

    failed = hand_over(product, FUNCTION, [delivered[0], unreadable, *delivered[2:]])

    assert failed == []
    assert [(entry["action"], entry["revision"]) for entry in about(trail(ann, room), task["id"])] == [
        ("refetch", None),
        ("refetch", 1),
        ("updated", 2),
    ]
    assert markers(product)[task["id"]] == {"revision": 2, "counted": "open"}


def test_a_new_rank_without_a_new_version_has_an_entry(product: Product) -> None:
    ann, room, task = room_with_a_task(product)
    product.deliver()
    key = {"owner_id": room["id"], "item": task["id"]}
    at = "2030-01-01T00:00:00.000Z"
    change(product.aws, "TasksTableV2", key, rank="h1", revision=2, ranked_at=at)
    product.deliver()

    ann.patch(f"/tasks/{task['id']}", json={"title": "new"})
    product.deliver()

    created, ranked, updated = about(trail(ann, room), task["id"])
    assert [(entry["action"], entry["revision"], entry["version"]) for entry in (created, ranked, updated)] == [
        ("created", 1, 1),
        ("order", 2, 1),
        ("updated", 3, 2),
    ]
    assert (ranked["at"], ranked["changes"]["rank"]["new"]) == (at, "h1")
    # The times of one task never go back, whatever the clocks of functions say.
    assert updated["at"] == at
    assert head(product, room) == {"seq": 4, "open": 1, "completed": 0}


def test_an_unreadable_deletion_is_counted_out(product: Product) -> None:
    ann, room, task = room_with_a_task(product)
    product.deliver()
    ann.delete(f"/rooms/{room['id']}")
    product.deliver(to="RoomCleanupFunction")
    pending = records(product.deliver(seconds=0, to=FUNCTION))
    [purged] = [record for record in pending if is_deletion(record, task)]
    purged["dynamodb"]["OldImage"]["status"] = {"S": "?"}

    hand_over(product, FUNCTION, [purged])

    assert [(entry["action"], entry["revision"]) for entry in stored(product)][-1] == ("refetch", 2)
    assert head(product, room)["open"] == 0
    assert markers(product)[task["id"]].keys() == {"revision", "expires_at"}


def test_two_that_append_to_one_log_at_the_same_time_append_each_change_once(product: Product) -> None:
    ann, room, task = room_with_a_task(product, 4)
    delivered = records(product.deliver(to=FUNCTION))
    forget(product)
    of_room, of_task = delivered[:1], delivered[1:]

    with before_the_next_transaction(lambda: hand_over(product, FUNCTION, of_task[:3])):
        hand_over(product, FUNCTION, [*of_room, *of_task[:2]])
    with before_the_next_transaction(lambda: hand_over(product, FUNCTION, of_task)):
        hand_over(product, FUNCTION, of_task)

    entries = trail(ann, room)
    assert seqs(ann, room) == [1, 2, 3, 4, 5, 6]
    assert [entry["revision"] for entry in about(entries, task["id"])] == [1, 2, 3, 4, 5]


def test_a_batch_larger_than_a_transaction_is_appended_in_several(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    for _ in range(60):
        ann.plan(room_id=room["id"])
    delivered = records(product.deliver(seconds=0, to=FUNCTION))

    hand_over(product, FUNCTION, delivered)

    assert seqs(ann, room) == list(range(1, 62))
    assert head(product, room) == {"seq": 61, "open": 60, "completed": 0}


def test_the_changes_of_a_batch_may_be_as_many_and_as_large_as_they_can_be(product: Product) -> None:
    _, room, task = room_with_a_task(product)
    product.deliver()
    key = {"owner_id": {"S": room["id"]}, "item": {"S": task["id"]}}
    item = raw_item(product, "TasksTableV2", key)
    # Each character takes two bytes in JSON, and 4 MB is the limit of a transaction.
    old, new = '"' * 40_000, "\\" * 40_000
    images = [
        item
        | {"version": {"N": str(number)}, "revision": {"N": str(number)}, "description": {"S": (new, old)[number % 2]}}
        for number in range(1, 102)
    ]
    delivered = [
        {
            "eventName": "MODIFY",
            "dynamodb": {
                "Keys": key,
                "OldImage": before,
                "NewImage": after,
                "SequenceNumber": str(number),
                "ApproximateCreationDateTime": int(time.time()),
            },
        }
        for number, (before, after) in enumerate(pairwise(images))
    ]

    failed = hand_over(product, FUNCTION, delivered)

    assert failed == []
    entries = [entry for entry in stored(product) if entry["resource"] == "task"]
    assert [int(entry["revision"]) for entry in entries] == list(range(1, 102))
    assert json.loads(entries[1]["changes"]) == {"description": [old, new]}
    assert head(product, room) == {"seq": 102, "open": 1, "completed": 0}


@pytest.mark.parametrize("members", [97, 98, 99, 100])
def test_a_commit_of_many_memberships_is_appended_together_also_after_a_gap(product: Product, members: int) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    [of_room] = [each for each in records(product.deliver(to=FUNCTION)) if "ROOM" in json.dumps(each)]
    joined = {f"usr_{number:032x}": [None, "editor"] for number in range(members)}
    many = copy.deepcopy(of_room)
    many["eventName"] = "MODIFY"
    many["dynamodb"]["OldImage"] = of_room["dynamodb"]["NewImage"] | {"version": {"N": "2"}}
    many["dynamodb"]["NewImage"] |= {
        "version": {"N": "3"},
        "stamp": {"S": json.dumps({"actor_id": ann.id, "request_id": None, "members": joined})},
    }

    assert hand_over(product, FUNCTION, [many, many]) == []

    entries = stored(product)
    assert [int(entry["revision"]) for entry in entries] == [1, 2] + [3] * members
    assert [entry["resource_id"] for entry in entries[2:]] == sorted(joined)
    assert head(product, room)["seq"] == members + 2


def test_a_log_that_fails_does_not_hold_up_the_others(product: Product) -> None:
    ann = product.register("ann")
    before, broken, after = [ann.open_room() for _ in range(3)]

    with outage(broken["id"]):
        [first] = [delivery for delivery in product.deliver(to=FUNCTION) if delivery.failed]
    done = [deeds(trail(ann, room)) for room in (before, broken, after)]
    product.deliver()

    assert done == [[("created", "room")], [], [("created", "room")]]
    assert first.failed == [first.records[1]["dynamodb"]["SequenceNumber"]]
    assert [seqs(ann, room) for room in (before, broken, after)] == [[1], [1], [1]]


def test_the_log_of_a_dead_room_ends_with_its_entries_and_the_markers_before(product: Product) -> None:
    ann, room, task = room_with_a_task(product)
    product.deliver()
    assert "expires_at" not in head(product, room)

    ann.delete(f"/rooms/{room['id']}")
    product.deliver()

    now = time.time()
    assert {name: round((int(each["expires_at"]) - now) / DAY) for name, each in markers(product).items()} == {
        room["id"]: 2,
        task["id"]: 2,
    }
    latest = max(int(entry["expires_at"]) for entry in stored(product))
    assert head(product, room)["expires_at"] == latest
    assert round((latest - now) / DAY) == int(product.aws.stack.parameters["ActivityRetentionDays"])


def test_a_head_outlives_the_records_of_its_room_however_short_entries_are_kept(product: Product) -> None:
    product.aws.deploy(ActivityRetentionDays="1")
    ann, room, _ = room_with_a_task(product)

    ann.delete(f"/rooms/{room['id']}")
    product.deliver()

    assert round((head(product, room)["expires_at"] - time.time()) / DAY) == 2
