"""The live table. Losing it costs each client a new ticket."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tasksync.dynamodb.core.connection import Transaction, get_item, get_many, shared_connection
from tasksync.dynamodb.live.items import TicketItem, remove_connection
from tasksync.dynamodb.live.mapper import connections_of, is_ticket, live_key, ticket_key, ticket_of
from tasksync.model.errors import WriteConflict
from tasksync.model.live import Connection, Connections, Ticket
from tasksync.runtime.deadline import KeepGoing
from tasksync.runtime.settings import settings


class TicketsRepository:
    """Tickets, by their digests."""

    def put(self, ticket_hash: str, ticket: Ticket) -> None:
        transaction = Transaction()
        transaction.note(TicketItem.of(ticket_hash, ticket))  # of 128 random bits: it replaces nothing
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

    def count_open(self, at: datetime, keep_going: KeepGoing) -> int | None:
        """How many connections there are that have not expired. It reads the whole table.

        None if ``keep_going`` said no before the end.
        """
        count = 0
        request: dict[str, Any] = {"TableName": settings.live_table}
        while keep_going():
            response = shared_connection().dispatch("Scan", request)
            users = [connections_of(raw) for raw in response["Items"] if not is_ticket(raw)]
            count += sum(each.expires_at > at for user in users for each in user.connections)
            if "LastEvaluatedKey" not in response:
                return count
            request["ExclusiveStartKey"] = response["LastEvaluatedKey"]
        return None

    def remove(self, before: Connections, ended: Connection) -> None:
        """Remove a connection that ended by itself from those that were read.

        Raises ``WriteConflict`` if those of its session have changed since.
        """
        transaction = Transaction()
        remove_connection(transaction, before, ended)
        transaction.commit()
