"""Connections end with their sessions, and hints with memberships, under crashes; without a guard they do not."""

from collections.abc import Callable, Iterator

import pytest

from tests.simulation.dynamodb import Json
from tests.simulation.live import STEPS, Broken, LiveSimulation, Weaken
from tests.simulation.process import virtual_time_and_chance

SEEDS = 30
SEEDS_UNTIL_NOTICED = 150


@pytest.fixture(autouse=True)
def _virtual() -> Iterator[None]:
    with virtual_time_and_chance():
        yield


def test_no_hint_comes_too_late_and_no_connection_outlives_its_session() -> None:
    for seed in range(SEEDS):
        try:
            LiveSimulation(seed).run(STEPS)
        except Broken as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken


def _transactions(change: Callable[[str, Json], Json | None]) -> Weaken:
    """Each write of a transaction is changed, or left out."""

    def weakened(operation: str, body: Json) -> Json:
        if operation != "TransactWriteItems":
            return body
        writes = [(verb, part) for write in body["TransactItems"] for verb, part in write.items()]
        changed = [(verb, change(verb, part)) for verb, part in writes]
        return {**body, "TransactItems": [{verb: part} for verb, part in changed if part is not None]}

    return weakened


def _unchecked(table: str) -> Weaken:
    return _transactions(lambda verb, part: None if (verb, part["TableName"]) == ("ConditionCheck", table) else part)


def _unconditional(verb: str, part: Json) -> Json:
    """Updates of connections have no condition."""
    if (verb, part["TableName"]) != ("Update", "LiveTable"):
        return part
    return {name: value for name, value in part.items() if name != "ConditionExpression"}


def _ends_sessions_alone(operation: str, body: Json) -> Json:
    """What ends a session leaves its connections as they are."""
    if operation != "TransactWriteItems" or len(body["TransactItems"]) == 1:
        return body
    kept = [
        write
        for write in body["TransactItems"]
        if all(part["TableName"] != "LiveTable" or "ConditionExpression" in part for part in write.values())
    ]
    return {**body, "TransactItems": kept}


def _stale_members(operation: str, body: Json) -> Json:
    """Who is in a room is not read consistently."""
    if operation != "BatchGetItem" or "RoomsTable" not in body["RequestItems"]:
        return body
    return {"RequestItems": {"RoomsTable": {**body["RequestItems"]["RoomsTable"], "ConsistentRead": False}}}


# The others take hundreds of seeds to be noticed. The model and the mutation of conditions show what each is for.
@pytest.mark.parametrize(
    ("weaken", "noticed"),
    [
        pytest.param(_unchecked("SessionsTable"), "its session has ended", id="the session is there"),
        pytest.param(_unchecked("UsersTable"), "its session has ended", id="the epoch is that of the ticket"),
        pytest.param(_ends_sessions_alone, "its session has ended", id="connections end with their session"),
        pytest.param(_transactions(_unconditional), "nobody ended them", id="connections are as they were read"),
        pytest.param(_stale_members, "having left the room before", id="members are read consistently"),
    ],
)
def test_a_guard_that_is_missing_is_noticed(weaken: Weaken, noticed: str) -> None:
    with pytest.raises(Broken, match=noticed):
        _run(weaken)


def _run(weaken: Weaken) -> None:
    for seed in range(SEEDS_UNTIL_NOTICED):
        LiveSimulation(seed, weaken).run(STEPS)
