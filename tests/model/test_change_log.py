"""The sequencer keeps change logs whole within all bounds, and each of its guards is needed."""

import pytest

from infrastructure.template import REPOSITORY
from tests.model.change_log import FAULTS, Guard, explore

PAGE = (REPOSITORY / "docs" / "protocol-model.md").read_text(encoding="utf-8")


def test_a_log_is_whole_in_every_state() -> None:
    result = explore()

    assert result.fault is None
    assert f"{result.states:,} states, {result.events:,} events, {result.depth} steps deep" in PAGE


@pytest.mark.parametrize("guard", Guard, ids=lambda guard: guard.name)
def test_without_a_guard_a_log_breaks(guard: Guard) -> None:
    result = explore(frozenset({guard}))

    assert result.fault == FAULTS[guard]
    assert PAGE.count(f"| {guard.name} | {result.fault} | {result.depth} |\n") == 1
