"""Counters of rate limits, written as DynamoDB spells it, are what PynamoDB's items are."""

from tasksync.dynamodb.limits.repository import LimitItem, RateLimitsRepository
from tests.support.aws import LOCK, Aws

KEY, ENDS = "read#usr_ann#1795280940", 1_795_280_940


def test_a_counter_accumulates_and_expires_an_hour_after_its_window(aws: Aws) -> None:
    table = RateLimitsRepository()

    assert [table.consume(KEY, amount, ENDS) for amount in (15, 1)] == [15, 16]

    with LOCK:
        raw = aws.dynamodb.get_item(TableName="RateLimitsTable", Key={"limit_id": {"S": KEY}})["Item"]
    item = LimitItem.from_raw_data(raw)
    assert item.attribute_values == {"limit_id": KEY, "spent": 16, "expires_at": ENDS + 3600}
