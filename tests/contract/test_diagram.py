"""The picture of the parts shows the template that is deployed."""

import copy

import pytest

from infrastructure import diagram
from infrastructure.template import load

TEMPLATE = load()


def test_the_picture_is_that_of_the_template() -> None:
    assert diagram.PATH.read_text(encoding="utf-8") == diagram.draw(TEMPLATE), "make diagram"


@pytest.mark.parametrize(
    "name", ["SweeperFunction", "DisconnectRoute", "OverviewFunction", "LogTable", "RoomCleanupFailures"]
)
def test_the_picture_changes_with_a_part(name: str) -> None:
    changed = copy.deepcopy(TEMPLATE)
    del changed["Resources"][name]

    assert diagram.draw(changed) != diagram.draw(TEMPLATE)


def test_the_picture_changes_with_a_permission() -> None:
    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"]["SweeperFunction"]["Properties"]["Policies"] = []

    assert diagram.draw(changed) != diagram.draw(TEMPLATE)
