"""Live updates over real WebSockets: tickets, hints, pings, and the end of sessions."""

import time
from functools import partial
from typing import Any

import httpx
import pytest

from infrastructure.smoke.websocket import HandshakeRefused, WebSocket
from tests.journeys.service import Service
from tests.support.client import Person
from tests.support.documents import defined


def connect(person: Person) -> WebSocket:
    return WebSocket(person.post("/live/tickets").json()["url"])


def test_a_change_is_hinted_to_another_member_and_not_to_one_who_was_removed(service: Service) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    room = ann.open_room()
    bob.join(room)
    with connect(bob) as socket, connect(ann) as other:
        ann.plan(room_id=room["id"])
        assert socket.await_message(lambda hint: hint.get("room_id") == room["id"] and hint["seq"] >= 3)

        assert ann.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
        assert socket.await_message(lambda hint: hint == {"type": "rooms"})
        for last in (5, 6):  # when Ann has the hint of the second, Bob would have had that of the first
            ann.plan(room_id=room["id"])
            assert other.await_message(partial(_goes_up_to, room, last))
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


def test_a_new_password_closes_all_websockets(service: Service) -> None:
    ann = service.register("ann")
    elsewhere = service.anonymous.sign_in(ann.username)
    with connect(ann) as first, connect(elsewhere) as second:
        body = {"current_password": ann.password, "new_password": "crimson lantern 44 boat"}
        assert ann.post("/auth/password", json=body).status == 204

        assert first.await_close()
        assert second.await_close()


def test_the_program_of_the_guide_follows_what_happens(service: Service) -> None:
    shown = {
        **(of_client := defined("docs/guides/integrate.md", "python client")),
        **defined("docs/guides/sync.md", "python sync"),
        **defined("docs/guides/live.md", "python live", Problem=of_client["Problem"]),
    }
    ann, bob = service.register("ann"), service.register("bob")
    room = ann.open_room()
    client = shown["TaskSync"](service.addresses.api_url, ann.username, ann.password)
    client.sign_in()
    copy = shown["empty"]()
    titles: list[list[str]] = []

    def ask() -> None:
        shown["sync"](client, copy, lambda _: None)
        titles.append([task["title"] for task in copy["tasks"].values()])
        if len(titles) == 1:
            bob.join(room)
            bob.plan(title="Order the desks", room_id=room["id"])
        if titles[-1]:
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        shown["follow"](client, ask)

    client.http.close()
    assert titles[0] == []
    assert titles[-1] == ["Order the desks"]
    assert time.monotonic() - started < 60  # not by asking once a minute


def test_the_program_of_the_guide_goes_on_after_the_server_could_not_be_reached(service: Service) -> None:
    problem = defined("docs/guides/integrate.md", "python client")["Problem"]
    follow = defined("docs/guides/live.md", "python live", Problem=problem)["follow"]
    ann = service.register("ann")
    reached: list[str] = []

    class Client:
        """Away twice for longer than a client tries; then it refuses, as when the account is deleted."""

        def __init__(self) -> None:
            self.responses = iter((None, 503, 0, None, 403))

        def request(self, method: str, path: str) -> httpx.Response:
            status = next(self.responses)
            if status is None:
                raise httpx.ConnectError("refused")
            if status:
                raise problem(httpx.Response(status, json={"code": "any"}))
            response = ann.request(method, path)
            return httpx.Response(response.status, content=response.text)

    def ask() -> None:
        reached.append("asked")
        raise httpx.ReadTimeout("too late")

    with pytest.raises(problem) as refused:
        follow(Client(), ask)

    assert (reached, refused.value.status) == (["asked"], 403)


def _goes_up_to(room: dict[str, str], last: int, hint: dict[str, Any]) -> bool:
    return hint.get("room_id") == room["id"] and int(hint["seq"]) >= last
