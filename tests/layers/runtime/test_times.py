"""Times are written as RFC 3339 has them, whatever writes them."""

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis.strategies import dates, datetimes, integers, just

from tasksync.model import times

IN_UTC = datetimes(timezones=just(UTC))
WITH_OFFSET = datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001  # hypothesis puts the zone to it
    datetime(9999, 12, 30),  # noqa: DTZ001  # hypothesis puts the zone to it
    timezones=integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(IN_UTC)
def test_a_server_time_has_three_decimals(at: datetime) -> None:
    assert times.timestamp(at) == at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@given(WITH_OFFSET)
def test_a_client_time_is_written_in_utc_without_trailing_zeros(at: datetime) -> None:
    written = times.rfc3339(at)

    assert times.parse(written) == at
    assert written.endswith("Z")
    assert not written.endswith(("0Z", ".Z")) or "." not in written


@given(WITH_OFFSET)
def test_a_sortable_time_has_six_decimals(at: datetime) -> None:
    assert times.sortable(at) == at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@given(WITH_OFFSET, WITH_OFFSET)
def test_sortable_times_sort_chronologically(one: datetime, other: datetime) -> None:
    assert (times.sortable(one) < times.sortable(other)) == (one < other)


# Few days, so that times fall on the same day as dates, and close to midnight.
AROUND_A_DAY = dates(date(2027, 1, 30), date(2027, 2, 1)) | datetimes(
    datetime(2027, 1, 30),  # noqa: DTZ001  # hypothesis puts the zone to it
    datetime(2027, 2, 1, 23, 59, 59, 999_999),  # noqa: DTZ001  # hypothesis puts the zone to it
    timezones=integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


def _end(at: date) -> tuple[datetime, int]:
    """A date ends before midnight of the next day, and after every time before that."""
    if isinstance(at, datetime):
        return at, 0
    return datetime(at.year, at.month, at.day, tzinfo=UTC) + timedelta(days=1), -1


@given(AROUND_A_DAY | dates(max_value=date(9999, 12, 30)), AROUND_A_DAY)
def test_dates_and_times_sort_by_their_ends(one: date, other: date) -> None:
    assert (times.sortable(one) < times.sortable(other)) == (_end(one) < _end(other))


@given(WITH_OFFSET | dates())
def test_a_sortable_text_is_read_as_the_time_or_the_date_that_it_was(at: date) -> None:
    read = times.from_sortable(times.sortable(at))

    assert (read, type(read)) == (at, type(at))
