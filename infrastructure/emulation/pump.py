"""Delivers the records of DynamoDB streams to functions, as Lambda's event source mappings do.

moto has streams, and SAM local has functions, but neither connects them.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infrastructure.deployed import FunctionFailed, invoke
from infrastructure.streams import Json, fits, in_lambda_form

_IDLE_SECONDS = 0.5
# Before a batch is handed over again: twice as long each time, up to the second.
_RETRY_SECONDS = (0.5, 30.0)


@dataclass(frozen=True)
class Mapped:
    """One event source mapping of the template. ``patterns``: a record that fits none of them is left out."""

    function: str
    table: str
    patterns: list[Json]
    batch_size: int
    maximum_retries: int
    reports_failures: bool
    """Whether the function reports ``batchItemFailures``."""


def mappings(template: Mapping[str, Any]) -> list[Mapped]:
    """All of the template's."""
    return [
        Mapped(
            function=name,
            table=each["Stream"]["Fn::GetAtt"][0],
            patterns=[json.loads(found["Pattern"]) for found in each["FilterCriteria"]["Filters"]],
            batch_size=each["BatchSize"],
            maximum_retries=each["MaximumRetryAttempts"],
            reports_failures="ReportBatchItemFailures" in each.get("FunctionResponseTypes", []),
        )
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "DynamoDB"
        for each in [event["Properties"]]
    ]


class Shard:
    """One mapping's place in the one shard of its stream.

    A batch is handed over again from its first failed record on, after a pause that grows; so what comes after a failed
    record waits, as on AWS. After ``maximum_retries`` that record is given up, which ``report`` is called with.
    """

    def __init__(
        self,
        mapped: Mapped,
        dynamodb: Any,
        streams: Any,
        functions: Any,
        report: Callable[[str], None] = print,
        retry_seconds: tuple[float, float] = _RETRY_SECONDS,
    ) -> None:
        """The clients are boto3's, of DynamoDB, its streams, and Lambda. ``retry_seconds``: first and longest pause."""
        self._retry_seconds = retry_seconds
        self._mapped = mapped
        self._streams = streams
        self._functions = functions
        self._report = report
        self._arn: str = dynamodb.describe_table(TableName=mapped.table)["Table"]["LatestStreamArn"]
        self._done: str | None = None
        """The sequence number of the last record that is done."""
        self._attempts = 0
        self._not_before = 0.0

    def advance(self) -> bool:
        """Hands over the next batch, if there is one and it is not to wait; whether there was one."""
        if time.monotonic() < self._not_before:
            return False
        try:
            read = [in_lambda_form(record, self._arn) for record in self._read()]
        except (BotoCoreError, ClientError) as error:
            self._report(f"The stream of {self._mapped.table} cannot be read: {error}")
            self._not_before = time.monotonic() + self._retry_seconds[1]
            return False
        if not read:
            return False
        batch = [record for record in read if any(fits(record, pattern) for pattern in self._mapped.patterns)]
        failed = self._hand_over(batch) if batch else None
        if failed is None:
            self._settle(_number(read[-1]))
        else:
            self._retry(read, failed)
        return True

    def _read(self) -> list[Any]:
        # With an iterator of its own each time: moto's end at the records that there were when they were made.
        start = (
            {"ShardIteratorType": "TRIM_HORIZON"}
            if self._done is None
            else {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._done}
        )
        [shard] = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        found = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard["ShardId"], **start)
        records: list[Any] = self._streams.get_records(
            ShardIterator=found["ShardIterator"], Limit=self._mapped.batch_size
        )["Records"]
        return records

    def _hand_over(self, batch: list[Json]) -> str | None:
        """The sequence number of the first record that failed."""
        try:
            said = invoke(self._functions, self._mapped.function, {"Records": batch})
        except (FunctionFailed, BotoCoreError, ClientError) as error:
            self._report(f"{self._mapped.function}: {error}")
            return _number(batch[0])
        failed = {each["itemIdentifier"] for each in (said or {}).get("batchItemFailures") or []}
        if not failed or not self._mapped.reports_failures:
            return None
        # As on AWS, a record that is none of the batch stands for the whole batch.
        return next((number for number in map(_number, batch) if number in failed), _number(batch[0]))

    def _retry(self, read: list[Json], failed: str) -> None:
        numbers = [_number(record) for record in read]
        position = numbers.index(failed)
        if position > 0:
            self._settle(numbers[position - 1])
        if self._attempts >= self._mapped.maximum_retries:
            self._report(f"{self._mapped.function}: gave up record {failed} of {self._mapped.table}")
            self._settle(failed)
            return
        shortest, longest = self._retry_seconds
        self._not_before = time.monotonic() + min(shortest * 2**self._attempts, longest)
        self._attempts += 1

    def _settle(self, number: str) -> None:
        self._done, self._attempts, self._not_before = number, 0, 0.0


def pump(shards: list[Shard], stopped: threading.Event) -> None:
    """Hands over whatever there is until it is to stop."""
    while not stopped.is_set():
        # All of them, whichever had something.
        advanced = [shard.advance() for shard in shards]
        if not any(advanced):
            stopped.wait(_IDLE_SECONDS)


def _number(record: Json) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
