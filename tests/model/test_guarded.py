"""Webhooks lose nothing and overtake nothing, and connections of live updates end with their sessions, within all
bounds; and each of their guards is needed.
"""

from enum import Enum

import pytest

from infrastructure.template import REPOSITORY
from tests.model import live, webhooks
from tests.model.guarded import Models, fault_line, state_line

PAGE = (REPOSITORY / "docs" / "protocol-model.md").read_text(encoding="utf-8")
MODELS: Models = {**webhooks.MODELS, **live.MODELS}
_NEEDED = [(name, guard) for name, (_, faults) in MODELS.items() for guard in faults]


@pytest.mark.parametrize("name", MODELS)
def test_every_state_is_whole(name: str) -> None:
    explore, _ = MODELS[name]
    result = explore(frozenset())

    assert result.fault is None
    assert f"{state_line(name, result)}\n" in PAGE


@pytest.mark.parametrize(("name", "guard"), _NEEDED, ids=lambda each: str(getattr(each, "name", each)))
def test_without_a_guard_something_breaks(name: str, guard: Enum) -> None:
    explore, faults = MODELS[name]
    result = explore(frozenset({guard}))

    assert result.fault == faults[guard]
    assert PAGE.count(f"{fault_line(name, guard, result)}\n") == 1


@pytest.mark.parametrize("guards", [webhooks.Guard, live.Guard], ids=["webhooks", "live"])
def test_every_guard_is_taken_away(guards: type[Enum]) -> None:
    assert set(guards) <= {guard for _, guard in _NEEDED}
