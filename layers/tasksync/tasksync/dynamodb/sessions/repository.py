"""The repository of sessions, and of the public keys that verify access tokens."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from tasksync.dynamodb.core.connection import Transaction, get_item
from tasksync.dynamodb.core.queries import raws
from tasksync.dynamodb.sessions.items import KEY, KEYS, ByUser, KeyItem, SessionItem, session_key
from tasksync.dynamodb.sessions.mapper import session_of
from tasksync.model import times
from tasksync.model.entities import Exchange, Page, Session
from tasksync.model.errors import InvalidToken
from tasksync.runtime import unit_of_work
from tasksync.runtime.settings import settings


class SessionsRepository:
    """Sign-ins. Whether one still counts is for its epoch and expiry to say."""

    def publish_key(self, jwk: dict[str, str]) -> None:
        """Make a public key known to the authorizer. Doing so again changes nothing: a retired key stays retired."""
        item = KeyItem(KEY + jwk["kid"])
        with unit_of_work.bookkeeping():
            item.update([KeyItem.kind.set(KeyItem), KeyItem.user_id.set(KEYS), KeyItem.jwk.set(json.dumps(jwk))])

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
        return [json.loads(cast("KeyItem", item).jwk) for item in KeyItem.by_user.query(KEYS, None, live)]

    def find(self, session_id: str) -> Session | None:
        raw = get_item(settings.sessions_table, session_key(session_id))
        return None if raw is None else session_of(raw)

    def page_of(self, user_id: str, at: datetime, limit: int, after: str | None) -> Page[Session]:
        """The sessions of a user that have not run out, oldest first, signed out everywhere or not.

        From an index that may be some milliseconds behind. One round trip, so a page may be shorter than ``limit``.
        """
        lasting = SessionItem.expires_at > int(at.timestamp())
        beyond = None if after is None else ByUser.session_id > after
        read = next(SessionItem.by_user.query(user_id, beyond, lasting, page_size=limit).page_iter)
        found = [session_of(raw) for raw in read["Items"]]
        last = read.get("LastEvaluatedKey")
        return Page(found, None if last is None else last["session_id"]["S"])

    def all_of(self, user_id: str) -> Iterator[Session]:
        return map(session_of, raws(SessionItem.by_user.query(user_id)))

    def rotate(
        self, session: Session, refresh_hash: str, exchange: Exchange, at: datetime, expires_at: datetime
    ) -> None:
        """Replace the refresh token that was read by a new one. Raises ``InvalidToken`` if that was done already."""
        key = exchange.key
        transaction = Transaction()
        transaction.update(
            SessionItem(session.id),
            [
                SessionItem.refresh_hash.set(refresh_hash),
                SessionItem.spent_hash.set(exchange.spent_hash),
                SessionItem.exchange_key.set(key) if key is not None else SessionItem.exchange_key.remove(),
                SessionItem.exchange_salt.set(exchange.salt),
                SessionItem.last_used_at.set(times.timestamp(at)),
                SessionItem.expires_at.set(int(expires_at.timestamp())),
            ],
            SessionItem.refresh_hash == session.refresh_hash,
            InvalidToken,
        )
        transaction.commit()

    def delete(self, session_id: str) -> None:
        """End a session. Ending one that has ended changes nothing."""
        SessionItem(session_id).delete()
