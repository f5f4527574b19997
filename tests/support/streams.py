"""DynamoDB streams in process: hands the records of moto's streams to the functions, as Lambda's event sources do.

Lambda calls a function by itself soon after a write; here a test says when, so that it can look at the moment between.
"""

import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infrastructure.streams import fits, in_lambda_form
from tests.support.aws import LOCK, Aws
from tests.support.context import LambdaContext
from tests.support.gateway import load_handler
from tests.support.quick_moto import plain

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One batch handed to a function, and the sequence numbers it reported as failed (all, if it raised)."""

    function: str
    records: list[Json]
    failed: list[str]


class EventSource:
    """One function's place in one stream."""

    def __init__(self, aws: Aws, function: str, properties: Mapping[str, Any]) -> None:
        self.function = function
        self._aws = aws
        self._stream_arn = aws.stack.resolve(properties["Stream"])
        self._batch_size = properties["BatchSize"]
        self._patterns = [json.loads(each["Pattern"]) for each in properties["FilterCriteria"]["Filters"]]
        self._records: list[Json] = []
        self._done: dict[str, None] = {}

    def deliver(self, seconds: float, batch_size: int | None = None) -> list[Delivery]:
        """Hand over what is pending, batch by batch, until the end or the first batch with a failure.

        A later call resumes at the first record that failed. Records that the filter holds back are done.
        ``batch_size``: hand over one batch alone, of at most so many records.
        """
        deliveries: list[Delivery] = []
        while not (batch_size and deliveries) and (batch := self._pending()[: batch_size or self._batch_size]):
            failed = self._hand_over(batch, seconds)
            deliveries.append(Delivery(self.function, batch, failed))
            for record in batch:
                if record["dynamodb"]["SequenceNumber"] in failed:
                    return deliveries
                self._done[record["dynamodb"]["SequenceNumber"]] = None
        return deliveries

    def forget(self, number: int) -> None:
        """Take the last records that were handed over for pending again, as Lambda does whose report got lost."""
        for sequence_number in [*self._done][-number:]:
            del self._done[sequence_number]

    def _pending(self) -> list[Json]:
        self._records += records(self._aws, self._stream_arn, len(self._records))
        return [
            record
            for record in self._records
            if record["dynamodb"]["SequenceNumber"] not in self._done
            and any(fits(record, pattern) for pattern in self._patterns)
        ]

    def _hand_over(self, batch: list[Json], seconds: float) -> list[str]:
        handler = self._aws.stack.functions[self.function]["Handler"]
        try:
            with self._aws.running(self.function):
                event = json.loads(json.dumps({"Records": batch}))
                response = load_handler(handler)(event, LambdaContext(self.function, seconds))
        except Exception as error:  # Lambda repeats the whole batch of a function that raises, whatever it raises.
            traceback.print_exception(error)
            return [record["dynamodb"]["SequenceNumber"] for record in batch]
        return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


class Streams:
    """All event sources of the template, from the beginning of their streams."""

    def __init__(self, aws: Aws) -> None:
        self._sources = [
            EventSource(aws, function, properties)
            for function in aws.stack.functions
            for properties in aws.stack.events(function, "DynamoDB")
        ]

    def deliver(self, seconds: float = 60.0, to: str | None = None) -> list[Delivery]:
        """Hand over all pending records, and those that this causes, until none is left or only failed ones are.

        ``seconds``: how much time each invocation is told it has. ``to``: only to this function; to all without it.
        """
        deliveries: list[Delivery] = []
        stuck: set[str] = set()
        sources = [source for source in self._sources if to in (None, source.function)]
        while more := [
            delivery for source in sources if source.function not in stuck for delivery in source.deliver(seconds)
        ]:
            deliveries += more
            stuck |= {delivery.function for delivery in more if delivery.failed}
        return deliveries

    def deliver_some(self, place: int, records: int, again: int) -> list[Delivery]:
        """Hand one batch to one of the functions, of at most so many records; before those that are pending, it gets
        the last ``again`` of those that it had.
        """
        source = self._sources[place % len(self._sources)]
        if again:
            source.forget(again)
        return source.deliver(60.0, records)


def records(aws: Aws, stream_arn: str, known: int = 0) -> list[Json]:
    """All records of a stream, without the first ``known``, in the form that Lambda gives them to functions.

    Taken where moto has them: by its API, each look at a stream takes three calls, which read all records again.
    """
    with LOCK:
        found = json.dumps([record.to_json() for record in aws.shard(stream_arn).items[known:]], default=plain)
    return [in_lambda_form(record, stream_arn) for record in json.loads(found)]
