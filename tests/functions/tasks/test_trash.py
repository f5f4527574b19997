"""The trash: a deleted task is found there alone, and comes back or goes for good."""

from datetime import timedelta
from typing import Any

import pytest

from tasksync.model import times
from tests.support import tables
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.stored_tasks import assign

LONG = "word " * 199 + "word"
FIRST = {"after": None}


def _delete(person: Person, *tasks: Any) -> None:
    for task in tasks:
        assert person.delete(f"/tasks/{task['id']}").status == 204


def _trashed_ago(product: Product, task: Any, ago: timedelta) -> None:
    """Let the task have been deleted so long ago."""
    owner_id, _, created = task["id"].rpartition(".")
    at = times.timestamp(times.now() - ago)
    key = {"owner_id": owner_id, "item": task["id"]}
    tables.change(product.aws, "TasksTableV2", key, trashed_at=at, by_created=f"X#{at}#{created}")


def test_a_deleted_task_is_in_the_trash_and_nowhere_else_until_it_is_restored(product: Product) -> None:
    ann, bob, vera = map(product.register, ("ann", "bob", "vera"))
    room = ann.open_room()
    bob.join(room)
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": vera.id, "role": "viewer"})
    task = ann.plan(room_id=room["id"], assignee_ids=[bob.id, ann.id], description=LONG, deadline="2027-01-31")
    lists = [f"/rooms/{room['id']}/tasks{query}" for query in ("", "?status=pending", "?sort=deadline", "?user_id=me")]
    lists.append("/tasks")
    before = [ann.get(each).json() for each in lists]

    _delete(bob, task)

    path, trash = f"/tasks/{task['id']}", f"/rooms/{room['id']}/trash"
    gone = [ann.get(path), ann.patch(path, json={"title": "x"}), ann.delete(path), ann.post(f"{path}/move", json=FIRST)]
    assert all("is in the trash" in problem(response, 404, "not_found")["detail"] for response in gone)
    assert [ann.get(each).json()["items"] for each in lists] == [[]] * 5
    assert ann.post("/keys/resolve", json={"tasks": [task["id"]]}).json()["missing"] == [task["id"]]
    [shown] = vera.list(trash)
    assert shown["description_excerpt"] == LONG[:500]
    assert (shown["trashed_by"], shown["assignee_ids"], shown["version"]) == (bob.id, [bob.id, ann.id], 2)
    assert times.parse(shown["expires_at"]) - times.parse(shown["trashed_at"]) == timedelta(days=30)

    problem(vera.post(f"{path}/restore"), 403, "role_too_low")
    restored = ann.post(f"{path}/restore")

    changed = {"version": 3, "updated_by": ann.id, "updated_at": restored.json()["updated_at"]}
    assert (restored.status, restored.tagged_version) == (200, 3)
    assert restored.json() == ann.get(path).json() == {**task, **changed}
    after = [ann.get(each).json() for each in lists]
    assert after == [{**each, "items": [{**item, **changed} for item in each["items"]]} for each in before]
    assert ann.list(trash) == []
    problem(ann.post(f"{path}/restore"), 404)


def test_the_trail_tells_who_trashed_restored_and_purged(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    tasks = [ann.plan(room_id=room["id"]) for _ in range(2)]
    _delete(bob, *tasks)
    ann.post(f"/tasks/{tasks[0]['id']}/restore")
    assert bob.delete(f"/rooms/{room['id']}/trash/{tasks[1]['id']}").status == 204

    product.deliver()

    entries = [each for each in ann.list(f"/rooms/{room['id']}/activity") if each["resource"] == "task"]
    told: dict[str, list[tuple[str, str]]] = {task["id"]: [] for task in tasks}
    for entry in reversed(entries):
        told[entry["resource_id"]].append((entry["action"], entry["actor_id"]))
    assert told[tasks[0]["id"]] == [("created", ann.id), ("trashed", bob.id), ("restored", ann.id)]
    assert told[tasks[1]["id"]] == [("created", ann.id), ("trashed", bob.id), ("purged", bob.id)]
    assert _violations(product) == []


def _violations(product: Product) -> list[Any]:
    found = call(product.aws, "AuditorFunction", {"older_than_seconds": 0})["findings"]
    return [finding for finding in found if finding["violations"]]


def test_restoring_drops_assignees_who_left_even_if_they_came_back(product: Product) -> None:
    ann, bob, cleo, dan = map(product.register, ("ann", "bob", "cleo", "dan"))
    room = ann.open_room()
    for person in (bob, cleo, dan):
        person.join(room)
    kept, lost = (ann.plan(room_id=room["id"], assignee_ids=ids) for ids in ([bob.id, cleo.id, dan.id], [bob.id]))
    _delete(ann, kept, lost)
    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
    assert dan.delete("/users/me").status == 204
    # Unassignment after the leave, and the removal of an account, leave alone what is in the trash.
    product.deliver()
    assert call(product.aws, "SweeperFunction", {"older_than_seconds": 0}, 60.0)["users"]["finished"] == 1
    assert _violations(product) == []
    bob.join(room)

    restored = [ann.post(f"/tasks/{task['id']}/restore").json() for task in (kept, lost)]

    assert [task["assignee_ids"] for task in restored] == [[cleo.id], []]
    assert [task["id"] for task in ann.list(f"/rooms/{room['id']}/tasks", user_id="none")] == [lost["id"]]
    assert bob.list("/tasks") == []
    product.deliver()
    assert _violations(product) == []


def test_personal_tasks_have_a_trash_of_their_own(product: Product) -> None:
    ann, eve = product.register("ann"), product.register("eve")
    tasks = [ann.plan(description=LONG) for _ in range(3)]
    _delete(ann, *tasks)

    assert [each["id"] for each in ann.list("/users/me/trash", limit=2)] == [task["id"] for task in reversed(tasks)]
    assert ann.get(f"/users/{ann.id}/trash", params={"limit": 1}).json()["next_cursor"] is not None
    problem(eve.get(f"/users/{ann.id}/trash"), 404)
    problem(eve.delete(f"/users/{ann.id}/trash/{tasks[0]['id']}"), 404)
    exported = ann.get("/users/me/export").json()
    assert ([each["description"] for each in exported["trash"]], exported["tasks"]) == ([LONG] * 3, [])
    assert ann.post(f"/tasks/{tasks[0]['id']}/restore").json()["assignee_ids"] == [ann.id]
    for task in tasks[1:]:
        assert ann.delete(f"/users/me/trash/{task['id']}").status == 204
    assert ann.list("/users/me/trash") == []
    left = {item["item"].rpartition("#")[2] for item in product.items("TasksTableV2")}
    assert left == {tasks[0]["id"]}


@pytest.mark.parametrize("action", ["restore", "purge"])
def test_the_entity_tag_of_the_trash_guards_what_is_done_there(product: Product, action: str) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    _delete(ann, task)

    def request(tag: str) -> Any:
        if action == "restore":
            return ann.post(f"/tasks/{task['id']}/restore", headers={"If-Match": tag})
        return ann.delete(f"/rooms/{room['id']}/trash/{task['id']}", headers={"If-Match": tag})

    problem(request('"1"'), 412)
    assert len(ann.list(f"/rooms/{room['id']}/trash")) == 1
    assert request('"2"').status in (200, 204)
    assert ann.list(f"/rooms/{room['id']}/trash") == []


def test_what_has_expired_is_not_found_and_the_sweeper_deletes_it(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    tasks = [ann.plan(room_id=room["id"], description=LONG), ann.plan(), ann.plan(room_id=room["id"])]
    expired, fresh = tasks[:2], tasks[2]
    _delete(ann, *tasks)
    for task in expired:
        _trashed_ago(product, task, timedelta(days=30, seconds=1))
    _trashed_ago(product, fresh, timedelta(days=29, hours=23))

    assert [each["id"] for each in ann.list(f"/rooms/{room['id']}/trash")] == [fresh["id"]]
    assert ann.list("/users/me/trash") == []
    problem(ann.post(f"/tasks/{expired[0]['id']}/restore"), 404)
    problem(ann.delete(f"/rooms/{room['id']}/trash/{expired[0]['id']}"), 404)
    problem(ann.delete(f"/users/me/trash/{expired[1]['id']}"), 404)

    swept = call(product.aws, "SweeperFunction", {}, 60.0)["trash"]

    assert swept == {"found": 2, "finished": 2, "failed": [], "complete": True}
    assert {item["item"] for item in product.items("TasksTableV2")} == {fresh["id"]}
    product.deliver()
    [purged] = [each for each in ann.list(f"/rooms/{room['id']}/activity") if each["action"] == "purged"]
    assert (purged["actor_id"], purged["resource_id"]) == (None, expired[0]["id"])


def test_a_restored_assignment_without_a_join_id_is_by_the_membership_of_today(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"])
    assign(product, task["id"], bob.id)
    _delete(ann, task)

    assert ann.post(f"/tasks/{task['id']}/restore").json()["assignee_ids"] == [bob.id]

    [link] = [item for item in product.items("TasksTableV2") if "assignee_id" in item]
    [membership] = [item for item in product.items("RoomsTable") if item["item"] == f"MEMBER#{bob.id}"]
    assert link["join_id"] == membership["join_id"]
