"""Opening a connection: a transaction that needs the session and its user, too."""

from collections.abc import Sequence

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.live.items import ConnectionsItem, rewrite
from tasksync.dynamodb.live.repository import ConnectionsRepository
from tasksync.dynamodb.sessions.items import SessionItem
from tasksync.dynamodb.users.items import UserItem
from tasksync.model.errors import TokenRevoked
from tasksync.model.live import Connection, Connections, Ticket


class OpeningConnections(ConnectionsRepository):
    """The live table, with what opens a connection."""

    def open(self, ticket: Ticket, before: Connections, after: Sequence[Connection]) -> None:
        """Store these connections of the ticket's user in place of those that were read.

        Raises ``TokenRevoked`` if the session of the ticket has ended, ``WriteConflict`` if the connections have
        changed since they were read.
        """
        transaction = Transaction()
        # Whatever ends a session deletes it or raises the epoch of its user, and ends its connections in the same
        # transaction: so no connection of it can be stored afterwards.
        transaction.check(SessionItem(ticket.session_id), SessionItem.session_id.exists(), TokenRevoked)
        transaction.check(UserItem(ticket.user_id), UserItem.token_epoch == ticket.epoch, TokenRevoked)
        as_read = ConnectionsItem.version == before.version
        rewrite(transaction, before, after, as_read if before.version else ConnectionsItem.live_id.does_not_exist())
        transaction.commit()
