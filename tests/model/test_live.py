"""Connections of live updates end with their sessions within all bounds, and each of their guards is needed."""

import pytest

from infrastructure.template import REPOSITORY
from tests.model.live import MODELS, Guard

PAGE = (REPOSITORY / "docs" / "protocol-model.md").read_text(encoding="utf-8")
_NEEDED = [(name, guard) for name, (_, faults) in MODELS.items() for guard in faults]


@pytest.mark.parametrize("name", MODELS)
def test_every_state_is_whole(name: str) -> None:
    explore, _ = MODELS[name]
    result = explore()

    assert result.fault is None
    assert f"| {name} | {result.states:,} | {result.events:,} | {result.depth} |\n" in PAGE


@pytest.mark.parametrize(("name", "guard"), _NEEDED, ids=lambda each: str(getattr(each, "name", each)))
def test_without_a_guard_something_breaks(name: str, guard: Guard) -> None:
    explore, faults = MODELS[name]
    result = explore(frozenset({guard}))

    assert result.fault == faults[guard]
    assert PAGE.count(f"| {guard.name} | {name} | {result.fault} | {result.depth} |\n") == 1


def test_every_guard_is_taken_away() -> None:
    assert {guard for _, guard in _NEEDED} == set(Guard)
