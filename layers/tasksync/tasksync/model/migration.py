"""The position of a migration in its table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """The progress of a migration in one segment of its table."""

    after: str | None = None
    """The key of the last visited item; None: at the start."""
    looked_at: int = 0
    changed: int = 0
    left: int = 0
    """How many items could not be converted."""
    finished: bool = False
