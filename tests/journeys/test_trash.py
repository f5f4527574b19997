"""Tasks of several people go to the trash and come back, are put in order, and end; the streams tell of it all."""

from typing import Any

from tests.journeys.service import Service, eventually
from tests.support.client import Person
from tests.support.problems import problem

LONG = "Each with a number. " * 50
"""A description that is an item of its own."""


def titles(person: Person, path: str, **params: Any) -> list[str]:
    return [task["title"] for task in person.list(path, **params)]


def trail(person: Person, room: Any, task: Any) -> list[tuple[str, str | None]]:
    """What was done to a task, and by whom, oldest first."""
    entries = person.list(f"/rooms/{room['id']}/activity")[::-1]
    return [(entry["action"], entry["actor_id"]) for entry in entries if entry["resource_id"] == task["id"]]


def stored(service: Service, task: Any) -> list[dict[str, Any]]:
    """The task's own item, its links and its description."""
    return [item for item in service.items("TasksTableV2") if item["item"].endswith(task["id"])]


def test_a_task_of_several_people_goes_to_the_trash_and_comes_back(service: Service) -> None:
    ann, bob, eve = service.register("ann"), service.register("bob"), service.register("eve")
    room = ann.open_room()
    path, trash = f"/rooms/{room['id']}/tasks", f"/rooms/{room['id']}/trash"
    for person in (bob, eve):
        person.join(room)
    tents = ann.plan(room_id=room["id"], title="Tents", description=LONG, assignee_ids=[bob.id, eve.id, ann.id])
    ann.plan(room_id=room["id"], title="Music", deadline="2027-06-01")
    chairs = bob.plan(room_id=room["id"], title="Chairs", assignee_ids=[])

    # Each finds what is assigned to them, and what is assigned to nobody.
    assert titles(ann, path, user_id=eve.id) == ["Tents"]
    assert titles(ann, path, user_id="none") == ["Chairs"]
    assert titles(ann, path, deadline_from="2027-06-01", deadline_to="2027-06-01") == ["Music"]
    assert titles(eve, "/tasks") == ["Tents"]

    # In the trash it is in no list, and there for all to see.
    assert bob.delete(f"/tasks/{tents['id']}").status == 204
    problem(ann.get(f"/tasks/{tents['id']}"), 404, "not_found")
    assert titles(ann, path) == titles(ann, path, sort="rank") == ["Music", "Chairs"]
    assert titles(eve, "/tasks") == titles(ann, path, user_id=bob.id) == []
    [shown] = eve.list(trash)
    assert (shown["title"], shown["trashed_by"]) == ("Tents", bob.id)
    assert shown["assignee_ids"] == [bob.id, eve.id, ann.id]

    # Who leaves meanwhile and comes back is not assigned again.
    assert eve.delete(f"/rooms/{room['id']}/users/{eve.id}").status == 204
    eve.join(room)
    restored = ann.post(f"/tasks/{tents['id']}/restore")
    assert restored.status == 200, restored
    assert restored.json()["assignee_ids"] == [bob.id, ann.id]
    assert restored.json()["description"] == LONG
    problem(ann.post(f"/tasks/{tents['id']}/restore"), 404, "not_found")
    assert titles(ann, path) == titles(ann, path, sort="rank") == ["Tents", "Music", "Chairs"]
    assert (titles(bob, "/tasks"), titles(eve, "/tasks"), eve.list(trash)) == (["Tents"], [], [])

    # In the order of the board, behind another.
    moved = bob.post(f"/tasks/{tents['id']}/move", json={"after": chairs["id"]})
    assert moved.status == 200, moved
    assert titles(ann, path, sort="rank") == ["Music", "Chairs", "Tents"]

    # For good.
    assert bob.delete(f"/tasks/{tents['id']}").status == 204
    assert ann.delete(f"{trash}/{tents['id']}").status == 204
    assert (ann.list(trash), stored(service, tents)) == ([], [])
    told = [("created", ann.id), ("trashed", bob.id), ("restored", ann.id), ("moved", bob.id), ("trashed", bob.id)]
    assert eventually(lambda: trail(ann, room, tents) == [*told, ("purged", ann.id)]), trail(ann, room, tents)


def test_who_leaves_is_unassigned_from_the_tasks_of_several(service: Service) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    room = ann.open_room()
    path = f"/rooms/{room['id']}/tasks"
    bob.join(room)
    both = ann.plan(room_id=room["id"], title="Both", assignee_ids=[bob.id, ann.id])
    one = ann.plan(room_id=room["id"], title="One", assignee_ids=[bob.id])

    assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204

    assert eventually(lambda: titles(ann, path, user_id="none") == ["One"])
    assert eventually(lambda: ann.get(f"/tasks/{both['id']}").json()["assignee_ids"] == [ann.id])
    assert titles(ann, path, user_id="me") == ["Both"]
    told = [("created", ann.id), ("updated", None)]
    assert eventually(lambda: trail(ann, room, both) == trail(ann, room, one) == told)
    # Coming back brings no assignment back.
    bob.join(room)
    assert titles(bob, "/tasks") == titles(ann, path, user_id=bob.id) == []


def test_the_sweeper_ends_what_has_expired_in_the_trash(service: Service) -> None:
    ann = service.register("ann")
    room = ann.open_room()
    old, kept = ann.plan(room_id=room["id"], description=LONG), ann.plan(room_id=room["id"])
    own = ann.plan(description=LONG)
    for task in (old, own):
        assert ann.delete(f"/tasks/{task['id']}").status == 204

    with service.configured("SweeperFunction", TRASH_DAYS="0"):
        service.sweep()

    for task in (old, own):
        assert stored(service, task) == []
        problem(ann.post(f"/tasks/{task['id']}/restore"), 404, "not_found")
    assert ann.list(f"/rooms/{room['id']}/trash") == ann.list("/users/me/trash") == []
    assert [task["id"] for task in ann.list(f"/rooms/{room['id']}/tasks")] == [kept["id"]]
    told = [("created", ann.id), ("trashed", ann.id), ("purged", None)]
    assert eventually(lambda: trail(ann, room, old) == told), trail(ann, room, old)
