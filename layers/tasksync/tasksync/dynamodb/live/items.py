"""The items of the live table: a ticket each, and one item with all connections of a user.

The connections of a session are one attribute, which is called as the session: a map from the id of a connection to
the times of its opening and its end. So a session that ends takes its connections along without a read.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import RemoveAction, SetAction

from tasksync.dynamodb.core.connection import SharedModel, Transaction
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.live.mapper import TICKET
from tasksync.model import times
from tasksync.model.errors import WriteConflict
from tasksync.model.live import Connection, Connections, Ticket
from tasksync.runtime.settings import settings

_EMPTY_SECONDS = 24 * 3600
"""How long an item without connections is stored."""


class LiveItem(SharedModel):
    """Any item of the table."""

    class Meta:
        table_name = settings.live_table

    live_id = UnicodeAttribute(hash_key=True)
    expires_at = NumberAttribute()
    """Seconds since 1970: DynamoDB deletes the item some time after. Until then it is only ignored."""


class TicketItem(LiveItem):
    user_id = UnicodeAttribute()
    session_id = UnicodeAttribute()
    epoch = NumberAttribute()
    session_ends_at = NumberAttribute()

    @classmethod
    def at(cls, ticket_hash: str) -> "TicketItem":
        return cls(TICKET + ticket_hash)

    @classmethod
    def of(cls, ticket_hash: str, ticket: Ticket) -> "TicketItem":
        return cls(
            TICKET + ticket_hash,
            user_id=ticket.user_id,
            session_id=ticket.session_id,
            epoch=ticket.epoch,
            session_ends_at=_seconds(ticket.session_ends_at),
            expires_at=_seconds(ticket.expires_at),
        )


class ConnectionsItem(LiveItem):
    """The connections of a user. Its attributes of sessions have names of their own, so PynamoDB does not know them."""

    version = NumberAttribute()
    left = UnicodeAttribute(null=True)
    """The connection that ended by itself last: it need not be closed."""


def rewrite(transaction: Transaction, before: Connections, after: Sequence[Connection], unchanged: Condition) -> None:
    """Store these connections of a user in place of those that were read.

    The commit raises ``WriteConflict`` if they are not what was read: ``unchanged``.
    """
    maps = _maps(after)
    gone = {connection.session_id for connection in before.connections} - maps.keys()
    last = max((connection.expires_at for connection in after), default=times.now())
    transaction.update(
        ConnectionsItem(before.user_id),
        [
            *(SetAction(_path(session_id), Value({"M": stored})) for session_id, stored in maps.items()),
            *(RemoveAction(_path(session_id)) for session_id in sorted(gone)),
            ConnectionsItem.version.set(before.version + 1),
            ConnectionsItem.expires_at.set(_seconds(last) + _EMPTY_SECONDS),
        ],
        unchanged,
        WriteConflict,
    )


def remove_connection(transaction: Transaction, before: Connections, ended: Connection) -> None:
    """Remove a connection that ended by itself. The other sessions of the user stay as they are.

    The commit raises ``WriteConflict`` if those of its session are not what was read. Their version says that only as
    long as the item is there: whatever ends all sessions deletes it, and the next one begins with 1 again.
    """
    of_session = [connection for connection in before.connections if connection.session_id == ended.session_id]
    [(session_id, stored)] = _maps(of_session).items()
    left = {connection_id: times_of for connection_id, times_of in stored.items() if connection_id != ended.id}
    path = _path(session_id)
    transaction.update(
        ConnectionsItem(before.user_id),
        [
            SetAction(path, Value({"M": left})) if left else RemoveAction(path),
            ConnectionsItem.version.add(1),
            ConnectionsItem.left.set(ended.id),
        ],
        path == Value({"M": stored}),
        WriteConflict,
    )


def end_connections_of_session(transaction: Transaction, user_id: str, session_id: str) -> None:
    """Let the connections of a session end with it. The function ``live`` then closes them."""
    expires_at = ConnectionsItem.expires_at
    transaction.amend(
        ConnectionsItem(user_id),
        [
            RemoveAction(_path(session_id)),
            ConnectionsItem.version.add(1),
            # The update makes the item if there is none.
            expires_at.set(expires_at | _seconds(times.now()) + _EMPTY_SECONDS),
        ],
    )


def end_all_connections(transaction: Transaction, user_id: str) -> None:
    """Let all connections of a user end. The function ``live`` then closes them."""
    transaction.forget(ConnectionsItem(user_id))


def _path(name: str) -> Path:
    return Path([name])


def _maps(connections: Iterable[Connection]) -> Mapping[str, Raw]:
    by_session = groupby(sorted(connections, key=attrgetter("session_id")), attrgetter("session_id"))
    return {
        session_id: {
            each.id: {"L": [{"N": str(_milliseconds(at))} for at in (each.opened_at, each.expires_at)]}
            for each in found
        }
        for session_id, found in by_session
    }


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _milliseconds(at: datetime) -> int:
    """As exact as the clock is: connections may be opened within a second, and the oldest is closed."""
    return round(at.timestamp() * 1000)
