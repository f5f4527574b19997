"""Gather: runs independent reads at the same time, in threads."""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any, TypeVar

from tasksync.observability import usage
from tasksync.runtime.settings import settings

Result = TypeVar("Result")
Other = TypeVar("Other")


def gather(first: Callable[[], Result], *others: Callable[[], Result]) -> list[Result]:
    """The results, in the order of the arguments. Raises the error of the first one, in this order, that fails.

    ``first`` runs in this thread and may itself call ``gather``; the others must not, or they could wait for threads
    that wait for them.
    """
    if not others:
        return [first()]
    reads = [first, *others]
    counts = [usage.UsageCounters() for _ in reads]
    jobs = [_counted(read, count) for read, count in zip(reads, counts, strict=True)]
    try:
        return _run_concurrently(jobs) if settings.concurrent_reads > 1 else [job() for job in jobs]
    finally:
        usage.add_parallel(counts)


def gather_pair(first: Callable[[], Result], other: Callable[[], Other]) -> tuple[Result, Other]:
    """``gather`` for two results of different types."""
    reads: tuple[Callable[[], Any], Callable[[], Any]] = (first, other)
    result, other_result = gather(*reads)
    return result, other_result


def _counted(read: Callable[[], Result], count: usage.UsageCounters) -> Callable[[], Result]:
    """``read`` in a copy of this context, with usage counters of its own: threads must not share counters."""

    def counted() -> Result:
        usage.count_in(count)
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
    return ThreadPoolExecutor(settings.concurrent_reads)
