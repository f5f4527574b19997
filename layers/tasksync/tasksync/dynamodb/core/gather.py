"""Reads that do not need each other's answers, made at the same time."""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any, TypeVar

from tasksync.runtime import unit_of_work
from tasksync.runtime.settings import settings
from tasksync.runtime.unit_of_work import UnitOfWork

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
    parts = unit_of_work.split(len(reads))
    jobs = [_counted(read, part) for read, part in zip(reads, parts, strict=True)]
    try:
        return _at_once(jobs) if settings.concurrent_reads > 1 else [job() for job in jobs]
    finally:
        unit_of_work.join(parts)


def gather_pair(first: Callable[[], Answer], other: Callable[[], Other]) -> tuple[Answer, Other]:
    """``together`` for two that answer different things."""
    reads: tuple[Callable[[], Any], Callable[[], Any]] = (first, other)
    answer, others_answer = gather(*reads)
    return answer, others_answer


def _counted(read: Callable[[], Answer], part: UnitOfWork) -> Callable[[], Answer]:
    """In a copy of this context, with a unit of work of its own."""

    def counted() -> Answer:
        unit_of_work.enter(part)
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
