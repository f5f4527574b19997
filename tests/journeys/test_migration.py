"""Rooms stored by an earlier version are migrated while people come and go, although the function is killed."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infrastructure import audit, deployed, migrate
from tests.journeys.service import Service, eventually
from tests.storm.workers import workers
from tests.support.client import Client, Person

Json = dict[str, Any]

ROOMS = 20
GUESTS = 4
# Slow enough that there is a middle to be killed in.
ITEMS_PER_SECOND = 10


class Guest:
    """Joins rooms and leaves them until told to stop."""

    def __init__(self, service: Service, rooms: list[Json], seed: int) -> None:
        self._person: Person = Client.over_http(service.addresses.api_url).register(f"guest-{seed}")
        self._rooms = rooms
        self._dice = random.Random(seed)
        self.responses: Counter[int] = Counter()

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            room = self._dice.choice(self._rooms)
            if self._dice.random() < 0.5:
                response = self._person.post("/rooms/join", json={"code": room["code"]})
            else:
                response = self._person.delete(f"/rooms/{room['id']}/users/{self._person.id}")
            self.responses[response.status] += 1
        self._person.connection.close()


def make_old(service: Service, room: Json) -> None:
    """As it was stored before rooms named their members."""
    service.addresses.client("dynamodb").update_item(
        TableName=service.addresses.outputs["RoomsTable"],
        Key={"room_id": {"S": room["id"]}, "item": {"S": "ROOM"}},
        UpdateExpression="REMOVE member_ids",
    )


def audited(service: Service) -> Any:
    """The audit's report."""
    return audit.audit(service.addresses.client("lambda"), service.addresses.outputs["AuditorFunction"], {})


def function(service: Service) -> tuple[Any, str]:
    return deployed.functions(service.addresses.client), service.addresses.outputs["MigrationsFunction"]


def run(service: Service, **event: Any) -> Any:
    """The state of the migration, once it is done."""
    return [report["migrations"][0] for report in migrate.until_done(*function(service), event)][-1]


def kill_in_the_middle(service: Service) -> None:
    def in_the_middle() -> bool:
        [state] = migrate.call(*function(service), {"status": True})["migrations"][:1]
        return bool(state["looked_at"] > 0 and not state["done"])

    assert eventually(in_the_middle)
    # All of them: another one has only said how far the first has come.
    killed = [worker.kill() for worker in workers(service.data) if worker.function == "MigrationsFunction"]
    assert any(killed)


def test_a_killed_migration_under_load_continues(fresh: Service) -> None:
    ann = fresh.register("ann")
    rooms = [ann.open_room() for _ in range(ROOMS)]
    run(fresh, items_per_second=10_000)
    for room in rooms:
        make_old(fresh, room)
    broken = [finding for finding in audited(fresh)["findings"] if finding["violations"]]
    assert [(finding["invariant"], finding["violations"]) for finding in broken] == [("I1", ROOMS)]
    guests, over = [Guest(fresh, rooms, seed) for seed in range(GUESTS)], threading.Event()

    with ThreadPoolExecutor(GUESTS + 1) as threads:
        playing = [threads.submit(guest.run, over) for guest in guests]
        try:
            again = {"again": ["0001-member-ids"], "items_per_second": ITEMS_PER_SECOND}
            cut_off = threads.submit(run, fresh, **again)
            kill_in_the_middle(fresh)
            with pytest.raises(migrate.MigrationFailed):
                cut_off.result()
            begun = run(fresh, status=True)
            done = run(fresh, items_per_second=ITEMS_PER_SECOND)
        finally:
            over.set()
        for each in playing:
            each.result()

    responses = sum((guest.responses for guest in guests), Counter[int]())
    assert 0 < begun["looked_at"] < done["looked_at"]
    assert (begun["done"], done["done"], done["left"]) == (False, True, 0)
    assert responses[200] > 0
    assert responses[204] > 0
    assert set(responses) <= {200, 204, 404, 409}
    report = audited(fresh)
    assert audit.clean(report), "\n".join(audit.lines(report))
