"""What DynamoDB's answers say of the work that was done."""

from typing import Any

import pytest

from tasksync import work

THROTTLED = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}
CANCELLED = {
    "Error": {"Code": "TransactionCanceledException", "Message": ""},
    "CancellationReasons": [{"Code": "None"}, {"Code": "ThrottlingError"}],
}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], work.Work(0, 0.0, 0, 0)),
        ([{"ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}}], work.Work(1, 0.5, 0, 1)),
        ([{"ConsumedCapacity": [{"CapacityUnits": 2.0}, {"CapacityUnits": 4.0}]}], work.Work(1, 6.0, 0, 1)),
        ([{}, {}], work.Work(2, 0.0, 0, 2)),
        ([None, {}], work.Work(2, 0.0, 0, 2)),  # an attempt that was not answered
        ([THROTTLED, {}], work.Work(2, 0.0, 1, 2)),
        ([CANCELLED], work.Work(1, 0.0, 1, 1)),
        ([{"Error": {"Code": "ConditionalCheckFailedException"}}], work.Work(1, 0.0, 0, 1)),
    ],
)
def test_attempts_units_and_throttles_are_counted(answers: list[Any], expected: work.Work) -> None:
    done = work.begin()

    for answer in answers:
        work.count(answer)

    assert done == expected


def test_each_invocation_begins_at_nothing() -> None:
    before = work.begin()
    work.count({})

    assert work.begin() == work.Work()
    assert before.round_trips == 1


def test_what_is_asked_at_the_same_time_is_waited_for_once() -> None:
    done = work.begin()
    work.count({})

    work.add_parallel([work.Work(2, 1.0, 0, 2), work.Work(3, 4.5, 1, 1)])

    assert done == work.Work(round_trips=6, capacity_units=5.5, throttles=1, in_sequence=3)
