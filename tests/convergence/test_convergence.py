"""I14: copies converge; and a client, or a server, that leaves out one of its guards is detected."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.conftest import Figures
from tests.convergence import edge, followers
from tests.convergence.followers import Follower
from tests.convergence.machine import ConvergenceMachine
from tests.convergence.writes import KINDS
from tests.machines.machine import run, summary

SEED, EXAMPLES, STEPS = 1, 25, 10
ROUNDS = 12

pytestmark = pytest.mark.usefixtures("_mocked_aws")

# What is missing, and what people do more often so that it is detected soon.
WEAKENED: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "tasks are read before heads and entries": (edge.tasks_read_before, ("update", "trash")),
    "a membership is like the one before": (
        partial(edge.changed, edge.every_join_is_the_same),
        ("leave and join again",),
    ),
    "there are no epochs": (partial(edge.changed, edge.there_is_no_epoch), ("restore a backup",)),
}
WRONG: dict[type[Follower], tuple[str, ...]] = {
    followers.WithoutReset: ("trash", "restore a backup"),
    followers.WithoutResetRooms: ("leave and join again",),
    followers.WithoutGoneRooms: ("leave", "remove"),
    followers.WithoutGoneTasks: ("trash",),
    followers.WithoutCounts: ("create", "update"),
    followers.WithFirstMembers: ("rename", "change role"),
    followers.WithOlderVersions: ("update",),
}


def test_copies_are_what_the_routes_show(figures: Figures) -> None:
    done = run(ConvergenceMachine, SEED, EXAMPLES, STEPS)

    figures(summary(ConvergenceMachine, done))
    assert done["copies compared"] >= EXAMPLES * 9
    assert {*KINDS} - done.keys() == set()
    assert done["writes between two reads"] > 0


@pytest.mark.parametrize("client", WRONG)
def test_a_client_that_leaves_out_a_rule_is_detected(client: type[Follower]) -> None:
    class Machine(ConvergenceMachine):
        follower = client
        favoured = WRONG[client]

    _assert_detected(Machine)


@pytest.mark.parametrize("missing", WEAKENED)
def test_a_server_that_leaves_out_a_guard_is_detected(missing: str) -> None:
    class Machine(ConvergenceMachine):
        weakened = staticmethod(WEAKENED[missing][0])
        favoured = WEAKENED[missing][1]

    _assert_detected(Machine)


def _assert_detected(machine: type[ConvergenceMachine]) -> None:
    with pytest.raises(AssertionError):  # noqa: PT012  # the first round that detects it
        for number in range(SEED, SEED + ROUNDS):
            run(machine, number, EXAMPLES, STEPS)
