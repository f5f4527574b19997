"""Time, in UTC, and its two written forms (RFC 3339)."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present, in UTC, cut to milliseconds: as exact as the ids that sort by it."""
    return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, UTC)


def timestamp(at: datetime) -> str:
    """A time the server took, always with three decimals, so that the texts sort as the times do."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339(at: datetime) -> str:
    """A time a person gave, as short as it can be written without losing anything."""
    whole, _, fraction = at.astimezone(UTC).isoformat().removesuffix("+00:00").partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def sortable(at: datetime) -> str:
    """A fixed-width form, in which the texts of all times sort as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """Read any of the forms above."""
    return datetime.fromisoformat(text)
