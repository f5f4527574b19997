"""Webhooks deliver everything under crashes; without one of their conditions they do not."""

from collections.abc import Iterator

import pytest

from tests.simulation.dynamodb import Json
from tests.simulation.process import virtual_time_and_chance
from tests.simulation.webhooks import Broken, Weaken, WebhooksSimulation

SEEDS = 60
STEPS = 60


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


def _without(setting: str) -> Weaken:
    """Updates that set this attribute have no condition."""

    def weaken(operation: str, body: Json) -> Json:
        if operation == "UpdateItem" and body["TableName"] == "WebhooksTable":
            named = {key for key, name in body.get("ExpressionAttributeNames", {}).items() if name == setting}
            if any(f"{key} =" in body["UpdateExpression"] for key in named):
                return {**body, "ConditionExpression": "attribute_exists(room_id)"}
        return body

    return weaken


def _overwriting(operation: str, body: Json) -> Json:
    """Deliveries are put whether or not they are there."""
    if operation == "PutItem" and body["TableName"] == "WebhooksTable":
        return {name: value for name, value in body.items() if name != "ConditionExpression"}
    return body


@pytest.mark.parametrize(
    "weaken",
    [
        pytest.param(_without("begun"), id="an attempt is begun by one"),
        pytest.param(_without("busy_until"), id="one delivers to an ordered webhook"),
        pytest.param(_without("cursor"), id="a cursor moves from where it was"),
        pytest.param(_overwriting, id="a delivery is put once"),
    ],
)
def test_a_condition_that_is_missing_is_noticed(weaken: Weaken) -> None:
    with pytest.raises(Broken):
        _run(10 * SEEDS, weaken)


def _run(seeds: int, weaken: Weaken) -> None:
    for seed in range(seeds):
        WebhooksSimulation(seed, weaken).run(STEPS)
