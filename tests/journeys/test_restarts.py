"""What was answered before a stop is there after the start."""

from tests.journeys.service import Service, eventually
from tests.support.problems import problem


def test_a_restart_keeps_users_rooms_tasks_and_sessions(service: Service) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    room = ann.open_room(name="Before the restart")
    bob.join(room)
    task = bob.plan(room_id=room["id"], deadline="2027-01-31T12:00:00Z")
    logged_out = service.anonymous.sign_in(bob.username)
    service.anonymous.post("/auth/logout", json={"refresh_token": logged_out.refresh_token})
    keys = service.anonymous.get("/.well-known/jwks.json").json()

    service.restart()

    assert ann.get(f"/rooms/{room['id']}").json()["user_ids"] == [ann.id, bob.id]
    assert ann.get(f"/tasks/{task['id']}").json() == task
    assert service.anonymous.sign_in(ann.username).id == ann.id
    assert service.anonymous.post("/auth/refresh", json={"refresh_token": bob.refresh_token}).status == 200
    problem(logged_out.get("/users/me"), 401, "token_revoked")
    assert service.anonymous.get("/.well-known/jwks.json").json() == keys

    # Streams go on from where they were.
    assert ann.delete(f"/rooms/{room['id']}").status == 204
    assert eventually(lambda: not [item for item in service.items("RoomsTable") if item["room_id"] == room["id"]])
