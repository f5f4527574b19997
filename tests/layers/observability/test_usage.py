"""What DynamoDB's answers say of the work that was done."""

from typing import Any

import pytest

from tasksync.observability import usage

THROTTLED = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}
CANCELLED = {
    "Error": {"Code": "TransactionCanceledException", "Message": ""},
    "CancellationReasons": [{"Code": "None"}, {"Code": "ThrottlingError"}],
}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], usage.UsageCounters(0, 0.0, 0, 0)),
        ([{"ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}}], usage.UsageCounters(1, 0.5, 0, 1)),
        ([{"ConsumedCapacity": [{"CapacityUnits": 2.0}, {"CapacityUnits": 4.0}]}], usage.UsageCounters(1, 6.0, 0, 1)),
        ([{}, {}], usage.UsageCounters(2, 0.0, 0, 2)),
        ([None, {}], usage.UsageCounters(2, 0.0, 0, 2)),  # an attempt that was not answered
        ([THROTTLED, {}], usage.UsageCounters(2, 0.0, 1, 2)),
        ([CANCELLED], usage.UsageCounters(1, 0.0, 1, 1)),
        ([{"Error": {"Code": "ConditionalCheckFailedException"}}], usage.UsageCounters(1, 0.0, 0, 1)),
    ],
)
def test_attempts_units_and_throttles_are_counted(answers: list[Any], expected: usage.UsageCounters) -> None:
    done = usage.begin()

    for answer in answers:
        usage.count(answer)

    assert done == expected


def test_each_invocation_begins_at_nothing() -> None:
    before = usage.begin()
    usage.count({})

    assert usage.begin() == usage.UsageCounters()
    assert before.round_trips == 1


def test_what_is_asked_at_the_same_time_is_waited_for_once() -> None:
    done = usage.begin()
    usage.count({})

    usage.add_parallel([usage.UsageCounters(2, 1.0, 0, 2), usage.UsageCounters(3, 4.5, 1, 1)])

    assert done == usage.UsageCounters(round_trips=6, capacity_units=5.5, throttles=1, in_sequence=3)
