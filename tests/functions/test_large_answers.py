"""However long the texts are that are stored, no answer is larger than Lambda passes on: lists are cut and go on.

The gateway of the tests refuses what is larger, as Lambda does. The texts here are as they could be stored before
control characters were refused: in JSON each takes six bytes, and a seventh on the way through Lambda.
"""

from typing import Any

from tests.functions.room_cleanup.deliveries import copies
from tests.support import tables
from tests.support.client import Answer, Person
from tests.support.product import Product

TASKS = 70
MOST_BYTES = 4_200_000


def with_long_tasks(product: Product) -> tuple[Person, Any]:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    key = {"owner_id": room["id"], "task_id": task["id"]}
    tables.change(product.aws, "TasksTable", key, description="\x01" * 10_000)
    copies(product, task, TASKS - 1)
    return ann, room


def test_lists_are_cut_by_bytes_and_go_on(product: Product) -> None:
    ann, room = with_long_tasks(product)

    for path in ("/tasks", f"/rooms/{room['id']}/tasks", f"/tasks?sort=priority&room_id={room['id']}"):
        join = "&" if "?" in path else "?"
        first = ann.get(f"{path}{join}limit=100")
        assert first.status == 200, first
        assert len(first.text.encode()) < MOST_BYTES
        assert 0 < len(first.json()["items"]) < TASKS
        assert 'rel="next"' in first.headers["Link"]

        second = ann.get(f"{path}{join}limit=100&cursor={first.json()['next_cursor']}")

        ids = [task["id"] for answer in (first, second) for task in answer.json()["items"]]
        assert len(ids) == len(set(ids)) == TASKS
        assert second.json()["next_cursor"] is None


def test_what_has_no_cursor_says_that_it_is_cut(product: Product) -> None:
    ann, room = with_long_tasks(product)
    ids = [task["id"] for task in ann.list(f"/rooms/{room['id']}/tasks", limit=50)]

    overview = ann.get("/", headers={"Cache-Control": "no-cache"})
    first = ann.post("/keys/resolve", json={"tasks": ids, "rooms": []})
    second = ann.post("/keys/resolve", json={"tasks": first.json()["left_out"]})

    assert overview.status == first.status == second.status == 200
    assert max(len(answer.text.encode()) for answer in (overview, first, second)) < MOST_BYTES
    assert overview.json()["truncated"]
    assert overview.json()["rooms"]
    assert first.json()["missing"] == []
    assert "left_out" not in second.json()
    assert {*first.json()["tasks"], *second.json()["tasks"]} == {*ids}
    assert len(first.json()["tasks"]) + len(second.json()["tasks"]) == TASKS


def test_an_export_is_cut_by_bytes_and_goes_on(product: Product) -> None:
    ann, _ = with_long_tasks(product)
    pages: list[Answer] = []
    params: dict[str, Any] = {}

    while not pages or params["cursor"]:
        pages.append(ann.get("/users/me/export", params=params))
        assert pages[-1].status == 200, pages[-1]
        params = {"cursor": pages[-1].json()["next_cursor"]}

    assert max(len(page.text.encode()) for page in pages) < MOST_BYTES
    ids = [task["id"] for page in pages for task in page.json()["tasks"]]
    assert len(ids) == len(set(ids)) == TASKS
    assert [len(page.json()["rooms"]) for page in pages] == [1, *[0] * (len(pages) - 1)]


def test_a_trail_of_long_texts_is_cut_and_goes_on(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    for number in range(8):
        ann.patch(f"/tasks/{task['id']}", json={"description": f"{number}" + '"' * 9_990})
    product.deliver()

    trail = ann.list(f"/rooms/{room['id']}/activity", limit=100)

    assert len(trail) == 10
