"""What a sweep costs depends on what there is to finish, and not on how many people and rooms there are."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.aws import LOCK, Aws
from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.request_costs import measured_costs

Json = dict[str, Any]

PEOPLE = 1_000
TO_FINISH = 10
_AT_ONCE = 25
_LONG_AGO = {"S": "2020-01-01T00:00:00.000Z"}


@dataclass(frozen=True)
class Cost:
    round_trips: int
    items: int
    read_units: float
    write_units: float


Sweep = Callable[[], tuple[Json, Cost]]


@pytest.fixture
def sweep(product: Product, capsys: pytest.CaptureFixture[str]) -> Sweep:
    product.aws.stack.parameters["LogLevel"] = "INFO"

    def run() -> tuple[Json, Cost]:
        capsys.readouterr()
        with measured_costs(product.aws) as costs:
            swept: Json = call(product.aws, "SweeperFunction", {"older_than_seconds": 0})
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        round_trips = sum(line["round_trips"] for line in lines if line["event"] == "swept")
        return swept, Cost(round_trips, costs.items, costs.units, costs.write_units.total())

    return run


def _leave_rooms_empty(product: Product) -> None:
    """Rooms whose last member left, and of which no record comes."""
    ann = product.register("ann")
    for _ in range(TO_FINISH):
        room = ann.open_room()
        ann.plan(room_id=room["id"])
        assert ann.delete(f"/rooms/{room['id']}").status == 204


def put_crowd(aws: Aws, people: int) -> None:
    """So many active people, each in a room of their own, written past the product."""
    for start in range(0, people, _AT_ONCE):
        numbers = range(start, start + _AT_ONCE)
        for table, item in (("UsersTable", _user), ("RoomsTable", _room)):
            with LOCK:
                puts: list[Any] = [{"PutRequest": {"Item": item(number)}} for number in numbers]
                aws.dynamodb.batch_write_item(RequestItems={table: puts})


def _user(number: int) -> Json:
    return {
        "user_id": {"S": f"usr_{number:032x}"},
        "kind": {"S": "user"},
        "status": {"S": "active"},
        "updated_at": _LONG_AGO,
    }


def _room(number: int) -> Json:
    return {
        "room_id": {"S": f"room_{number:032x}"},
        "item": {"S": "ROOM"},
        "kind": {"S": "room"},
        "member_count": {"N": "1"},
        "updated_at": _LONG_AGO,
    }


def test_a_sweep_without_findings_queries_each_index_and_the_connections_once(product: Product, sweep: Sweep) -> None:
    product.register("ann").open_room()

    swept, cost = sweep()

    assert {kind: each["found"] for kind, each in swept.items()} == dict.fromkeys(swept, 0)
    # That of webhooks has eight partitions.
    assert cost == Cost(round_trips=14, items=0, read_units=7.5, write_units=0)


def test_the_cost_does_not_depend_on_the_number_of_users(product: Product, sweep: Sweep) -> None:
    _leave_rooms_empty(product)
    first, of_few = sweep()
    put_crowd(product.aws, PEOPLE)
    _leave_rooms_empty(product)

    second, of_many = sweep()

    assert first["rooms"]["finished"] == second["rooms"]["finished"] == TO_FINISH
    assert of_many == of_few
