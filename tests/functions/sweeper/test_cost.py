"""What a sweep costs depends on what there is to finish, and not on how many people and rooms there are."""

from dataclasses import dataclass
from typing import Any

from tests.support.aws import LOCK, Aws
from tests.support.lambdas import call
from tests.support.product import Product
from tests.support.spending import spending

Json = dict[str, Any]

PEOPLE = 1_000
TO_FINISH = 10
_AT_ONCE = 25
_LONG_AGO = {"S": "2020-01-01T00:00:00.000Z"}


@dataclass(frozen=True)
class Cost:
    calls: int
    items: int
    read_units: float
    write_units: float


def _sweep(product: Product) -> tuple[Json, Cost]:
    before = len(product.aws.permissions.calls)
    with spending(product.aws) as spent:
        swept: Json = call(product.aws, "SweeperFunction", {"older_than_seconds": 0})
    calls = len(product.aws.permissions.calls) - before
    return swept, Cost(calls, spent.items, spent.units, spent.write_units.total())


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
                puts = [{"PutRequest": {"Item": item(number)}} for number in numbers]
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


def test_a_sweep_that_finds_nothing_asks_each_index_once(product: Product) -> None:
    product.register("ann").open_room()

    swept, cost = _sweep(product)

    assert {kind: result["found"] for kind, result in swept.items()} == {"users": 0, "rooms": 0, "unassignments": 0}
    assert cost == Cost(calls=3, items=0, read_units=1.5, write_units=0)


def test_the_cost_does_not_depend_on_the_number_of_people(product: Product) -> None:
    _leave_rooms_empty(product)
    first, of_few = _sweep(product)
    put_crowd(product.aws, PEOPLE)
    _leave_rooms_empty(product)

    second, of_many = _sweep(product)

    assert first["rooms"]["finished"] == second["rooms"]["finished"] == TO_FINISH
    assert of_many == of_few
