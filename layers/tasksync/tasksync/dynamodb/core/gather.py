"""Gather: runs independent reads at the same time, in this thread and in others."""

import functools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from tasksync.runtime import unit_of_work
from tasksync.runtime.settings import settings
from tasksync.runtime.unit_of_work import UnitOfWork

Result = TypeVar("Result")
Other = TypeVar("Other")


def gather(*reads: Callable[[], Result]) -> list[Result]:
    """The results, in the order of the arguments. Raises the error of the first one, in this order, that fails.

    This thread runs each read that no other thread has begun. So it never waits for a thread to become free, and reads
    may gather themselves.
    """
    if len(reads) < 2:
        return [read() for read in reads]
    parts = unit_of_work.split(len(reads))
    jobs = [_Job(read, part) for read, part in zip(reads, parts, strict=True)]
    try:
        if settings.concurrent_reads == 1:
            return [job.read() for job in jobs]
        _run_concurrently(jobs)
        return [job.result() for job in jobs]
    finally:
        unit_of_work.join(parts)


def gather_pair(first: Callable[[], Result], other: Callable[[], Other]) -> tuple[Result, Other]:
    """``gather`` for two results of different types."""
    reads: tuple[Callable[[], Any], Callable[[], Any]] = (first, other)
    result, other_result = gather(*reads)
    return result, other_result


class _Job(Generic[Result]):
    """A read in a copy of this context, with a unit of work of its own: threads must not share counters."""

    def __init__(self, read: Callable[[], Result], part: UnitOfWork) -> None:
        self._read = read
        self._part = part
        self._context = copy_context()
        self._result: Result
        self._error: BaseException | None = None

    def read(self) -> Result:
        return self._context.run(self._counted)

    def run(self) -> None:
        """``read`` for ``result``, which returns what it returned, or raises its error."""
        try:
            self._result = self.read()
        except BaseException as error:  # in the thread that waits for it
            self._error = error

    def result(self) -> Result:
        if self._error is not None:
            raise self._error
        return self._result

    def _counted(self) -> Result:
        unit_of_work.enter(self._part)
        return self._read()


def _run_concurrently(jobs: Sequence[_Job[Any]]) -> None:
    """Run all jobs. No thread is in the middle of a request afterwards: Lambda freezes the container when the
    invocation ends."""
    waiting = deque(jobs)
    done = SimpleQueue[None]()

    def work() -> None:
        """Run jobs until none is waiting."""
        while True:
            try:
                job = waiting.popleft()
            except IndexError:
                return
            job.run()
            done.put(None)

    for _ in range(min(len(jobs), settings.concurrent_reads) - 1):
        _threads().put(work)
    work()
    for _ in jobs:
        done.get()


@functools.cache
def _threads() -> SimpleQueue[Callable[[], None]]:
    """The work of further threads, which they take from this queue."""
    works = SimpleQueue[Callable[[], None]]()

    def run() -> None:
        while True:
            works.get()()

    for _ in range(settings.concurrent_reads - 1):
        threading.Thread(target=run, daemon=True, name="gather").start()
    return works
