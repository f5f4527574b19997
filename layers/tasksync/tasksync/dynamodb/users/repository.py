"""The repository of users, and of the claims on their names."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice

from tasksync.dynamodb.core.connection import Transaction, get_item, get_many
from tasksync.dynamodb.core.queries import raws
from tasksync.dynamodb.core.unfinished import Unfinished, unfinished
from tasksync.dynamodb.users.conditions import put_user
from tasksync.dynamodb.users.items import ClaimItem, UserItem, email_claim_of, name_claim, user_key
from tasksync.dynamodb.users.mapper import USER
from tasksync.model.entities import Page, User, UserStatus
from tasksync.model.errors import WriteConflict
from tasksync.runtime.settings import settings


class UsersRepository:
    """People. Those whose deletion was accepted are found by ``find_any`` alone."""

    def find(self, user_id: str) -> User | None:
        user = self.find_any(user_id)
        return user if user and user.status is UserStatus.ACTIVE else None

    def find_any(self, user_id: str) -> User | None:
        raw = get_item(settings.users_table, user_key(user_id))
        return None if raw is None else USER.read(raw)

    def owner_of(self, claim: str) -> str | None:
        """The id of the user who has this name or address (``name_claim``, ``email_claim``)."""
        try:
            return ClaimItem.get(claim, consistent_read=True).owner
        except ClaimItem.DoesNotExist:
            return None

    def find_many(self, user_ids: Iterable[str]) -> dict[str, User]:
        """The active ones among the given, by id."""
        users = map(USER.read, get_many(settings.users_table, map(user_key, user_ids)))
        return {user.id: user for user in users if user.status is UserStatus.ACTIVE}

    def page(self, limit: int, after: str | None) -> Page[User]:
        """Everybody, in no particular order."""
        start = None if after is None else {"user_id": {"S": after}}
        active = UserItem.status == UserStatus.ACTIVE.value
        found = UserItem.scan(active, limit=limit + 1, last_evaluated_key=start, consistent_read=True)
        users = [USER.read(raw) for raw in islice(raws(found), limit + 1)]
        return Page(users[:limit], users[limit - 1].id if len(users) > limit else None)

    def create(self, user: User) -> None:
        """Raises ``UsernameTaken`` or ``EmailTaken``."""
        transaction = Transaction()
        put_user(transaction, user)
        transaction.commit()

    def upgrade_password_hash(self, user: User, password_hash: str) -> None:
        """Keep the same password under another hash; no change that anybody sees. Raises ``WriteConflict``."""
        transaction = Transaction()
        transaction.update(
            UserItem(user.id),
            [UserItem.password_hash.set(password_hash)],
            UserItem.password_hash == user.password_hash,
            WriteConflict,
        )
        transaction.commit()

    def free_claims(self, user: User) -> None:
        """Let others have the name and the address. Done already, or taken by others since: nothing changes."""
        for claim in (name_claim(user.username), email_claim_of(user)):
            if claim is not None:
                transaction = Transaction()
                transaction.delete(ClaimItem(claim), ClaimItem.owner == user.id, WriteConflict)
                with suppress(WriteConflict):
                    transaction.commit()

    def erase(self, user: User) -> None:
        """Delete the user's item. Raises ``WriteConflict`` if that has been done already."""
        transaction = Transaction()
        transaction.delete(UserItem(user.id), UserItem.status == UserStatus.DELETING.value, WriteConflict)
        transaction.commit()

    def unfinished(self, before: datetime) -> Iterator[list[str]]:
        """Users whose deletion was accepted before this time and who are still there: as
        ``RoomsRepository.unfinished``.
        """
        for page in unfinished(settings.users_table, Unfinished.USER, before):
            yield [key["user_id"]["S"] for key in page]
