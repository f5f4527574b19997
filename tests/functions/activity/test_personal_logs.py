"""GET /users/me/activity: the log of a person's profile and personal tasks, which nobody else reads."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from infrastructure.admin import make_admin
from tasksync.model import times
from tests.functions.activity.test_redelivered_records import everything, forget, interleaved, records
from tests.functions.activity.trails import FUNCTION, Json, about, changed, deeds, gone, markers, new, own, stored
from tests.functions.room_cleanup.stream_deliveries import hand_over, let_indexes_settle, outage
from tests.functions.users.administrators import administrator
from tests.support import tables
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.problems import problem
from tests.support.product import Product

PASSWORD_CHANGED = changed(password=(None, None))
NEW_PASSWORD = "eleven quiet herons over Lake 47"


def of_user(delivered: list[Json], person: Person) -> list[Json]:
    """The records of a person's own item."""
    return [each for each in delivered if each["dynamodb"]["Keys"].get("user_id", {}).get("S") == person.id]


def by(person: Person, response: Any) -> dict[str, str | None]:
    return {"actor_id": person.id, "request_id": response.headers["X-Request-Id"]}


def context(entry: Json) -> dict[str, str | None]:
    return {name: entry[name] for name in ("actor_id", "request_id")}


def of_kind(entries: list[Json], action: str, resource: str) -> Json:
    [found] = [entry for entry in entries if (entry["action"], entry["resource"]) == (action, resource)]
    return found


def purged(product: Product) -> Json:
    """What a sweep says about logs, when the last entries of those of deleted users are 26 hours old."""
    long_ago = times.timestamp(times.now() - timedelta(hours=26))
    for item in product.items("LogTable"):
        if "unfinished" in item:
            key = {name: item[name] for name in ("owner_id", "item")}
            tables.change(product.aws, "LogTable", key, updated_at=long_ago)
    found: Json = call(product.aws, "SweeperFunction", {}, 60.0)["logs"]
    return found


def deleted(product: Product) -> Person:
    """Somebody with a task of their own, who is deleted for good; the records of that are not delivered yet."""
    ann = product.register("ann")
    ann.plan()
    product.deliver()
    assert ann.delete("/users/me").status == 204
    let_indexes_settle(product)
    product.deliver(to="UserRemovalFunction")
    call(product.aws, "SweeperFunction", {}, 60.0)
    assert not [item for item in product.items("UsersTable") if item["user_id"] == ann.id]
    return ann


def test_a_registration_is_the_first_entry_and_the_act_of_the_person(product: Product) -> None:
    ann = product.register("ann", email="ann@example.org")
    product.deliver()

    [entry] = own(ann)

    assert entry | {"id": "", "request_id": "", "at": ""} == {
        "id": "",
        "seq": 1,
        "at": "",
        "actor_id": ann.id,
        "action": "created",
        "resource": "user",
        "resource_id": ann.id,
        "changes": new(username=ann.username, email="ann@example.org", role="user", added_by="anyone"),
        "request_id": "",
        "version": 1,
        "revision": 1,
    }
    assert entry["request_id"]


def test_changes_of_the_profile_say_who_made_them_and_what_they_changed(product: Product) -> None:
    ann, root = product.register("ann", email="ann@example.org"), administrator(product)
    old = ann.username
    responses = [
        ann.patch("/users/me", json={"username": f"{old}-2"}),
        ann.patch("/users/me", json={"email": None}),
        ann.patch("/users/me", json={"added_by": "nobody"}),
        root.patch(f"/users/{ann.id}", json={"email": "post@example.org"}),
        ann.post("/auth/password", json={"current_password": ann.password, "new_password": NEW_PASSWORD}),
    ]
    product.deliver()

    entries = own(ann)[1:]

    assert [response.status for response in responses] == [200, 200, 200, 200, 204]
    assert [context(entry) for entry in entries] == [
        by(person, response) for person, response in zip([ann, ann, ann, root, ann], responses, strict=True)
    ]
    assert deeds(entries) == [("updated", "user")] * 5
    assert [entry["changes"] for entry in entries] == [
        changed(username=(old, f"{old}-2")),
        gone(email="ann@example.org"),
        changed(added_by=("anyone", "nobody")),
        new(email="post@example.org"),
        PASSWORD_CHANGED,
    ]
    assert [entry["version"] for entry in entries] == [2, 3, 4, 5, 6]


def test_a_recovery_is_the_act_of_the_person_and_its_token_is_no_entry(product: Product) -> None:
    ann = product.register("ann")
    token = product.recovery_token(ann.username)
    done = product.anonymous.post("/auth/recovery/complete", json={"token": token, "new_password": NEW_PASSWORD})
    product.deliver()

    _, entry = own(product.anonymous.sign_in(ann.username, NEW_PASSWORD))

    assert (entry["action"], entry["changes"]) == ("updated", PASSWORD_CHANGED)
    assert context(entry) == by(ann, done)


def test_what_operators_write_is_nobodys_act_although_somebody_wrote_before(product: Product) -> None:
    ann = product.register("ann")
    ann.patch("/users/me", json={"added_by": "nobody"})

    make_admin(product.aws.dynamodb, "UsersTable", ann.username)
    make_admin(product.aws.dynamodb, "UsersTable", ann.username)
    product.deliver()

    _, own_act, first, second = own(ann)
    assert own_act["actor_id"] == ann.id
    assert context(first) == context(second) == {"actor_id": None, "request_id": None}
    assert (first["changes"], second["changes"]) == (changed(role=("user", "admin")), {})


def test_signing_in_and_out_is_no_change_of_the_profile(product: Product) -> None:
    ann = product.register("ann")
    ann.delete("/auth/sessions")
    again = product.anonymous.sign_in(ann.username)
    product.deliver()

    assert deeds(own(again)) == [("created", "user")]


def test_users_without_the_attribute_who_may_add_them_have_no_change_of_it(product: Product) -> None:
    ann = product.register("ann", email="ann@example.org")
    tables.forget(product.aws, "UsersTable", {"user_id": ann.id}, "added_by")
    ann.patch("/users/me", json={"email": None})
    product.deliver()

    assert own(ann)[-1]["changes"] == gone(email="ann@example.org")


def test_personal_tasks_are_in_the_log_and_those_of_rooms_are_not(product: Product) -> None:
    ann = product.register("ann")
    ann.plan(room_id=ann.open_room()["id"])
    task = ann.plan(title="a")
    ann.patch(f"/tasks/{task['id']}", json={"title": "b"})
    ann.patch(f"/tasks/{task['id']}", json={"status": "completed"})
    ann.delete(f"/tasks/{task['id']}")
    ann.post(f"/tasks/{task['id']}/restore")
    ann.delete(f"/tasks/{task['id']}")
    ann.delete(f"/users/me/trash/{task['id']}")
    product.deliver()

    entries = about(own(ann), task["id"])

    actions = ["created", "updated", "updated", "trashed", "restored", "trashed", "purged"]
    assert [(entry["action"], entry["revision"]) for entry in entries] == list(zip(actions, range(1, 8), strict=True))
    assert [entry["actor_id"] for entry in entries] == [ann.id] * 7
    assert [entry["seq"] for entry in own(ann)] == [*range(1, 9)]
    assert {entry["resource_id"] for entry in stored(product)}.isdisjoint({task["id"], ann.id})


def test_it_is_read_in_pages_by_oneself_alone(product: Product) -> None:
    ann, bob, root = product.register("ann"), product.register("bob"), administrator(product)
    bob.join(ann.open_room())
    for _ in range(3):
        ann.plan()
    product.deliver()

    first = ann.get("/users/me/activity?limit=3").json()
    second = ann.get(f"/users/me/activity?limit=3&cursor={first['next_cursor']}").json()
    by_id = ann.get(f"/users/{ann.id}/activity").json()

    assert [entry["seq"] for entry in first["items"] + second["items"]] == [4, 3, 2, 1]
    assert second["next_cursor"] is None
    assert by_id["items"] == first["items"] + second["items"]
    problem(bob.get(f"/users/{ann.id}/activity"), 403, "role_too_low")
    problem(root.get(f"/users/{ann.id}/activity"), 403, "role_too_low")
    problem(product.register("cleo").get(f"/users/{ann.id}/activity"), 404, "not_found")
    problem(bob.get(f"/users/me/activity?cursor={first['next_cursor']}"), 400, "invalid_cursor")


def test_no_log_line_tells_of_it(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    ann = product.register("ann")
    ann.plan()
    ann.open_room()
    product.aws.stack.parameters["LogLevel"] = "INFO"
    capsys.readouterr()

    product.deliver(to=FUNCTION)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["resource"] for line in lines if line["event"] == "activity"] == ["room"]


def test_the_export_has_it_whoever_acted_and_of_other_people_no_values(product: Product) -> None:
    ann, root = product.register("ann"), administrator(product)
    room = ann.open_room()
    task = ann.plan()
    root.patch(f"/users/{ann.id}", json={"email": "ann@example.org"})
    product.deliver()

    [of_ann, of_root] = [person.get("/users/me/export").json()["activity"] for person in (ann, root)]

    assert [(entry["resource_id"], entry["actor_id"], entry["room_id"]) for entry in of_ann] == [
        *((entry["resource_id"], entry["actor_id"], None) for entry in own(ann)[::-1]),
        (room["id"], ann.id, room["id"]),
    ]
    assert {entry["resource_id"] for entry in of_ann} == {ann.id, task["id"], room["id"]}
    assert [entry["changes"] for entry in of_root if entry["resource_id"] == ann.id] == [changed(email=(None, None))]
    assert "ann@example.org" not in json.dumps(of_root)


def test_redelivered_and_reordered_records_make_one_log(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan(title="0")
    for number in range(1, 4):
        ann.patch(f"/tasks/{task['id']}", json={"title": str(number)})
        ann.patch("/users/me", json={"email": f"{number}@example.org"})
    delivered = records(product.deliver(to=FUNCTION))
    forget(product)

    for each in interleaved(delivered, random.Random(7)):
        assert hand_over(product, FUNCTION, [each]) == []
    before = everything(product)
    assert hand_over(product, FUNCTION, delivered * 2) == []

    assert everything(product) == before
    assert [entry["seq"] for entry in own(ann)] == [*range(1, 9)]
    assert [entry["version"] for entry in about(own(ann), ann.id)] == [1, 2, 3, 4]
    assert [entry["version"] for entry in about(own(ann), task["id"])] == [1, 2, 3, 4]


def test_a_later_record_that_comes_first_covers_the_earlier_one(product: Product) -> None:
    ann = product.register("ann")
    for number in range(2):
        ann.patch("/users/me", json={"email": f"{number}@example.org"})
    first, second, third = of_user(records(product.deliver(to=FUNCTION)), ann)
    forget(product)

    for each in (first, third, second):
        assert hand_over(product, FUNCTION, [each]) == []

    assert [(entry["action"], entry["revision"]) for entry in own(ann)] == [
        ("created", 1),
        ("refetch", 2),
        ("updated", 3),
    ]


@pytest.mark.parametrize("image", ["NewImage", "OldImage"])
def test_a_record_of_a_user_that_cannot_be_read_is_an_entry_to_read_it_again(product: Product, image: str) -> None:
    ann = product.register("ann")
    ann.patch("/users/me", json={"email": "a@example.org"})
    ann.patch("/users/me", json={"email": "b@example.org"})
    first, second, third = of_user(records(product.deliver(to=FUNCTION)), ann)
    forget(product)
    second["dynamodb"][image]["status"] = {"S": "unheard of"}

    assert hand_over(product, FUNCTION, [first, second, third]) == []

    assert [(entry["action"], entry["resource"], entry["revision"]) for entry in own(ann)] == [
        ("created", "user", 1),
        ("refetch", "user", 2),
        ("updated", "user", 3),
    ]


def test_no_attribute_of_a_user_that_is_missing_or_not_as_expected_blocks_the_stream(product: Product) -> None:
    ann = product.register("ann")
    ann.patch("/users/me", json={"email": "a@example.org"})
    _, record = of_user(records(product.deliver(to=FUNCTION)), ann)
    forget(product)
    garbled = []
    for image in ("NewImage", "OldImage"):
        for name in record["dynamodb"][image].keys() - {"user_id"}:
            others: list[Json] = [{}, {name: {"M": {}}}]
            for value in others:
                rest = {other: held for other, held in record["dynamodb"][image].items() if other != name}
                garbled.append({**record, "dynamodb": {**record["dynamodb"], image: rest | value}})

    assert [hand_over(product, FUNCTION, [each]) for each in garbled] == [[]] * len(garbled)

    assert len(garbled) > 40
    assert {entry["resource_id"] for entry in own(ann)} == {ann.id}


def test_things_older_than_the_log_are_covered_by_an_entry(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()
    ann.patch(f"/tasks/{task['id']}", json={"title": "b"})
    ann.patch("/users/me", json={"email": "a@example.org"})
    product.deliver()
    forget(product)

    ann.patch(f"/tasks/{task['id']}", json={"title": "c"})
    ann.patch("/users/me", json={"email": "b@example.org"})
    product.deliver()

    for thing, revision in ((ann.id, 3), (task["id"], 3)):
        entries = about(own(ann), thing)
        assert [(entry["action"], entry["revision"]) for entry in entries] == [
            ("refetch", revision - 1),
            ("updated", revision),
        ]


def test_a_failed_append_of_one_person_keeps_no_other_back(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")

    with outage("LogTable", after=1):
        interrupted = product.deliver(to=FUNCTION)
    product.deliver()

    assert [len(delivery.failed) for delivery in interrupted] == [1]
    assert [deeds(own(person)) for person in (ann, bob)] == [[("created", "user")]] * 2


def test_the_log_of_a_deleted_user_ends_a_day_later_and_nothing_is_left_of_it(product: Product) -> None:
    ann, bob = deleted(product), product.register("bob")
    product.deliver()
    tail = stored(product, ann.id)[-3:]

    early = call(product.aws, "SweeperFunction", {"older_than_seconds": 0}, 60.0)["logs"]
    late = purged(product)

    assert sorted((entry["action"], entry["resource"]) for entry in tail) == [
        ("deleted", "user"),
        ("purged", "task"),
        ("purged", "user"),
    ]
    assert json.loads(of_kind(tail, "purged", "user")["changes"]) == {}
    assert (early["found"], late["found"], late["finished"]) == (0, 1, 1)
    assert {item["owner_id"] for item in product.items("LogTable")} == {bob.id}


def test_a_late_record_of_a_deleted_user_is_harmless(product: Product) -> None:
    ann = product.register("ann")
    task = ann.plan()
    product.deliver()
    ann.delete("/users/me")
    let_indexes_settle(product)
    call(product.aws, "SweeperFunction", {}, 60.0)
    *rest, last = of_user(records(product.deliver(to=FUNCTION)), ann)
    before = everything(product)

    # Once more while the log is there, and when it is gone.
    assert hand_over(product, FUNCTION, [*rest, last]) == []
    assert everything(product) == before
    purged(product)
    assert hand_over(product, FUNCTION, [last]) == []

    assert [item["item"] for item in product.items("LogTable")] != []
    assert (purged(product)["finished"], product.items("LogTable")) == (1, [])
    assert task["id"] not in markers(product, "usr_")


def test_a_user_who_is_put_back_keeps_the_log(product: Product) -> None:
    ann = product.register("ann")
    [item] = [item for item in product.items("UsersTable") if item["user_id"] == ann.id]
    product.deliver()
    ann.delete("/users/me")
    let_indexes_settle(product)
    call(product.aws, "SweeperFunction", {}, 60.0)
    product.deliver()

    tables.put(product.aws, "UsersTable", **item | {"version": 7})
    product.deliver()

    assert purged(product)["finished"] == 1
    assert purged(product)["found"] == 0
    assert [(each["action"], each["resource"]) for each in stored(product, ann.id)][-2:] == [
        ("refetch", "user"),
        ("created", "user"),
    ]


def test_a_deletion_that_is_taken_back_is_an_entry(product: Product) -> None:
    ann = product.register("ann", email="ann@example.org")
    product.deliver()
    deleting = {"status": "deleting", "unfinished": "user", "version": 2}
    tables.change(product.aws, "UsersTable", {"user_id": ann.id}, **deleting)
    tables.change(product.aws, "UsersTable", {"user_id": ann.id}, status="active", version=3)
    tables.forget(product.aws, "UsersTable", {"user_id": ann.id}, "unfinished")
    product.deliver(to=FUNCTION)

    _, deleted_entry, restored = own(ann)

    values = {"username": ann.username, "email": "ann@example.org", "role": "user", "added_by": "anyone"}
    assert (deleted_entry["action"], deleted_entry["changes"]) == ("deleted", gone(**values))
    assert (restored["action"], restored["changes"]) == ("restored", new(**values))
    assert context(restored) == {"actor_id": None, "request_id": None}
