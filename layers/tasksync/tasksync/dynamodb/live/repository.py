"""The live table. Losing it costs each client a new ticket."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from tasksync.dynamodb.core.connection import Transaction, get_item, get_many
from tasksync.dynamodb.live.items import ConnectionsItem, TicketItem, has, without
from tasksync.dynamodb.live.mapper import connections_of, live_key, ticket_key, ticket_of
from tasksync.model.errors import WriteConflict
from tasksync.model.live import Connections, Ticket
from tasksync.runtime.settings import settings


class TicketsRepository:
    """Tickets, by their digests."""

    def put(self, ticket_hash: str, ticket: Ticket) -> None:
        transaction = Transaction()
        transaction.put(TicketItem.of(ticket_hash, ticket), TicketItem.live_id.does_not_exist(), WriteConflict)
        transaction.commit()

    def take(self, ticket_hash: str, at: datetime) -> Ticket | None:
        """Delete a ticket and return it; None if there is none, or it has expired. Nobody gets it twice."""
        raw = get_item(settings.live_table, ticket_key(ticket_hash))
        ticket = None if raw is None else ticket_of(raw)
        if ticket is None or ticket.expires_at <= at:
            return None
        transaction = Transaction()
        transaction.delete(TicketItem.at(ticket_hash), TicketItem.live_id.exists(), WriteConflict)
        try:
            transaction.commit()
        except WriteConflict:
            return None
        return ticket


class ConnectionsRepository:
    """The connections of users: one item each."""

    def find(self, user_id: str) -> Connections:
        """Read consistently."""
        raw = get_item(settings.live_table, live_key(user_id))
        return Connections(user_id) if raw is None else connections_of(raw)

    def find_many(self, user_ids: Iterable[str]) -> list[Connections]:
        """Of those who have any. One round trip for 100 users; not read consistently, which costs half."""
        keys = map(live_key, user_ids)
        return [connections_of(raw) for raw in get_many(settings.live_table, keys, consistent=False)]

    def remove(self, user_id: str, session_id: str, connection_id: str) -> None:
        """Forget a connection that ended by itself. One that is forgotten already stays so."""
        transaction = Transaction()
        transaction.update(
            ConnectionsItem(user_id),
            without(session_id, connection_id),
            has(session_id, connection_id),
            WriteConflict,
        )
        with suppress(WriteConflict):
            transaction.commit()
