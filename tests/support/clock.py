"""Time as the product sees it, moved by a test."""

import time

import pytest


class Clock:
    """The product's clock, which stands still. What AWS's double takes for the time goes on."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._now = time.time_ns()
        patch.setattr(time, "time_ns", lambda: self._now)

    def pass_by(self, seconds: float) -> None:
        self._now += int(seconds * 1_000_000_000)
