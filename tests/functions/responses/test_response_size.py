"""However long the texts are that are stored, no response is larger than Lambda passes on: lists are cut and go on.

The gateway of the tests refuses what is larger, as Lambda does. The texts here are as they could be stored before
control characters were refused: in JSON each takes six bytes, and a seventh on the way through Lambda.
"""

from collections.abc import Callable
from typing import Any

from tests.functions.room_cleanup.stream_deliveries import copies
from tests.support import tables
from tests.support.client import Response
from tests.support.product import Product

# More than 6 MB together.
TASKS = 92
MOST_BYTES = 4_000_000


def whole(ask: Callable[[dict[str, Any]], Response]) -> list[Response]:
    """All pages, none of which is too large."""
    pages: list[Response] = []
    params: dict[str, Any] = {}
    while not pages or params["cursor"] is not None:
        pages.append(ask(params))
        assert pages[-1].status == 200, pages[-1].status
        assert len(pages[-1].text.encode()) < MOST_BYTES
        params = {"cursor": pages[-1].json()["next_cursor"]}
    return pages


def test_a_list_over_the_response_limit_is_cut_and_continues(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    key = {"owner_id": room["id"], "item": task["id"]}
    tables.change(product.aws, "TasksTableV2", key, description="\x01" * 10_000)
    copies(product, task, TASKS - 1)

    listed = whole(lambda cursor: ann.get(f"/rooms/{room['id']}/tasks", params={"limit": 100, **cursor}))
    exported = whole(lambda cursor: ann.get("/users/me/export", params=cursor))
    mine = ann.get("/tasks?limit=100&sort=-created_at")
    overview = ann.get("/", headers={"Cache-Control": "no-cache"})
    ids = [task["id"] for page in listed for task in page.json()["items"]]
    resolved = ann.post("/keys/resolve", json={"tasks": ids, "rooms": [room["id"]]})

    assert len(ids) == len(set(ids)) == TASKS
    assert len(listed) > 1
    assert 'rel="next"' in listed[0].headers["Link"]
    of_export = [task["id"] for page in exported for task in page.json()["tasks"]]
    assert (len(of_export), {*of_export}) == (TASKS, {*ids})
    assert [len(page.json()["rooms"]) for page in exported] == [1, *[0] * (len(exported) - 1)]
    assert (mine.status, overview.status, resolved.status) == (200, 200, 200)
    assert mine.json()["next_cursor"] is not None
    assert overview.json()["truncated"]
    assert overview.json()["rooms"]
    found, left_out = resolved.json()["tasks"], resolved.json()["left_out"]
    assert resolved.json()["rooms"].keys() == {room["id"]}
    assert resolved.json()["missing"] == []
    assert (len(found) + len(left_out), {*found, *left_out}) == (TASKS, {*ids})


def test_a_list_under_the_response_limit_is_complete(product: Product) -> None:
    ann = product.register("ann")
    tasks = [ann.plan()["id"] for _ in range(3)]

    assert "left_out" not in ann.post("/keys/resolve", json={"tasks": tasks}).json()
    assert ann.get("/").json()["truncated"] is False
