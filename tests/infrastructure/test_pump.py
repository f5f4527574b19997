"""Stream records reach functions as event source mappings bring them: filtered, in batches, again where they fail."""

import io
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from infrastructure import template as templates
from infrastructure.emulation import pump
from tests.support.aws import Aws
from tests.support.product import Product

Json = dict[str, Any]
Respond = Callable[[list[str]], Json]


class Functions:
    """Lambda's API as far as it is used. Keeps the batches, as sequence numbers, and responds as it is told to."""

    def __init__(self, respond: Respond) -> None:
        self.batches: list[list[str]] = []
        self.records: list[Json] = []
        self._respond = respond

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Json:  # noqa: N803  # as boto3 names them
        assert FunctionName == "ActivityFunction"
        records = json.loads(Payload)["Records"]
        self.records += records
        self.batches.append([record["dynamodb"]["SequenceNumber"] for record in records])
        return self._respond(self.batches[-1])


def responds(body: Any) -> Json:
    return {"Payload": io.BytesIO(json.dumps(body).encode())}


@pytest.fixture
def team(product: Product) -> Product:
    """A stream of rooms with five changes of rooms, and others beside them."""
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room() for _ in range(4)]
    bob.join(rooms[0])
    return product


def shard(aws: Aws, functions: Functions, reports: list[str], maximum_retries: int = 2) -> pump.Shard:
    [mapped] = [
        each
        for each in pump.mappings(templates.load())
        if each.function == "ActivityFunction" and each.table == "RoomsTable"
    ]
    mapped = pump.Mapped(mapped.function, mapped.table, mapped.patterns, 6, maximum_retries, mapped.reports_failures)
    return pump.Shard(mapped, aws.dynamodb, aws.streams, functions, report=reports.append, retry_seconds=(0.0, 0.0))


def run(to_run: pump.Shard) -> None:
    while to_run.advance():
        pass


def test_each_matching_record_is_delivered_once_and_in_order(team: Product) -> None:
    functions = Functions(lambda _: responds({"batchItemFailures": []}))

    run(shard(team.aws, functions, []))

    handed = [number for batch in functions.batches for number in batch]
    assert len(handed) == len(set(handed)) == 5
    assert handed == sorted(handed, key=int)
    assert {record["dynamodb"]["Keys"]["item"]["S"] for record in functions.records} == {"ROOM"}
    assert {record["eventSource"] for record in functions.records} == {"aws:dynamodb"}


def test_later_records_are_delivered_later(team: Product) -> None:
    functions = Functions(lambda _: responds({"batchItemFailures": []}))
    running = shard(team.aws, functions, [])
    run(running)

    team.register("eve").open_room()
    run(running)

    assert sum(map(len, functions.batches)) == 6


def test_a_batch_is_redelivered_from_its_first_failed_record_on(team: Product) -> None:
    seen: list[str] = []

    def fail_second_once(batch: list[str]) -> Json:
        failed = [batch[1]] if not seen else []
        seen.extend(batch)
        return responds({"batchItemFailures": [{"itemIdentifier": number} for number in failed]})

    functions = Functions(fail_second_once)
    run(shard(team.aws, functions, []))

    first, again = functions.batches[:2]
    assert again[0] == first[1]
    assert first[0] not in again
    assert len({number for batch in functions.batches for number in batch}) == 5


@pytest.mark.parametrize(
    "failure",
    [
        {"FunctionError": "Unhandled", "Payload": b'{"errorMessage": "broken"}'},
        {"Payload": b'{"batchItemFailures": [{"itemIdentifier": ""}]}'},
    ],
    ids=["an error", "a record that is none of the batch"],
)
def test_a_failed_call_redelivers_the_whole_batch(team: Product, failure: Json) -> None:
    outcomes = [{**failure, "Payload": io.BytesIO(failure["Payload"])}]

    functions = Functions(lambda _: outcomes.pop() if outcomes else responds({"batchItemFailures": []}))
    run(shard(team.aws, functions, []))

    assert functions.batches[0] == functions.batches[1]
    assert len({number for batch in functions.batches for number in batch}) == 5


def test_a_record_that_keeps_failing_is_dropped_and_reported_and_the_rest_continues(team: Product) -> None:
    poisoned: list[str] = []

    def fail(batch: list[str]) -> Json:
        poisoned[:] = poisoned or [batch[0]]
        failed = [number for number in batch if number in poisoned]
        return responds({"batchItemFailures": [{"itemIdentifier": number} for number in failed]})

    functions, reports = Functions(fail), list[str]()
    run(shard(team.aws, functions, reports, maximum_retries=2))

    attempts = sum(poisoned[0] in batch for batch in functions.batches)
    assert attempts == 3
    assert reports == [f"ActivityFunction: gave up record {poisoned[0]} of RoomsTable"]
    assert len({number for batch in functions.batches for number in batch}) == 5


def test_a_failed_record_waits_before_redelivery(team: Product) -> None:
    functions = Functions(lambda batch: responds({"batchItemFailures": [{"itemIdentifier": batch[0]}]}))
    [mapped] = [each for each in pump.mappings(templates.load()) if each.function == "RoomCleanupFunction"]
    waiting = pump.Shard(
        pump.Mapped("ActivityFunction", "RoomsTable", [{"eventName": ["INSERT"]}], 6, 2, mapped.reports_failures),
        boto3.client("dynamodb"),
        team.aws.streams,
        functions,
        retry_seconds=(3600.0, 3600.0),
    )

    assert waiting.advance()

    assert not waiting.advance()
    assert len(functions.batches) == 1
