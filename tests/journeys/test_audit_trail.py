"""The audit trail over HTTP: written by the stack itself, soon after each change, and once."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.journeys.service import Service, eventually
from tests.storm.workers import Worker, workers

CHANGES = 30
"""Of each task."""


def test_the_actions_of_a_team_are_in_the_trail_of_its_room(service: Service) -> None:
    ann, bob, eve = service.register("ann"), service.register("bob"), service.register("eve")
    room = ann.open_room(name="Summer fair")
    path = f"/rooms/{room['id']}/activity"
    bob.join(room)
    task = bob.plan(room_id=room["id"], title="Borrow tents")
    changed = ann.patch(f"/tasks/{task['id']}", json={"title": "Rent tents"})
    deleted = bob.delete(f"/tasks/{task['id']}")

    assert eventually(lambda: len(ann.list(path)) == 5)

    newest, before, *_ = ann.list(path)
    assert newest.pop("id") > before.pop("id")
    assert [entry["seq"] for entry in ann.list(path)] == [5, 4, 3, 2, 1]
    assert before == {
        "seq": 4,
        "version": 2,
        "revision": 2,
        "at": changed.json()["updated_at"],
        "actor_id": ann.id,
        "action": "updated",
        "resource": "task",
        "resource_id": task["id"],
        "changes": {"title": {"old": "Borrow tents", "new": "Rent tents"}},
        "request_id": changed.headers["X-Request-Id"],
    }
    assert (newest["action"], newest["actor_id"]) == ("trashed", bob.id)
    assert newest["request_id"] == deleted.headers["X-Request-Id"]
    assert [entry["resource"] for entry in bob.list(path)] == ["task", "task", "task", "membership", "room"]
    assert eve.get(path).status == 404


def test_a_repeatedly_killed_function_records_each_change_once_and_in_order(service: Service) -> None:
    ann = service.register("ann")
    room = ann.open_room()
    tasks = [ann.plan(room_id=room["id"], title="0") for _ in range(4)]
    path = f"/rooms/{room['id']}/activity"
    assert eventually(lambda: len(ann.list(path)) == 5)

    def change(task: dict[str, Any]) -> None:
        for number in range(1, CHANGES + 1):
            assert ann.patch(f"/tasks/{task['id']}", json={"title": str(number)}).status == 200

    with ThreadPoolExecutor(len(tasks)) as threads:
        changing = [threads.submit(change, task) for task in tasks]
        killed = 0
        while not all(each.done() for each in changing):
            killed += sum(worker.kill() for worker in workers(service.data) if started(worker))
            time.sleep(0.3)
        for each in changing:
            each.result()

    assert eventually(lambda: len(ann.list(path)) >= 5 + len(tasks) * CHANGES)
    entries = ann.list(path)[::-1]
    assert killed > 0
    assert [entry["seq"] for entry in entries] == list(range(1, 6 + len(tasks) * CHANGES))
    for task in tasks:
        titles = [each["changes"]["title"]["new"] for each in entries if each["resource_id"] == task["id"]]
        assert titles == [str(number) for number in range(CHANGES + 1)]


def started(worker: Worker) -> bool:
    """ministack takes the death of a worker that is still starting for a broken function."""
    return worker.function == "ActivityFunction" and worker.age >= 2
