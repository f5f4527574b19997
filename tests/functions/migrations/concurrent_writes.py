"""Somebody who comes between what a migration has read and what it writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tasksync.dynamodb.core.connection import shared_connection


@contextmanager
def before_the_next_transaction(happens: Callable[[], object]) -> Iterator[None]:
    """Let something happen once, before the function writes what it has decided on."""
    events, waiting = shared_connection().client.events, [happens]

    def come_between(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    events.register("before-send.dynamodb.TransactWriteItems", come_between)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb.TransactWriteItems", come_between)
    assert not waiting
