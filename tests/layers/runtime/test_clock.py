"""Times are written as RFC 3339 has them, whatever writes them."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis.strategies import datetimes, integers, just

from tasksync.runtime import clock

IN_UTC = datetimes(timezones=just(UTC))
WITH_OFFSET = datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001  # hypothesis puts the zone to it
    datetime(9999, 12, 30),  # noqa: DTZ001  # hypothesis puts the zone to it
    timezones=integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(IN_UTC)
def test_a_server_time_has_three_decimals(at: datetime) -> None:
    assert clock.timestamp(at) == at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@given(WITH_OFFSET)
def test_a_client_time_is_written_in_utc_without_trailing_zeros(at: datetime) -> None:
    written = clock.rfc3339(at)

    assert clock.parse(written) == at
    assert written.endswith("Z")
    assert not written.endswith(("0Z", ".Z")) or "." not in written


@given(WITH_OFFSET)
def test_a_sortable_time_has_six_decimals(at: datetime) -> None:
    assert clock.sortable(at) == at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@given(WITH_OFFSET, WITH_OFFSET)
def test_sortable_times_sort_chronologically(one: datetime, other: datetime) -> None:
    assert (clock.sortable(one) < clock.sortable(other)) == (one < other)
