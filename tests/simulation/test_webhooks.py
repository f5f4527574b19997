"""Webhooks deliver everything under crashes and races; without one of their conditions they do not."""

from collections.abc import Iterator

import pytest

from tests.simulation.dynamodb import Json
from tests.simulation.process import virtual_time_and_chance
from tests.simulation.webhooks import STEPS, Broken, Weaken, WebhooksSimulation

SEEDS = 60
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


def _without(setting: str) -> Weaken:
    """Updates that set this attribute have no condition."""

    def weaken(operation: str, body: Json) -> Json:
        if operation == "UpdateItem" and body["TableName"] == "WebhooksTable":
            named = {key for key, name in body.get("ExpressionAttributeNames", {}).items() if name == setting}
            if any(f"{key} =" in body["UpdateExpression"] for key in named):
                return {**body, "ConditionExpression": "attribute_exists(room_id)"}
        return body

    return weaken


# The others take hundreds of seeds to be noticed. The model and the mutation of conditions show what each is for.
@pytest.mark.parametrize(
    "weaken",
    [
        pytest.param(_without("begun"), id="an attempt is begun by one"),
        pytest.param(_without("wanted"), id="an ordered webhook wants no less than before"),
    ],
)
def test_a_condition_that_is_missing_is_noticed(weaken: Weaken) -> None:
    with pytest.raises(Broken):
        _run(weaken)


def _run(weaken: Weaken) -> None:
    for seed in range(SEEDS_UNTIL_NOTICED):
        WebhooksSimulation(seed, weaken).run(STEPS)
