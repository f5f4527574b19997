"""What is read of two items may never have stood side by side: only what stays is a violation."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasksync.integrity.checks import Auditor, Invariant, Report
from tasksync.integrity.snapshot import RoomSnapshot, Snapshot
from tasksync.model.entities import JoinRole, Room


def _room(member_count: int) -> RoomSnapshot:
    """A room without memberships, so with a right count only if that is 0."""
    at = datetime(2100, 1, 1, tzinfo=UTC)  # never long ago, however long after the import a test runs
    room = Room("room_1", "CODE01", JoinRole.MEMBER, None, member_count, 0, "usr_1", at, at, 1, frozenset())
    return RoomSnapshot("room_1", room, (), "room_1", frozenset(), {}, marked=member_count == 0)


class Sequence:
    """A store with one room, which is found in one state after the other."""

    def __init__(self, *states: Snapshot | None) -> None:
        self._states = iter(states)

    def snapshots(self) -> Iterator[list[Snapshot]]:
        first = next(self._states)
        assert first is not None
        yield [first]

    def read_again(self, reading: Snapshot) -> Snapshot | None:
        assert isinstance(reading, RoomSnapshot)
        return next(self._states)


WRONG, RIGHT = _room(1), _room(0)


def _audit(*states: Snapshot | None) -> tuple[Report, list[float]]:
    pauses: list[float] = []
    a_day = timedelta(days=1)
    return Auditor(Sequence(*states), timedelta(minutes=10), pauses.append, a_day, a_day).run(lambda: True), pauses


def _broken(report: Report) -> set[Invariant]:
    return {finding.invariant for finding in report.findings if finding.violations}


def test_a_violation_in_every_read_is_reported() -> None:
    report, pauses = _audit(WRONG, WRONG, WRONG, WRONG, WRONG, WRONG)

    assert _broken(report) == {Invariant.MEMBER_COUNT}
    assert sum(pauses) == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [1, 2, 5])
def test_a_violation_that_disappears_is_not_reported(wrong: int) -> None:
    report, _ = _audit(*[WRONG] * wrong, RIGHT)

    assert _broken(report) == set()


def test_an_item_deleted_meanwhile_is_no_violation() -> None:
    report, pauses = _audit(WRONG, None)

    assert _broken(report) == set()
    assert pauses == []


def test_a_different_violation_does_not_confirm_the_first() -> None:
    unclaimed = replace(RIGHT, code_owner=None)

    report, _ = _audit(WRONG, *[unclaimed] * 5)

    assert _broken(report) == set()


def test_a_read_without_violation_is_not_repeated() -> None:
    report, pauses = _audit(RIGHT)

    assert _broken(report) == set()
    assert pauses == []
