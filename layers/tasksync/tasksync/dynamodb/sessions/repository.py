"""The sessions table: one item for each sign-in, and one for each public key that verifies access tokens."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.transaction import Transaction
from tasksync.model.entities import Exchange, Page, Session
from tasksync.model.errors import InvalidToken
from tasksync.runtime import clock, unit_of_work
from tasksync.runtime.settings import settings

KEY = "KEY#"
_KEYS = "KEYS"


class _ByUser(GlobalSecondaryIndex["SessionItem"]):
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
    by_user = _ByUser()


class KeyItem(SessionsItem, discriminator="key"):
    user_id = UnicodeAttribute()
    """The same for all keys: by it the index finds them."""
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
    """Sessions from before it was kept have none: their person last showed the password at ``created_at``."""
    last_used_at = UnicodeAttribute()
    expires_at = NumberAttribute()
    """Seconds since 1970: DynamoDB deletes the item some time after. Until then it is only ignored."""
    ends_at = NumberAttribute(null=True)
    """Seconds since 1970. Sessions from before they could end by being idle have none: ``expires_at`` was their end."""
    spent_hash = UnicodeAttribute(null=True)
    exchange_key = UnicodeAttribute(null=True)
    exchange_salt = UnicodeAttribute(null=True)
    user_agent = UnicodeAttribute()
    ip = UnicodeAttribute()

    def entity(self) -> Session:
        spent: str | None = self.spent_hash
        exchange = Exchange(spent, self.exchange_key, self.exchange_salt) if spent is not None else None
        return Session(
            id=self.session_id,
            user_id=self.user_id,
            epoch=int(self.epoch),
            family_hash=self.family_hash,
            refresh_hash=self.refresh_hash,
            exchange=exchange,
            created_at=clock.parse(self.created_at),
            authenticated_at=clock.parse(self.authenticated_at or self.created_at),
            last_used_at=clock.parse(self.last_used_at),
            expires_at=datetime.fromtimestamp(int(self.expires_at), UTC),
            ends_at=datetime.fromtimestamp(int(self.ends_at or self.expires_at), UTC),
            user_agent=self.user_agent,
            ip=self.ip,
        )


class SessionsRepository:
    """Sign-ins. Whether one still counts is for its epoch and expiry to say."""

    def publish_key(self, jwk: dict[str, str]) -> None:
        """Make a public key known to the authorizer. Doing so again changes nothing: a retired key stays retired."""
        item = KeyItem(KEY + jwk["kid"])
        with unit_of_work.bookkeeping():
            item.update([KeyItem.kind.set(KeyItem), KeyItem.user_id.set(_KEYS), KeyItem.jwk.set(json.dumps(jwk))])

    def is_in_use(self, kid: str) -> bool:
        """Whether this key is published, and not retired."""
        try:
            expires_at: float | None = KeyItem.get(KEY + kid, consistent_read=True).expires_at
        except KeyItem.DoesNotExist:
            return False
        return expires_at is None

    def published_keys(self, at: datetime) -> list[dict[str, str]]:
        """The keys that are not withdrawn, from an index that may be some milliseconds behind."""
        live = KeyItem.expires_at.does_not_exist() | (KeyItem.expires_at > int(at.timestamp()))
        return [json.loads(cast("KeyItem", item).jwk) for item in KeyItem.by_user.query(_KEYS, None, live)]

    def find(self, session_id: str) -> Session | None:
        try:
            return SessionItem.get(session_id, consistent_read=True).entity()
        except SessionItem.DoesNotExist:
            return None

    def page_of(self, user_id: str, at: datetime, limit: int, after: str | None) -> Page[Session]:
        """The sessions of a user that have not run out, oldest first, signed out everywhere or not.

        From an index that may be some milliseconds behind. One round trip, so a page may be shorter than ``limit``.
        """
        lasting = SessionItem.expires_at > int(at.timestamp())
        beyond = None if after is None else _ByUser.session_id > after
        read = next(SessionItem.by_user.query(user_id, beyond, lasting, page_size=limit).page_iter)
        found = [SessionItem.from_raw_data(raw).entity() for raw in read["Items"]]
        last = read.get("LastEvaluatedKey")
        return Page(found, None if last is None else last["session_id"]["S"])

    def all_of(self, user_id: str) -> Iterator[Session]:
        return (item.entity() for item in SessionItem.by_user.query(user_id))

    def rotate(
        self, session: Session, refresh_hash: str, exchange: Exchange, at: datetime, expires_at: datetime
    ) -> None:
        """Put a new refresh token in the place of the one read. Raises ``InvalidToken`` if it is there no more."""
        key = exchange.key
        transaction = Transaction()
        transaction.update(
            SessionItem(session.id),
            [
                SessionItem.refresh_hash.set(refresh_hash),
                SessionItem.spent_hash.set(exchange.spent_hash),
                SessionItem.exchange_key.set(key) if key is not None else SessionItem.exchange_key.remove(),
                SessionItem.exchange_salt.set(exchange.salt),
                SessionItem.last_used_at.set(clock.timestamp(at)),
                SessionItem.expires_at.set(int(expires_at.timestamp())),
            ],
            SessionItem.refresh_hash == session.refresh_hash,
            InvalidToken,
        )
        transaction.commit()

    def delete(self, session_id: str) -> None:
        """End a session. Ending one that has ended changes nothing."""
        SessionItem(session_id).delete()


def session_item(session: Session) -> SessionItem:
    return SessionItem(
        session.id,
        user_id=session.user_id,
        epoch=session.epoch,
        family_hash=session.family_hash,
        refresh_hash=session.refresh_hash,
        created_at=clock.timestamp(session.created_at),
        authenticated_at=clock.timestamp(session.authenticated_at),
        last_used_at=clock.timestamp(session.last_used_at),
        expires_at=int(session.expires_at.timestamp()),
        ends_at=int(session.ends_at.timestamp()),
        user_agent=session.user_agent,
        ip=session.ip,
    )
