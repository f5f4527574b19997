"""How tickets and connections are stored: see ``items.py``."""

from collections.abc import Iterable
from datetime import UTC, datetime

from tasksync.dynamodb.core.mapper import Raw
from tasksync.model.live import Connection, Connections, Ticket

TICKET = "ticket#"
SESSION = "ses_"
"""What the names of the attributes with connections begin with."""


def live_key(live_id: str) -> Raw:
    return {"live_id": {"S": live_id}}


def ticket_key(ticket_hash: str) -> Raw:
    return live_key(TICKET + ticket_hash)


def is_ticket(raw: Raw) -> bool:
    """Otherwise it is the connections of a user."""
    return bool(raw["live_id"]["S"].startswith(TICKET))


def ticket_of(raw: Raw) -> Ticket:
    return Ticket(
        user_id=raw["user_id"]["S"],
        session_id=raw["session_id"]["S"],
        epoch=int(raw["epoch"]["N"]),
        session_ends_at=_time(raw["session_ends_at"]),
        expires_at=_time(raw["expires_at"]),
    )


def connections_of(raw: Raw) -> Connections:
    return Connections(raw["live_id"]["S"], int(raw["version"]["N"]), tuple(_connections(raw)))


def _connections(raw: Raw) -> Iterable[Connection]:
    for name, value in raw.items():
        if name.startswith(SESSION):
            for connection_id, stored in value["M"].items():
                opened_at, expires_at = (datetime.fromtimestamp(int(at["N"]) / 1000, UTC) for at in stored["L"])
                yield Connection(connection_id, name, opened_at, expires_at)


def left_by(raw: Raw) -> str | None:
    """The connection that ended by itself last, if any."""
    text: str | None = raw.get("left", {}).get("S")
    return text


def _time(stored: Raw) -> datetime:
    return datetime.fromtimestamp(int(str(stored["N"])), UTC)
