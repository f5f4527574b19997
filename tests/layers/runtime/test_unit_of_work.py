"""What a unit of work counts, and which transaction commits its idempotency record."""

from functools import partial
from typing import Any

import pytest

from tasksync.dynamodb.core.connection import count, take_record
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import AddRecord, UsageCounters

THROTTLED = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}
CANCELLED = {
    "Error": {"Code": "TransactionCanceledException", "Message": ""},
    "CancellationReasons": [{"Code": "None"}, {"Code": "ThrottlingError"}],
}


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        ([], UsageCounters(0, 0.0, 0, 0)),
        ([{"ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}}], UsageCounters(1, 0.5, 0, 1)),
        ([{"ConsumedCapacity": [{"CapacityUnits": 2.0}, {"CapacityUnits": 4.0}]}], UsageCounters(1, 6.0, 0, 1)),
        ([{}, {}], UsageCounters(2, 0.0, 0, 2)),
        ([None, {}], UsageCounters(2, 0.0, 0, 2)),  # an attempt that was not answered
        ([THROTTLED, {}], UsageCounters(2, 0.0, 1, 2)),
        ([CANCELLED], UsageCounters(1, 0.0, 1, 1)),
        ([{"Error": {"Code": "ConditionalCheckFailedException"}}], UsageCounters(1, 0.0, 0, 1)),
    ],
)
def test_attempts_units_and_throttles_are_counted(responses: list[Any], expected: UsageCounters) -> None:
    with unit_of_work.begin() as unit:
        for response in responses:
            count(response)

    assert unit.usage == expected


def test_each_unit_of_work_begins_at_nothing() -> None:
    with unit_of_work.begin() as before:
        count({})

    with unit_of_work.begin() as unit:
        assert unit.usage == UsageCounters()
    assert before.usage.round_trips == 1


def test_concurrent_reads_are_waited_for_once() -> None:
    with unit_of_work.begin() as unit:
        count({})
        first, second = unit_of_work.split(2)
        first.usage, second.usage = UsageCounters(2, 1.0, 0, 2), UsageCounters(3, 4.5, 1, 1)

        unit_of_work.join([first, second])

    assert unit.usage == UsageCounters(round_trips=6, capacity_units=5.5, throttles=1, in_sequence=3)


def test_the_first_transaction_after_the_response_is_known_takes_the_record() -> None:
    with unit_of_work.begin() as unit:
        unit.respond = lambda outcome: record(str(outcome))
        assert take_record() is None

        unit_of_work.respond_with("a task")

        assert added(take_record()) == ["a task"]
        assert take_record() is None


def test_bookkeeping_leaves_the_record_to_the_effect_and_counts_as_no_write() -> None:
    with unit_of_work.begin() as unit:
        unit.respond = lambda outcome: record(str(outcome))
        unit_of_work.respond_with("a task")

        with unit_of_work.bookkeeping():
            unit.usage.writes += 1
            assert take_record() is None

        assert unit.usage.writes == 0
        assert added(take_record()) == ["a task"]


def test_without_anybody_to_respond_to_there_is_no_record() -> None:
    with unit_of_work.begin():
        unit_of_work.respond_with("a task")

        assert take_record() is None


def record(response: str) -> AddRecord:
    return partial(_add, response)


def _add(response: str, transaction: list[str]) -> None:
    transaction.append(response)


def added(record: AddRecord | None) -> list[str]:
    transaction: list[str] = []
    if record is not None:
        record(transaction)
    return transaction
