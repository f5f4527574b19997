"""How far a migration is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """Where it stands in one segment of its table."""

    after: str | None = None
    """The key of the last item it looked at; None: at the start."""
    looked_at: int = 0
    changed: int = 0
    left: int = 0
    """Items that it had to leave as they were."""
    finished: bool = False
