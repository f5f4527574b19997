"""The overview and the keys behind it, over real HTTP and with several workers of a function."""

from tests.journeys.service import Service, at_once, eventually
from tests.support.client import Response


def test_users_see_their_own_resources_and_not_a_room_they_were_removed_from(service: Service) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], user_id=bob.id)

    def shown() -> bool:
        found = bob.get("/", headers={"Cache-Control": "no-cache"}).json()
        return [each["id"] for each in found["rooms"]] == [room["id"]] and found["tasks"] == [task]

    assert eventually(shown)
    assert {user["id"] for user in bob.get("/").json()["users"]} == {ann.id, bob.id}
    # Several workers answer, and each keeps what it has answered.
    at_once([lambda: bob.get("/")] * 6)
    assert ann.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204

    responses: list[Response] = at_once([lambda: bob.get("/")] * 6)

    assert [response.status for response in responses] == [200] * 6
    assert [response.json()["rooms"] for response in responses] == [[]] * 6
    assert [response.json()["tasks"] for response in responses] == [[]] * 6


def test_keys_are_resolved_for_authorized_callers(service: Service) -> None:
    ann, eve = service.register("ann"), service.register("eve")
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    keys = {"users": [ann.id], "rooms": [room["id"]], "tasks": [task["id"]], "codes": [room["code"]]}

    assert eventually(lambda: ann.post("/keys/resolve", json=keys).json()["codes"] == {room["code"]: room["id"]})
    assert ann.post("/keys/resolve", json=keys).json()["missing"] == []
    assert eve.post("/keys/resolve", json=keys).json()["missing"] == [ann.id, room["id"], task["id"], room["code"]]
