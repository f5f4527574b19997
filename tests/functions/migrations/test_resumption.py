"""A migration goes on where it was ended, at the rate it was given, and not a second time."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tasksync.domain.migrations import SEGMENTS, State, begin_anew, migrate, states
from tasksync.dynamodb.migrations.released import released
from tasksync.model.errors import DependencyFailed, WriteConflict
from tasksync.model.migration import Position
from tests.support import tables
from tests.support.context import LambdaContext
from tests.support.function_calls import call
from tests.support.product import Product

MIGRATIONS = released(lambda _: False, lambda _: False, lambda *_: False)


class Numbers:
    """A migration of the numbers from 0 to 199, in as many segments as there are; even ones are changed."""

    description = "numbers are odd"

    def __init__(self, number: int = 1) -> None:
        self.id = f"{number:04}-numbers"
        self.changed: set[int] = set()
        self.looked_at: list[int] = []
        self.outage_at: int | None = None
        self.corrupt: set[int] = set()

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[int], str | None]:
        numbers = [number for number in range(segment, 200, segments) if after is None or number > int(after)]
        page = numbers[:limit]
        return page, str(page[-1]) if len(numbers) > limit else None

    def change(self, item: int) -> bool:
        if item == self.outage_at:
            raise DependencyFailed
        if item in self.corrupt:
            raise WriteConflict
        self.looked_at.append(item)
        if item % 2 or item in self.changed:
            return False
        self.changed.add(item)
        return True


class Kept:
    """Positions in memory."""

    def __init__(self) -> None:
        self.positions: dict[str, list[Position]] = {}

    def of(self, migration_id: str) -> list[Position]:
        return [*self.positions.get(migration_id, [])]

    def save(self, migration_id: str, positions: list[Position]) -> None:
        self.positions[migration_id] = [*positions]


def only(times: int) -> Callable[[], bool]:
    """Time for so many pages."""
    calls = count(1)
    return lambda: next(calls) <= times


def one_by_one(*reads: Callable[[], str]) -> list[str]:
    return [read() for read in reads]


def state(migration: Any, positions: Any) -> State:
    [found] = states([migration], positions)
    return found


EVERY = set(range(0, 200, 2))


def test_each_item_is_examined_once_across_interruptions() -> None:
    numbers, positions, calls = Numbers(), Kept(), 0

    while not state(numbers, positions).done:
        migrate([numbers], positions, 10, only(3), lambda _: None, one_by_one)
        calls += 1

    assert calls > 5
    assert sorted(numbers.looked_at) == list(range(200))
    assert numbers.changed == EVERY
    assert state(numbers, positions) == State(numbers.id, numbers.description, 200, 100, 0, done=True)


def test_a_page_interrupted_in_the_middle_is_examined_again_and_changed_once() -> None:
    numbers, positions = Numbers(), Kept()
    numbers.outage_at = 90

    with pytest.raises(DependencyFailed):
        migrate([numbers], positions, 10, lambda: True, lambda _: None, one_by_one)
    numbers.outage_at = None
    migrate([numbers], positions, 10, lambda: True, lambda _: None, one_by_one)

    assert numbers.changed == EVERY
    assert set(numbers.looked_at) == set(range(200))
    assert len(numbers.looked_at) - 200 < 10


def test_an_item_that_cannot_be_changed_is_counted_and_blocks_nothing() -> None:
    numbers, positions = Numbers(), Kept()
    numbers.corrupt = {0, 90}

    migrate([numbers], positions, 1000, lambda: True, lambda _: None, one_by_one)

    assert numbers.changed == EVERY - {0, 90}
    assert (state(numbers, positions).left, state(numbers, positions).done) == (2, True)


def test_a_second_run_examines_nothing_unless_it_is_restarted() -> None:
    numbers, positions = Numbers(), Kept()
    migrate([numbers], positions, 1000, lambda: True, lambda _: None, one_by_one)
    numbers.looked_at.clear()

    migrate([numbers], positions, 1000, lambda: True, lambda _: None, one_by_one)
    assert numbers.looked_at == []

    begin_anew([numbers], positions, [numbers.id])
    assert not state(numbers, positions).done
    migrate([numbers], positions, 1000, lambda: True, lambda _: None, one_by_one)
    assert len(numbers.looked_at) == 200


def test_a_migration_waits_for_the_previous_one() -> None:
    first, second, positions = Numbers(1), Numbers(2), Kept()

    migrate([first, second], positions, 1000, only(SEGMENTS - 1), lambda _: None, one_by_one)
    assert second.looked_at == []

    migrate([first, second], positions, 1000, lambda: True, lambda _: None, one_by_one)
    assert (first.changed, second.changed) == (EVERY, EVERY)


@pytest.mark.parametrize("rate", [1, 10, 50, 1000])
def test_the_rate_limits_a_migration_and_pauses_are_short(rate: int) -> None:
    pauses: list[float] = []

    migrate([Numbers()], Kept(), rate, lambda: True, pauses.append, one_by_one)

    assert sum(pauses) == pytest.approx(200 / rate, rel=0.1, abs=0.1)
    assert max(pauses) <= 1


@pytest.fixture
def rooms(product: Product) -> int:
    """Of the items of how many rooms and claims it is."""
    for _ in range(12):
        product.register().open_room()
    return len(product.items("RoomsTable"))


def run(product: Product, **event: Any) -> Any:
    return call(product.aws, "MigrationsFunction", {"items_per_second": 10_000, **event})


def test_the_function_ends_in_time_and_continues_with_the_next_call(
    product: Product, rooms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(seconds: float) -> None:
        LambdaContext.passed_seconds += seconds

    monkeypatch.setattr(time, "sleep", wait)

    first = call(product.aws, "MigrationsFunction", {"items_per_second": 40}, seconds=5.3)
    assert not all(each["done"] for each in first["migrations"])

    last = run(product)

    assert [each["done"] for each in last["migrations"]] == [True] * len(MIGRATIONS)
    assert last["migrations"][0]["looked_at"] == rooms


@pytest.mark.usefixtures("rooms")
def test_a_state_request_changes_nothing(product: Product) -> None:
    response = run(product, status=True)

    assert [(each["looked_at"], each["done"]) for each in response["migrations"]] == [(0, False)] * len(MIGRATIONS)
    assert product.items("IdempotencyTable") == []


def test_positions_never_expire_and_are_not_idempotency_records(product: Product, rooms: int) -> None:
    run(product)

    report = call(product.aws, "AuditorFunction", {})

    assert [item for item in product.items("IdempotencyTable") if "expires_at" in item] == []
    assert [each for each in report["findings"] if each["violations"]] == []
    again = run(product, again=[MIGRATIONS[0].id])
    assert again["migrations"][0]["looked_at"] == rooms


@pytest.mark.usefixtures("rooms")
def test_an_outage_interrupts_a_migration_and_is_reported(product: Product) -> None:
    tables.drop(product.aws, "RoomsTable")

    response = run(product)

    assert response["error"] == "DependencyFailed"
    assert not response["migrations"][0]["done"]
