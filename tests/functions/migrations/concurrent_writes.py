"""Somebody who comes between what a migration has read and what it writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tasksync.dynamodb.core.connection import shared_connection


@contextmanager
def before_the_next_transaction(happens: Callable[[], object], operation: str = "TransactWriteItems") -> Iterator[None]:
    """Let something happen once, before the function writes what it has decided on, by this operation."""
    events, waiting = shared_connection().client.events, [happens]
    event = f"before-send.dynamodb.{operation}"

    def come_between(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    events.register(event, come_between)
    try:
        yield
    finally:
        events.unregister(event, come_between)
    assert not waiting
