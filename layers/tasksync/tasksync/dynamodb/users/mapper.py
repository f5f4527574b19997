"""How users and their recovery tokens are stored."""

from msgspec.structs import replace

from tasksync.dynamodb.core.mapper import MOMENT, NUMBER, TEXT, Attribute, Mapper, Raw, one_of
from tasksync.model.entities import AddedBy, Recovery, User, UserRole, UserStatus

# Users from before there was a choice have no such attribute.
_ADDED_BY = replace(one_of(AddedBy).default(AddedBy.ANYONE), show=lambda text: text or AddedBy.ANYONE.value)

USER = Mapper(
    User,
    Attribute("user_id", TEXT, field="id"),
    Attribute("username", TEXT, audited="username"),
    Attribute("email", TEXT.or_none(), audited="email"),
    Attribute("password_hash", TEXT),
    Attribute("role", one_of(UserRole), audited="role"),
    Attribute("status", one_of(UserStatus)),
    Attribute("token_epoch", NUMBER),
    Attribute("created_at", MOMENT),
    Attribute("updated_at", MOMENT),
    Attribute("version", NUMBER),
    Attribute("added_by", _ADDED_BY, audited="added_by"),
)

_RECOVERY = Mapper(
    Recovery,
    Attribute("recovery_hash", TEXT, field="token_hash"),
    Attribute("recovery_expires_at", MOMENT, field="expires_at"),
    Attribute("recovery_version", NUMBER, field="version"),
)


def recovery_of(raw: Raw) -> Recovery | None:
    """The recovery token that was issued last to this user; None if there is none."""
    return _RECOVERY.read(raw) if "recovery_hash" in raw else None
