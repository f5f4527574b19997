"""Gather: runs independent reads at the same time, in threads."""

import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any, TypeVar

from tasksync.runtime import unit_of_work
from tasksync.runtime.settings import settings
from tasksync.runtime.unit_of_work import UnitOfWork

Result = TypeVar("Result")
Other = TypeVar("Other")

_this_thread = threading.local()


def gather(first: Callable[[], Result], *others: Callable[[], Result]) -> list[Result]:
    """The results, in the order of the arguments. Raises the error of the first one, in this order, that fails.

    ``first`` runs in this thread. Where the others call ``gather`` themselves, those reads run one after the other:
    they could wait for threads that wait for them.
    """
    if not others:
        return [first()]
    reads = [first, *others]
    parts = unit_of_work.split(len(reads))
    jobs = [_counted(read, part) for read, part in zip(reads, parts, strict=True)]
    try:
        concurrently = settings.concurrent_reads > 1 and not hasattr(_this_thread, "is_pooled")
        return _run_concurrently(jobs) if concurrently else [job() for job in jobs]
    finally:
        unit_of_work.join(parts)


def gather_pair(first: Callable[[], Result], other: Callable[[], Other]) -> tuple[Result, Other]:
    """``gather`` for two results of different types."""
    reads: tuple[Callable[[], Any], Callable[[], Any]] = (first, other)
    result, other_result = gather(*reads)
    return result, other_result


def _counted(read: Callable[[], Result], part: UnitOfWork) -> Callable[[], Result]:
    """``read`` in a copy of this context, with a unit of work of its own: threads must not share counters."""

    def counted() -> Result:
        unit_of_work.enter(part)
        return read()

    return functools.partial(copy_context().run, counted)


def _run_concurrently(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    futures = [_threads().submit(job) for job in jobs[1:]]
    try:
        result = jobs[0]()
    finally:
        # Lambda freezes the container when the invocation ends: no thread may be in the middle of a request then.
        wait(futures)
    return [result, *(future.result() for future in futures)]


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.concurrent_reads, initializer=_mark_thread)


def _mark_thread() -> None:
    _this_thread.is_pooled = True
