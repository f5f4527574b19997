"""The mark on the head of a log whose room has webhooks.

The event filter of the dispatch function lets marked heads through, and for others nothing is called or paid. The
transaction that makes the first webhook of a room sets the mark: every later append keeps it, and the transaction
itself makes a stream record of the head.

A room that is new, or that has not changed since logs are kept, may have no head yet. It then gets one with the number
0, which says the same as none.
"""

from pynamodb.expressions.update import Action

from tasksync.dynamodb.change_log.decoder import HAS_WEBHOOKS, HEAD
from tasksync.dynamodb.change_log.items import HeadItem
from tasksync.dynamodb.core.connection import Transaction


def mark(transaction: Transaction, room_id: str) -> None:
    """From now on, appends to the log of the room are dispatched."""
    _amend(transaction, room_id, HeadItem.webhooks.set(HAS_WEBHOOKS))


def unmark(transaction: Transaction, room_id: str) -> None:
    """The room has no webhooks any more."""
    _amend(transaction, room_id, HeadItem.webhooks.remove())


def _amend(transaction: Transaction, room_id: str, action: Action) -> None:
    numbers = (HeadItem.seq, HeadItem.open, HeadItem.completed)
    # Nothing is appended, so no hint is due.
    actions = [action, HeadItem.changed_at.remove(), *(number.set(number | 0) for number in numbers)]
    transaction.amend(HeadItem(room_id, HEAD), actions)
