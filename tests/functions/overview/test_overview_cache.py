"""How long an overview is cache, and how many."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from overview_api.cache import CachedOverview, OverviewCache
from tasksync.model import times
from tasksync.model.entities import Caller, Membership, RoomRole, UserRole


class InNoRoom:
    def memberships_in(self, _room_ids: Iterable[str], _user_id: str) -> dict[str, Membership]:
        return {}


def caller(name: str, role: UserRole = UserRole.USER) -> Caller:
    return Caller(f"usr_{name}", "ses_1", role)


def cached_overview(seconds_ago: float = 0) -> CachedOverview:
    return CachedOverview(b"{}", "tag", times.now() - timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(("seconds_ago", "found"), [(0, True), (4, True), (6, False)])
def test_an_overview_is_cached_for_the_configured_time(seconds_ago: float, found: bool) -> None:
    cache = OverviewCache(InNoRoom())
    made = cached_overview(seconds_ago)
    cache.store(caller("ann"), made, [])

    assert cache.find(caller("ann"), 5) == (made if found else None)


def test_the_age_is_in_whole_seconds() -> None:
    assert [cached_overview(seconds).age_seconds for seconds in (0, 2.5, -1)] == [0, 2, 0]


def test_an_overview_is_cached_per_caller_and_role() -> None:
    cache = OverviewCache(InNoRoom())
    cache.store(caller("ann"), cached_overview(), [])

    assert cache.find(caller("bob"), 5) is None
    assert cache.find(caller("ann", UserRole.ADMIN), 5) is None


def test_a_membership_of_another_join_is_a_different_cache_key() -> None:
    before = Membership("room_1", "usr_ann", RoomRole.MEMBER, "first", times.now())
    cache = OverviewCache(InNoRoom())

    cache.store(caller("ann"), cached_overview(), [before])

    assert cache.find(caller("ann"), 5) is None


def test_over_the_count_limit_the_oldest_overview_is_evicted() -> None:
    cache = OverviewCache(InNoRoom())

    for number in range(201):
        cache.store(caller(str(number)), cached_overview(), [])

    assert [cache.find(caller(name), 5) is None for name in ("0", "1", "200")] == [True, False, False]


def test_over_the_size_limit_the_oldest_overview_is_evicted() -> None:
    cache = OverviewCache(InNoRoom())
    large = CachedOverview(bytes(4_000_000), "tag", times.now())

    for name in ("first", "first", *map(str, range(15))):
        cache.store(caller(name), large, [])

    assert [cache.find(caller(name), 5) is None for name in ("first", "0", "14")] == [True, False, False]
