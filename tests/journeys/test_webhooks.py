"""Webhooks over real connections: receivers that behave badly, and functions that are killed, lose no event."""

import contextlib
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Figures
from tests.functions.webhooks import receivers
from tests.functions.webhooks.certificates import certificate
from tests.functions.webhooks.hooked_room import titles, verified
from tests.functions.webhooks.receivers import Answer, Receiver, status
from tests.journeys.service import Service, eventually
from tests.storm.workers import workers
from tests.support.client import Person
from webhook_delivery.sender import DEADLINE_SECONDS

Json = dict[str, Any]

BAD = {
    "fails": status(500),
    "is gone": status(410),
    "redirects": status(307, Location="/elsewhere"),
    "hangs": receivers.hang,
    "is slow": receivers.slowly(2),
    "dies in its headers": receivers.die_in_headers,
    "dies in its body": receivers.die,
    "vanishes": receivers.vanish,
    "floods": receivers.flood_chunk,
}
"""What a receiver does at the first attempt. Then it is well."""

_LEASE_SECONDS = 120

_EVENTS = 20

_MOST_AT_ONCE = 8 + 2 * 8
"""Attempts at one receiver that hangs: one in each invocation, and those from the queue of slow receivers."""


_NAME = "hooks.example.org"

_RESOLVER = f"""
import socket
from pathlib import Path

resolved = socket.getaddrinfo


def getaddrinfo(host, *arguments, **options):
    if host == "{_NAME}":
        host = Path(__file__).with_name("addresses").read_text(encoding="utf-8")
    return resolved(host, *arguments, **options)


socket.getaddrinfo = getaddrinfo
"""
"""A module that Python imports when it starts: one name resolves to what a file says."""


class Hook:
    """A webhook of a room, with its receiver."""

    def __init__(
        self, ann: Person, room: Json, receiver: Receiver, *, ordered: bool = False, url: str | None = None
    ) -> None:
        self.receiver = receiver
        self._ann = ann
        path = f"/rooms/{room['id']}/webhooks"
        response = ann.post(path, json={"url": url or receiver.url, "events": ["task.created"], "ordered": ordered})
        assert response.status == 201, response
        self.secret: str = response.json()["secret"]
        self.path = f"{path}/{response.json()['id']}"

    def statuses(self) -> list[str]:
        """Of the deliveries in the ledger, oldest first."""
        return [each["status"] for each in self.deliveries()]

    def deliveries(self) -> list[Json]:
        return self._ann.list(f"{self.path}/deliveries")[::-1]

    def state(self) -> str:
        return str(self._ann.get(self.path).json()["state"])

    def ask(self, what: str, body: Json) -> None:
        response = self._ann.post(f"{self.path}/{what}", json=body)
        assert response.status in {200, 202}, response


def test_every_event_arrives_whatever_a_receiver_does_at_first(service: Service, figures: Figures) -> None:
    ann = service.register()
    room = ann.open_room()
    with contextlib.ExitStack() as stack:

        def hook(*answers: Answer, ordered: bool = False) -> Hook:
            return Hook(ann, room, stack.enter_context(Receiver(*answers).listening()), ordered=ordered)

        hooks = {name: hook(answer, status(200)) for name, answer in BAD.items()}
        ordered = hook(receivers.die, status(200), status(503), status(200), ordered=True)
        planned = ["first", "second", "third"]
        for title in planned:
            ann.plan(title=title, room_id=room["id"])

        gone = hooks.pop("is gone")
        assert eventually(lambda: gone.state() == "disabled" and "pending" not in gone.statuses())
        for each in [*hooks.values(), ordered]:
            assert eventually(_has_delivered(each, planned)), each.deliveries()

        # What was not delivered stands as failed, or came while the webhook was disabled.
        assert "failed" in gone.statuses()
        seqs = [each["seq"] for each in ordered.deliveries()]
        gone.ask("resume", {})
        gone.ask("replay", {"from": seqs[0], "to": seqs[-1]})
        assert eventually(_has_delivered(gone, planned)), gone.deliveries()

        for each in [*hooks.values(), gone, ordered]:
            ids = {verified(each.secret, request)["data"]["seq"]: set[str]() for request in each.receiver.requests}
            for request in each.receiver.requests:
                ids[verified(each.secret, request)["data"]["seq"]].add(request.headers["webhook-id"])
            assert [*map(len, ids.values())] == [1] * 3
        # Attempts at one event stand together, and there was never more than one in flight.
        assert list(dict.fromkeys(titles(ordered.receiver.requests))) == planned
        assert titles(ordered.receiver.requests) == ["first", "first", "second", "second", "third"]
        assert ordered.receiver.most_in_flight == 1
        figures(f"{len(hooks) + 2} webhooks, {sum(len(each.receiver.requests) for each in hooks.values())} requests")


def test_a_replay_delivers_to_a_receiver_that_was_mended_without_waiting(service: Service) -> None:
    ann = service.register()
    room = ann.open_room()
    with Receiver(status(500), status(500), status(200)).listening() as receiver:
        hook = Hook(ann, room, receiver, ordered=True)
        for title in ("first", "second"):
            ann.plan(title=title, room_id=room["id"])
        # The third attempt would come after four minutes at least.
        assert eventually(lambda: len(receiver.requests) == 2)
        assert eventually(lambda: len(hook.deliveries()[0]["attempts"]) == 2)

        seq = hook.deliveries()[0]["seq"]
        hook.ask("replay", {"from": seq, "to": seq})

        assert eventually(_has_delivered(hook, ["first", "second"])), hook.deliveries()
        assert titles(receiver.requests) == ["first", "first", "first", "second"]


def test_nine_receivers_are_not_held_up_by_one_that_hangs(service: Service, figures: Figures) -> None:
    ann = service.register()
    room = ann.open_room()
    with contextlib.ExitStack() as stack:
        hangs = stack.enter_context(Receiver(receivers.hang).listening())
        hook = Hook(ann, room, hangs)
        quick = [stack.enter_context(Receiver().listening()) for _ in range(9)]
        seconds: list[float] = []
        for each in quick:
            Hook(ann, room, each)

        def arrived() -> bool:
            return all(len(each.requests) == len(seconds) + 1 for each in quick)

        # Each event is an attempt at the one that hangs, for 15 s, until the webhook pauses.
        for number in range(_EVENTS):
            began = time.monotonic()
            ann.plan(title=str(number), room_id=room["id"])
            assert eventually(arrived), [len(each.requests) for each in quick]
            seconds.append(time.monotonic() - began)

        # What hangs is still in flight, or waits.
        assert "delivered" not in hook.statuses()
        # Each would have waited for as long as an attempt at the one that hangs.
        assert max(seconds) < DEADLINE_SECONDS, seconds
        assert sum(seconds) < _EVENTS * DEADLINE_SECONDS / 2, seconds
        assert hangs.most_in_flight <= _MOST_AT_ONCE, hangs.most_in_flight
        shown = ", ".join(f"{each:.1f}" for each in seconds)
        figures(f"seconds until an event is at nine receivers: {shown}; {hangs.most_in_flight} attempts hung at once")


def test_functions_that_are_killed_lose_no_event(service: Service) -> None:
    ann = service.register()
    room = ann.open_room()
    with Receiver().listening() as well, Receiver(receivers.hang, status(200)).listening() as hangs:
        hook, victim = Hook(ann, room, well), Hook(ann, room, hangs, ordered=True)
        ann.plan(title="first", room_id=room["id"])
        # In the middle of an attempt.
        assert eventually(lambda: len(hangs.requests) == 1)
        _kill(service, "WebhookDeliveryFunction", "DispatchFunction")
        ann.plan(title="second", room_id=room["id"])
        _kill(service, "DispatchFunction")

        # Nobody else begins before the lease of the one who was killed is over.
        def delivered() -> bool:
            service.sweep()
            return _has_delivered(victim, ["first", "second"])() and _has_delivered(hook, ["first", "second"])()

        assert eventually(delivered, 3 * _LEASE_SECONDS), (victim.deliveries(), hook.deliveries())
        assert titles(hangs.requests) == ["first", "first", "second"]
        assert hangs.most_in_flight == 1


def test_a_name_that_changes_to_an_inner_address_between_attempts_gets_nothing(
    service: Service, tmp_path: Path
) -> None:
    ann = service.register()
    room = ann.open_room()
    made, key = certificate(_NAME)
    (tmp_path / "receiver.pem").write_bytes(key + made)
    (tmp_path / "trusted.pem").write_bytes(made)
    (tmp_path / "sitecustomize.py").write_text(_RESOLVER, encoding="utf-8")
    addresses = tmp_path / "addresses"
    addresses.write_text("127.0.0.1", encoding="utf-8")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(tmp_path / "receiver.pem")
    # Python itself imports a module of this name from there as it starts. The product knows no such resolver.
    variables = {"PYTHONPATH": str(tmp_path), "SSL_CERT_FILE": str(tmp_path / "trusted.pem")}
    with (
        Receiver(status(500), status(200)).listening(server) as receiver,
        service.configured("WebhookDeliveryFunction", **variables),
    ):
        hook = Hook(ann, room, receiver, url=f"https://{_NAME}:{receiver.port}/")
        ann.plan(title="first", room_id=room["id"])
        assert eventually(lambda: _errors(hook) == ["status_500"]), hook.deliveries()

        addresses.write_text("169.254.169.254", encoding="utf-8")
        assert eventually(lambda: _errors(hook) == ["status_500", "address_not_allowed"]), hook.deliveries()
        assert len(receiver.requests) == 1

        addresses.write_text("127.0.0.1", encoding="utf-8")
        [waiting] = hook.deliveries()
        hook.ask("replay", {"from": waiting["seq"], "to": waiting["seq"]})
        assert eventually(_has_delivered(hook, ["first"])), hook.deliveries()


def _errors(hook: Hook) -> list[str]:
    return [attempt["error"] for each in hook.deliveries() for attempt in each["attempts"]]


def _has_delivered(hook: Hook, planned: list[str]) -> Callable[[], bool]:
    """Whether all events of these tasks stand as delivered, and have arrived."""

    def has() -> bool:
        return hook.statuses() == ["delivered"] * len(planned) and set(titles(hook.receiver.requests)) == set(planned)

    return has


def _kill(service: Service, *functions: str) -> None:
    for worker in workers(service.data):
        if worker.function in functions:
            worker.kill()
