"""How sessions are stored."""

from msgspec.structs import replace

from tasksync.dynamodb.core.mapper import MOMENT, NUMBER, SECONDS, TEXT, Attribute, Mapper, Raw, text_of, without_null
from tasksync.model.entities import Exchange, Session

SESSION = Mapper(
    Session,
    Attribute("session_id", TEXT, field="id"),
    Attribute("user_id", TEXT),
    Attribute("epoch", NUMBER),
    Attribute("family_hash", TEXT),
    Attribute("refresh_hash", TEXT),
    Attribute("created_at", MOMENT),
    Attribute("authenticated_at", MOMENT),
    Attribute("last_used_at", MOMENT),
    Attribute("expires_at", SECONDS),
    Attribute("ends_at", SECONDS),
    Attribute("user_agent", TEXT),
    Attribute("ip", TEXT),
    apart={"exchange"},
)

_EXCHANGE = Mapper(
    Exchange,
    Attribute("spent_hash", TEXT),
    Attribute("exchange_key", TEXT.or_none(), field="key"),
    Attribute("exchange_salt", TEXT, field="salt"),
)


def session_of(raw: Raw) -> Session:
    """Raises ``TypeError`` or ``KeyError`` for an item that is no session."""
    # Sessions from before these two attributes were stored have none of them. Their user last entered the password at
    # the sign-in, and they ended at ``expires_at``.
    defaults = {"authenticated_at": raw["created_at"], "ends_at": raw["expires_at"]}
    session = SESSION.read({**defaults, **without_null(raw)})
    return session if text_of(raw, "spent_hash") is None else replace(session, exchange=_EXCHANGE.read(raw))
