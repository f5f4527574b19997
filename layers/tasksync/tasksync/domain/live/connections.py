"""Tickets and connections of live updates."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tasksync.model import times
from tasksync.model.entities import Caller, Session
from tasksync.model.errors import TokenRevoked
from tasksync.model.live import CONNECTION_LIFETIME, MOST_CONNECTIONS, Connection, Connections, Ticket
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import retry_on_conflict

TICKET_SECONDS = 30


class Sessions(Protocol):
    """The part of the sessions repository that this service uses."""

    def find(self, session_id: str) -> Session | None: ...


class Tickets(Protocol):
    """``dynamodb/live/repository.py``, which says what each raises."""

    def put(self, ticket_hash: str, ticket: Ticket) -> None: ...
    def take(self, ticket_hash: str, at: datetime) -> Ticket | None: ...


class ChangedConnections(Protocol):
    """The part of ``dynamodb/live/repository.py`` that ``forget_connection`` uses."""

    def find(self, user_id: str) -> Connections: ...
    def remove(self, before: Connections, ended: Connection) -> None: ...


class OpenedConnections(Protocol):
    """The part of ``dynamodb/live/opening.py`` that ``open_connection`` uses."""

    def find(self, user_id: str) -> Connections: ...
    def open(self, ticket: Ticket, before: Connections, after: Sequence[Connection]) -> None: ...


class TicketService:
    """Issues tickets."""

    def __init__(self, sessions: Sessions, tickets: Tickets) -> None:
        self._sessions = sessions
        self._tickets = tickets

    def issue(self, caller: Caller, ticket_id: str, ticket_hash: str) -> None:
        """Store a ticket of the caller's session for 30 seconds. Raises ``TokenRevoked`` if the session has ended."""
        session = self._sessions.find(caller.session_id)
        at = times.now()
        if session is None or session.user_id != caller.user_id or session.expires_at <= at:
            raise TokenRevoked
        expires_at = at + timedelta(seconds=TICKET_SECONDS)
        ticket = Ticket(session.user_id, session.id, session.epoch, session.expires_at, expires_at)
        unit_of_work.respond_with(ticket_id)
        self._tickets.put(ticket_hash, ticket)


@retry_on_conflict
def open_connection(connection_id: str, ticket: Ticket, stored: OpenedConnections) -> None:
    """Store a new connection. What has expired goes, and of more than 10 the oldest.

    Raises ``TokenRevoked`` if the session of the ticket has ended.
    """
    at = times.now()
    before = stored.find(ticket.user_id)
    new = Connection(connection_id, ticket.session_id, at, min(at + CONNECTION_LIFETIME, ticket.session_ends_at))
    living = [connection for connection in before.connections if connection.expires_at > at]
    newest = sorted(living, key=lambda connection: (connection.opened_at, connection.id))[-(MOST_CONNECTIONS - 1) :]
    stored.open(ticket, before, [*newest, new])


@retry_on_conflict
def forget_connection(user_id: str, connection_id: str, stored: ChangedConnections) -> None:
    """Forget a connection that ended by itself. One that is forgotten already stays so."""
    before = stored.find(user_id)
    for connection in before.connections:
        if connection.id == connection_id:
            stored.remove(before, connection)
