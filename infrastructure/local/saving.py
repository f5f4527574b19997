"""Saves ministack's in-memory state while it runs. ministack itself saves only at a clean stop."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from ministack import app

from infrastructure.local.memory import Memory, load_files_of_ministack
from infrastructure.local.state import Changes, State

_logger = logging.getLogger(__name__)

# With a second or so for capturing and writing, what is older than two seconds is on the disk.
_SECONDS_BETWEEN_SAVES = 0.5
# Of the time of one core, on average. Where saving takes more of it, it is done less often.
_SHARE = 0.05
# How much the last save counts in that average: one that is much larger, as the first is, must not delay the next.
_WEIGHT = 0.05


class Saver:
    """Takes the place of ministack's own persistence. Made and told to ``listen`` before ministack starts."""

    def __init__(self, state: State, report: Callable[[str], None]) -> None:
        """``report`` takes a sentence for the person at the terminal."""
        self.failed = False
        self._state = state
        self._report = report
        self._memory = Memory()
        self._changes = Changes()
        # Capturing is done on the event loop, all else on this thread: requests do not wait for the disk.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="saving")
        self._saving: asyncio.Task[None] | None = None
        self._last = _now()

    def listen(self) -> None:
        app._load_persisted_state = self._load  # noqa: SLF001  # ministack has no place to listen at
        app.save_all = self._finish
        self._memory.listen()

    def begin(self) -> None:
        """From now on what changes is saved. Not before the start is complete: one that fails leaves no trace."""
        if self._saving is None:
            self._memory.hand_on()
            self._saving = asyncio.get_running_loop().create_task(self._save_again_and_again())

    def _load(self) -> None:
        if self._state.exists():
            self._memory.restore(self._state.rows())
        else:
            load_files_of_ministack()

    async def _save_again_and_again(self) -> None:
        average = 0.0
        while True:
            average += _WEIGHT * (await self._save() - average)
            await asyncio.sleep(max(_SECONDS_BETWEEN_SAVES, average / _SHARE))

    async def _save(self) -> float:
        """Returns how many seconds of a core it took."""
        started = time.thread_time()
        try:
            self._memory.capture(self._changes)
            cost = time.thread_time() - started
            if self._changes or self._state.unsaved:
                changes, self._changes = self._changes, Changes()
                cost += await asyncio.get_running_loop().run_in_executor(self._thread, self._write, changes)
        except Exception as error:
            # Whatever it is: the next try may succeed, and giving up would lose all that is to come.
            self._report_failure(error)
            return 0.0
        self._report_success()
        return cost

    def _write(self, changes: Changes) -> float:
        started = time.thread_time()
        self._state.write(changes)
        return time.thread_time() - started

    def _finish(self, _services: Any) -> None:
        """The last save, when ministack stops in order; none if saving never began."""
        try:
            if self._saving is not None:
                self._saving.cancel()
                self._memory.capture(self._changes, whole=True)
                self._thread.submit(self._write, self._changes).result()
            self.failed = False
        except Exception as error:
            _logger.exception("What has changed was not saved")
            self.failed = True
            self._report(f"What has changed since {self._last} was not saved ({error}); the data is that of then.")
        self._thread.submit(self._state.close).result()

    def _report_failure(self, error: Exception) -> None:
        if not self.failed:
            _logger.error("What has changed was not saved", exc_info=error)
            self._report(f"What changes since {self._last} is not saved ({error}); this is tried again and again.")
        self.failed = True

    def _report_success(self) -> None:
        if self.failed:
            self._report("What has changed is saved again.")
        self.failed = False
        self._last = _now()


def _now() -> str:
    """For the person at the terminal, so in local time."""
    return datetime.now().astimezone().strftime("%H:%M:%S")
