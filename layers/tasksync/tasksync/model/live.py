"""Live updates: tickets, and the connections that they open."""

from datetime import datetime, timedelta

import msgspec

MOST_CONNECTIONS = 10
"""Of one user. One more closes the oldest."""
CONNECTION_LIFETIME = timedelta(hours=2)
"""API Gateway closes a connection then."""


class Ticket(msgspec.Struct, frozen=True):
    """Lets its holder open one connection. It is bound to the session that requested it."""

    user_id: str
    session_id: str
    epoch: int
    """Of the session."""
    session_ends_at: datetime
    expires_at: datetime


class Connection(msgspec.Struct, frozen=True):
    """An open WebSocket."""

    id: str
    session_id: str
    opened_at: datetime
    expires_at: datetime
    """After this it gets no hints, even if it is still open."""


class Connections(msgspec.Struct, frozen=True):
    """The connections of a user, as they were read or as they are to be."""

    user_id: str
    version: int = 0
    """Raised by every change. 0: nothing is stored."""
    connections: tuple[Connection, ...] = ()
