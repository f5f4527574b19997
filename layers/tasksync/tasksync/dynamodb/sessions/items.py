"""The items of the sessions table: one for each sign-in, and one for each public key that verifies access tokens."""

from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.sessions.mapper import SESSION
from tasksync.model.entities import Session
from tasksync.runtime.settings import settings

KEY = "KEY#"
KEYS = "KEYS"
"""The ``user_id`` of all keys: by it the index finds them."""


class ByUser(GlobalSecondaryIndex["SessionItem"]):
    class Meta:
        index_name = "by_user"
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True)
    session_id = UnicodeAttribute(range_key=True)


class SessionsItem(SharedModel):
    """Any item of the table."""

    class Meta:
        table_name = settings.sessions_table

    session_id = UnicodeAttribute(hash_key=True)
    kind = DiscriminatorAttribute()
    by_user = ByUser()


class KeyItem(SessionsItem, discriminator="key"):
    user_id = UnicodeAttribute()
    """``KEYS``."""
    jwk = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)
    """When a retired key is withdrawn, in seconds since 1970; DynamoDB deletes the item some time after."""


class SessionItem(SessionsItem, discriminator="session"):
    user_id = UnicodeAttribute()
    epoch = NumberAttribute()
    family_hash = UnicodeAttribute()
    refresh_hash = UnicodeAttribute()
    created_at = UnicodeAttribute()
    authenticated_at = UnicodeAttribute(null=True)
    """Absent in sessions from before it was stored: ``mapper.session_of``."""
    last_used_at = UnicodeAttribute()
    expires_at = NumberAttribute()
    """Seconds since 1970: DynamoDB deletes the item some time after. Until then it is only ignored."""
    ends_at = NumberAttribute(null=True)
    """Seconds since 1970. Absent in sessions from before they could end by being idle: ``mapper.session_of``."""
    spent_hash = UnicodeAttribute(null=True)
    exchange_key = UnicodeAttribute(null=True)
    exchange_salt = UnicodeAttribute(null=True)
    user_agent = UnicodeAttribute()
    ip = UnicodeAttribute()

    @classmethod
    def of(cls, session: Session) -> "SessionItem":
        """Of a session that has not been refreshed."""
        return cls(**SESSION.attributes(session))


def session_key(session_id: str) -> Raw:
    """The key of a session, as DynamoDB spells it."""
    return {"session_id": {"S": session_id}}
