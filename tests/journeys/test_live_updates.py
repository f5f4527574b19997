"""Live updates over real WebSockets: tickets, hints, pings, and the end of sessions."""

import pytest

from tests.journeys.service import Service, eventually
from tests.support.client import Person
from tests.support.websocket import HandshakeRefused, WebSocket


def connect(person: Person) -> WebSocket:
    return WebSocket(person.post("/live/tickets").json()["url"])


def test_a_change_is_hinted_to_another_member_and_not_to_one_who_was_removed(service: Service) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    room = ann.open_room()
    bob.join(room)
    with connect(bob) as socket:
        ann.plan(room_id=room["id"])
        assert socket.await_message(lambda hint: hint.get("room_id") == room["id"] and hint["seq"] >= 3)

        assert ann.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
        assert socket.await_message(lambda hint: hint == {"type": "rooms"})
        late = ann.plan(room_id=room["id"])
        assert eventually(lambda: _is_logged(ann, room, late))
        socket.ask({"type": "ping"})

        assert socket.until({"type": "pong"}) == []


def test_a_ticket_opens_one_websocket(service: Service) -> None:
    url = service.register("ann").post("/live/tickets").json()["url"]

    with WebSocket(url) as socket:
        socket.ask({"type": "ping"})
        assert socket.until({"type": "pong"}) == []
    for used in (url, url.partition("?")[0], url + "x"):
        with pytest.raises(HandshakeRefused):
            WebSocket(used)


def test_the_end_of_a_session_closes_its_websocket(service: Service) -> None:
    ann = service.register("ann")
    elsewhere = service.anonymous.sign_in(ann.username)
    with connect(ann) as ended, connect(elsewhere) as kept:
        assert service.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token}).status == 204

        assert ended.await_close()
        kept.ask({"type": "ping"})
        assert kept.until({"type": "pong"}) == []


def _is_logged(person: Person, room: dict[str, str], task: dict[str, str]) -> bool:
    entries = person.get(f"/rooms/{room['id']}/activity").json()["items"]
    return task["id"] in {entry["resource_id"] for entry in entries}
