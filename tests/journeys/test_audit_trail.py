"""The audit trail over HTTP: written by the stack itself, soon after each change, and once."""

from tests.journeys.service import Service, eventually


def test_what_a_team_did_is_in_the_trail_of_its_room(service: Service) -> None:
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
    assert before == {
        "at": changed.json()["updated_at"],
        "actor_id": ann.id,
        "action": "updated",
        "resource": "task",
        "resource_id": task["id"],
        "changes": {"title": {"old": "Borrow tents", "new": "Rent tents"}},
        "request_id": changed.headers["X-Request-Id"],
    }
    assert (newest["action"], newest["actor_id"]) == ("deleted", bob.id)
    assert newest["changes"]["title"] == {"old": "Rent tents", "new": None}
    assert newest["request_id"] == deleted.headers["X-Request-Id"]
    assert [entry["resource"] for entry in bob.list(path)] == ["task", "task", "task", "membership", "room"]
    assert eve.get(path).status == 404
