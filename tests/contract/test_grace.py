"""Permissions go one release after the code that used them: ``tests/support/grace.py`` says why."""

import pytest

from tests.support import grace
from tests.support.stack import Stack

RELEASED = grace.released()
GRANTED = grace.granted(Stack())


def test_what_the_release_before_uses_is_still_granted() -> None:
    missing = RELEASED.grants - GRANTED

    assert not missing, (
        f"Release {RELEASED.number} uses these, and during a rollout it runs with the new permissions. Leave them in "
        f"template.yaml, name them in tests/support/grace.py, and take them away a release later: {sorted(missing)}"
    )


def test_the_record_is_that_of_this_release() -> None:
    assert RELEASED.number == grace.current(), "after a new version number: .venv/bin/python -m tests.support.grace"


def test_no_permission_stays_beyond_its_release() -> None:
    assert grace.overdue(grace.GRACE, grace.current()) == set()


def test_every_permission_that_stays_a_release_longer_is_one() -> None:
    assert grace.GRACE.keys() <= GRANTED


@pytest.mark.parametrize(
    ("ends", "now", "overdue"),
    [("0.2.0", "0.1.0", False), ("0.2.0", "0.2.0", True), ("0.9.0", "0.10.0", True), ("0.10.0", "0.9.0", False)],
)
def test_an_entry_is_overdue_from_the_release_that_it_names(ends: str, now: str, overdue: bool) -> None:
    grant = grace.Grant("RoomsFunction", "dynamodb:Scan", "RoomsTable")

    assert grace.overdue({grant: ends}, now) == ({grant} if overdue else set())


def test_a_new_record_leaves_out_what_goes_with_the_next_release_and_refuses_to_lose_anything_else() -> None:
    kept, going, lost = (grace.Grant("RoomsFunction", action, "RoomsTable") for action in ("a:Get", "a:Scan", "a:Put"))
    before = grace.Release("0.1.0", frozenset({kept, going}))

    after = grace.record(before, {kept, going}, {going: "0.3.0"}, "0.2.0")

    assert after == grace.Release("0.2.0", frozenset({kept}))
    with pytest.raises(ValueError, match="a:Put"):
        grace.record(grace.Release("0.1.0", frozenset({kept, lost})), {kept}, {}, "0.2.0")
