"""The live table, as the auditor checks it: connections with the sessions that they are of, and tickets."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.integrity.references import items_by_id, users_by_id
from tasksync.dynamodb.live.mapper import SESSION, connections_of, is_ticket, ticket_of
from tasksync.integrity.snapshot import ConnectionsSnapshot, TicketSnapshot
from tasksync.model import times
from tasksync.model.live import Connections
from tasksync.runtime.settings import settings

_USER = "usr_"
_KNOWN = {"live_id", "version", "expires_at", "left"}


def read_live_item(raw: Raw) -> Raw:
    """The item, if it can be read."""
    if is_ticket(raw):
        ticket_of(raw)
        return raw
    if not raw["live_id"]["S"].startswith(_USER):
        raise ValueError("no kind of item of this table")
    unknown = [name for name in raw.keys() - _KNOWN if not name.startswith(SESSION)]
    if unknown:
        raise ValueError(f"attributes of no session: {', '.join(sorted(unknown))}")
    connections_of(raw)
    _expires_at(raw)
    return raw


def ticket_snapshots(raws: Iterable[Raw]) -> list[TicketSnapshot]:
    return [TicketSnapshot(raw["live_id"]["S"], ticket_of(raw).expires_at) for raw in raws if is_ticket(raw)]


def connections_snapshots(raws: Iterable[Raw]) -> list[ConnectionsSnapshot]:
    """One for each user among these items. Sessions are read of those who have connections that have not expired."""
    at = times.now()
    items = [raw for raw in raws if not is_ticket(raw)]
    users = {raw["live_id"]["S"]: connections_of(raw) for raw in items}
    in_use = {user_id: _in_use(found, at) for user_id, found in users.items()}
    ended = _ended({(user_id, session_id) for user_id, found in in_use.items() for session_id in found})
    return [
        ConnectionsSnapshot(
            users[user_id],
            _expires_at(raw),
            frozenset(session_id for session_id in in_use[user_id] if (user_id, session_id) in ended),
        )
        for raw in items
        for user_id in [raw["live_id"]["S"]]
    ]


def _in_use(user: Connections, at: datetime) -> set[str]:
    """The sessions of the connections that have not expired. DynamoDB may have deleted those of others."""
    return {connection.session_id for connection in user.connections if connection.expires_at > at}


def _ended(used: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of pairs of user and session, those whose session is not there, of somebody else, or of an epoch that is over."""
    sessions = items_by_id(settings.sessions_table, {(session_id,): None for _, session_id in used})
    users = users_by_id({user_id for user_id, _ in used})
    return {
        (user_id, session_id)
        for user_id, session_id in used
        if (session := sessions.get(session_id)) is None
        or session["user_id"]["S"] != user_id
        or session["epoch"] != users.get(user_id, {}).get("token_epoch")
    }


def _expires_at(raw: Raw) -> datetime:
    return datetime.fromtimestamp(int(raw["expires_at"]["N"]), UTC)
