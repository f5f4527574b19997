"""Reads that do not need each other's answers, made at the same time."""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any, TypeVar

from tasksync.observability import usage
from tasksync.runtime.settings import settings

Answer = TypeVar("Answer")
Other = TypeVar("Other")


def gather(first: Callable[[], Answer], *others: Callable[[], Answer]) -> list[Answer]:
    """The answers, in the order of the questions. Raises what the first of them raises that fails.

    ``first`` runs in this thread and may itself ask several things together; the others must not, or they could wait
    for threads that wait for them.
    """
    if not others:
        return [first()]
    reads = [first, *others]
    counts = [usage.Work() for _ in reads]
    jobs = [_counted(read, count) for read, count in zip(reads, counts, strict=True)]
    try:
        return _at_once(jobs) if settings.concurrent_reads > 1 else [job() for job in jobs]
    finally:
        usage.add_parallel(counts)


def gather_pair(first: Callable[[], Answer], other: Callable[[], Other]) -> tuple[Answer, Other]:
    """``together`` for two that answer different things."""
    reads: tuple[Callable[[], Any], Callable[[], Any]] = (first, other)
    answer, others_answer = gather(*reads)
    return answer, others_answer


def _counted(read: Callable[[], Answer], count: usage.Work) -> Callable[[], Answer]:
    """In a copy of this context, which knows who asks, with a count of its own: counts are not safe among threads."""

    def counted() -> Answer:
        usage.count_in(count)
        return read()

    return functools.partial(copy_context().run, counted)


def _at_once(jobs: Sequence[Callable[[], Answer]]) -> list[Answer]:
    futures = [_threads().submit(job) for job in jobs[1:]]
    try:
        answer = jobs[0]()
    finally:
        # An invocation that ended would leave them frozen in the middle of a request.
        wait(futures)
    return [answer, *(future.result() for future in futures)]


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.concurrent_reads)
