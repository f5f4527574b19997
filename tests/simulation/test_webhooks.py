"""Webhooks deliver everything under crashes and races; without one of their conditions they do not."""

from collections.abc import Iterator

import pytest

from tests.simulation.dynamodb import Json
from tests.simulation.process import virtual_time_and_chance
from tests.simulation.webhooks import STEPS, Broken, Weaken, WebhooksSimulation

SEEDS = 40
SEEDS_UNTIL_NOTICED = 150


@pytest.fixture(autouse=True)
def _virtual() -> Iterator[None]:
    with virtual_time_and_chance():
        yield


def test_every_event_arrives_or_stands_in_the_ledger_and_nothing_overtakes() -> None:
    for seed in range(SEEDS):
        try:
            WebhooksSimulation(seed).run(STEPS)
        except Broken as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken


def _twice(operation: str, body: Json) -> Json:
    """An attempt begins, whoever else has begun it."""
    names = body.get("ExpressionAttributeNames", {})
    begun = [key for key, name in names.items() if name == "begun"]
    if operation == "UpdateItem" and any(f"{key} =" in body["UpdateExpression"] for key in begun):
        return {**body, "ConditionExpression": "attribute_exists(room_id)"}
    return body


def _overwriting(operation: str, body: Json) -> Json:
    """Deliveries are put whether or not they are there."""
    if operation == "PutItem" and body["TableName"] == "WebhooksTable":
        return {name: value for name, value in body.items() if name != "ConditionExpression"}
    return body


# The others take hundreds of seeds to be noticed. The model and the mutation of conditions show what each is for.
@pytest.mark.parametrize(
    "weaken",
    [
        pytest.param(_twice, id="an attempt is begun by one"),
        pytest.param(_overwriting, id="a delivery is put down once"),
    ],
)
def test_a_condition_that_is_missing_is_noticed(weaken: Weaken) -> None:
    with pytest.raises(Broken):
        _run(weaken)


def _run(weaken: Weaken) -> None:
    for seed in range(SEEDS_UNTIL_NOTICED):
        WebhooksSimulation(seed, weaken).run(STEPS)
