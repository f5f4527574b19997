"""I14: copies converge; and a client without one of the guide's rules, or a server without a guard, is detected."""

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest

from tests.conftest import Figures
from tests.convergence import edge, followers
from tests.convergence.followers import Follower
from tests.convergence.machine import ConvergenceMachine
from tests.convergence.writes import Write
from tests.machines.machine import run, summary

SEED, EXAMPLES, STEPS = 2, 14, 12

pytestmark = pytest.mark.usefixtures("_mocked_aws")

Story = Callable[[ConvergenceMachine], None]


def test_copies_are_what_the_routes_show(figures: Figures) -> None:
    done = run(ConvergenceMachine, SEED, EXAMPLES, STEPS)

    figures(summary(ConvergenceMachine, done))
    assert done["copies compared"] >= EXAMPLES * 7
    assert done["writes between two reads"] > 0


def _change(kind: str, actor: int = 0, room: int = 1, task: int = 0, value: int = 0) -> Story:
    """One write; the streams have it."""

    def story(machine: ConvergenceMachine) -> None:
        machine.change(writes=[Write(kind, actor, room, task, value)])
        _step("all streams")(machine)

    return story


def _step(which: str, number: int = 0, value: int = 0, limit: int = 1) -> Story:
    return lambda machine: machine.do_something_else(which=which, number=number, value=value, limit=limit)


def _pull(which: int) -> Story:
    return lambda machine: machine.pull(person=0, which=which, limit=200, pages=300, post=True, between=None)


def _told(*parts: Story) -> Story:
    def story(machine: ConvergenceMachine) -> None:
        for part in parts:
            part(machine)

    return story


_PERSONAL = _change("create", room=0)
_RESTORED = _step("restore a backup")

# The shortest story in which each rule matters. The first room has three people, three tasks and six entries.
WRONG: dict[type[Follower], Story] = {
    followers.WithoutReset: _told(_PERSONAL, _pull(0), _change("trash"), _RESTORED),
    followers.WithoutResetRooms: _told(_change("trash"), _step("expire", number=1, value=8)),
    followers.WithoutGoneRooms: _change("leave", actor=1),
    followers.WithoutGoneTasks: _change("trash"),
    followers.WithoutCounts: _change("create"),
    followers.WithFirstMembers: _change("rename", actor=2),
    followers.WithOlderVersions: _step("overtake", value=8),
}
WEAKENED: dict[Callable[[], Any], Story] = {
    edge.tasks_read_before: _told(_pull(1), _step("overtake", value=1, limit=2)),
    partial(edge.changed, edge.there_is_no_epoch): _RESTORED,
}


@pytest.mark.parametrize("client", WRONG)
def test_a_client_that_leaves_out_a_rule_is_detected(client: type[Follower]) -> None:
    _tell(WRONG[client], Follower)

    with pytest.raises(AssertionError):
        _tell(WRONG[client], client)


@pytest.mark.parametrize("weakened", WEAKENED)
def test_a_server_that_leaves_out_a_guard_is_detected(weakened: Callable[[], Any]) -> None:
    _tell(WEAKENED[weakened], Follower)

    with pytest.raises(AssertionError):
        _tell(WEAKENED[weakened], Follower, weakened)


def _tell(story: Story, client: type[Follower], missing: Callable[[], Any] = nullcontext) -> None:
    """In an example of its own, up to the comparison of its end."""

    class Machine(ConvergenceMachine):
        figures, changed = Counter(), set()
        follower = client
        weakened = staticmethod(missing)

    machine = Machine()
    try:
        machine.begin(writes=[])
        story(machine)
    finally:
        machine.teardown()
