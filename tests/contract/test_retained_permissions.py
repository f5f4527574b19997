"""Permissions go one release after the code that used them: ``tests/support/retained_permissions.py`` says why."""

import pytest

from tests.support import retained_permissions
from tests.support.stack import Stack

RELEASED = retained_permissions.released()
GRANTED = retained_permissions.granted(Stack())


def test_permissions_used_by_the_previous_release_are_still_granted() -> None:
    missing = RELEASED.grants - GRANTED - {retained_permissions.WITHDRAWN}

    assert not missing, (
        f"Release {RELEASED.number} uses these, and during a rollout it runs with the new permissions. Leave them in "
        f"template.yaml, name them in tests/support/retained_permissions.py, and "
        f"remove them one release later: {sorted(missing)}"
    )


def test_the_recorded_permissions_are_those_of_this_release() -> None:
    assert RELEASED.number == retained_permissions.current(), (
        "after a new version number: .venv/bin/python -m tests.support.retained_permissions"
    )


def test_no_permission_is_retained_beyond_its_release() -> None:
    assert retained_permissions.overdue(retained_permissions.GRACE, retained_permissions.current()) == set()


def test_every_retained_permission_is_granted() -> None:
    assert retained_permissions.GRACE.keys() <= GRANTED


@pytest.mark.parametrize(
    ("ends", "now", "overdue"),
    [("0.2.0", "0.1.0", False), ("0.2.0", "0.2.0", True), ("0.9.0", "0.10.0", True), ("0.10.0", "0.9.0", False)],
)
def test_a_retained_permission_is_overdue_from_the_release_it_names(ends: str, now: str, overdue: bool) -> None:
    grant = retained_permissions.Grant("RoomsFunction", "dynamodb:Scan", "RoomsTable")

    assert retained_permissions.overdue({grant: ends}, now) == ({grant} if overdue else set())


def test_a_new_record_drops_permissions_that_expire_next_and_refuses_to_lose_others() -> None:
    kept, going, lost = (
        retained_permissions.Grant("RoomsFunction", action, "RoomsTable") for action in ("a:Get", "a:Scan", "a:Put")
    )
    before = retained_permissions.Release("0.1.0", frozenset({kept, going}))

    after = retained_permissions.record(before, {kept, going}, {going: "0.3.0"}, "0.2.0")

    assert after == retained_permissions.Release("0.2.0", frozenset({kept}))
    with pytest.raises(ValueError, match="a:Put"):
        retained_permissions.record(retained_permissions.Release("0.1.0", frozenset({kept, lost})), {kept}, {}, "0.2.0")
