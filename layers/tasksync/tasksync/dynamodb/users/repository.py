"""The users table: one item for each person, and one for each claim on a username or e-mail address.

A claim makes a name unique: it is put in the same transaction as the person, on condition that it does not exist.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.transaction import Failure, Transaction
from tasksync.dynamodb.core.unfinished import Unfinished, unfinished
from tasksync.model.entities import AddedBy, Page, Recovery, User, UserRole, UserStatus
from tasksync.model.errors import EmailTaken, UsernameTaken, WriteConflict
from tasksync.model.texts import comparable
from tasksync.runtime import clock
from tasksync.runtime.settings import settings

NAME = "NAME#"
EMAIL = "EMAIL#"


class UsersItem(SharedModel):
    """Any item of the table."""

    class Meta:
        table_name = settings.users_table

    user_id = UnicodeAttribute(hash_key=True)
    kind = DiscriminatorAttribute()


class ClaimItem(UsersItem, discriminator="claim"):
    owner = UnicodeAttribute()


class UserItem(UsersItem, discriminator="user"):
    username = UnicodeAttribute()
    email = UnicodeAttribute(null=True)
    password_hash = UnicodeAttribute()
    role = UnicodeAttribute()
    status = UnicodeAttribute()
    token_epoch = NumberAttribute()
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    version = NumberAttribute()
    added_by = UnicodeAttribute(null=True)
    """Who may add them to rooms; absent: anyone."""
    unfinished = UnicodeAttribute(null=True)
    """``Unfinished.USER`` from when the deletion was accepted; absent before."""
    recovery_hash = UnicodeAttribute(null=True)
    """Digest of the recovery token that was issued last. ``make reset-password`` writes it and the two below."""
    recovery_expires_at = UnicodeAttribute(null=True)
    recovery_version = NumberAttribute(null=True)
    """The user's version at that time."""

    @classmethod
    def of(cls, user: User) -> "UserItem":
        return cls(
            user.id,
            username=user.username,
            email=user.email,
            password_hash=user.password_hash,
            role=user.role.value,
            status=user.status.value,
            token_epoch=user.token_epoch,
            created_at=clock.timestamp(user.created_at),
            updated_at=clock.timestamp(user.updated_at),
            version=user.version,
            added_by=user.added_by.value,
        )

    def entity(self) -> User:
        values = self.attribute_values
        return User(
            id=values["user_id"],
            username=values["username"],
            email=values.get("email"),
            password_hash=values["password_hash"],
            role=UserRole(values["role"]),
            status=UserStatus(values["status"]),
            token_epoch=int(values["token_epoch"]),
            created_at=clock.parse(values["created_at"]),
            updated_at=clock.parse(values["updated_at"]),
            version=int(values["version"]),
            added_by=AddedBy(values.get("added_by") or AddedBy.ANYONE),
        )

    def recovery(self) -> Recovery | None:
        values = self.attribute_values
        if "recovery_hash" not in values:
            return None
        return Recovery(
            token_hash=values["recovery_hash"],
            expires_at=clock.parse(values["recovery_expires_at"]),
            version=int(values["recovery_version"]),
        )


def name_claim(username: str) -> str:
    return NAME + comparable(username)


def email_claim(email: str) -> str:
    return EMAIL + comparable(email)


class UsersRepository:
    """People. Those whose deletion was accepted are found by ``find_any`` alone."""

    def find(self, user_id: str) -> User | None:
        user = self.find_any(user_id)
        return user if user and user.status is UserStatus.ACTIVE else None

    def find_any(self, user_id: str) -> User | None:
        try:
            return UserItem.get(user_id, consistent_read=True).entity()
        except UserItem.DoesNotExist:
            return None

    def find_recovery(self, user_id: str) -> tuple[User, Recovery] | None:
        """An active user, and the recovery token that was issued to them last."""
        try:
            item = UserItem.get(user_id, consistent_read=True)
        except UserItem.DoesNotExist:
            return None
        user, recovery = item.entity(), item.recovery()
        return (user, recovery) if recovery and user.status is UserStatus.ACTIVE else None

    def owner_of(self, claim: str) -> str | None:
        """The id of the user who has this name or address (``name_claim``, ``email_claim``)."""
        try:
            return ClaimItem.get(claim, consistent_read=True).owner
        except ClaimItem.DoesNotExist:
            return None

    def find_many(self, user_ids: Iterable[str]) -> dict[str, User]:
        """The active ones among the given, by id."""
        users = (item.entity() for item in UserItem.batch_get(list(user_ids), consistent_read=True))
        return {user.id: user for user in users if user.status is UserStatus.ACTIVE}

    def page(self, limit: int, after: str | None) -> Page[User]:
        """Everybody, in no particular order."""
        start = None if after is None else {"user_id": {"S": after}}
        active = UserItem.status == UserStatus.ACTIVE.value
        found = UserItem.scan(active, limit=limit + 1, last_evaluated_key=start, consistent_read=True)
        users = [item.entity() for item in found]
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

    def recover(self, user: User, recovery: Recovery, password_hash: str, at: datetime) -> None:
        """Set a new password hash and end every session and the recovery token.

        Raises ``WriteConflict`` if the user has changed since it was read, or another token was issued.
        """
        transaction = Transaction()
        transaction.update(
            UserItem(user.id),
            [
                UserItem.password_hash.set(password_hash),
                UserItem.token_epoch.add(1),
                UserItem.updated_at.set(clock.timestamp(at)),
                UserItem.version.add(1),
                UserItem.recovery_hash.remove(),
                UserItem.recovery_expires_at.remove(),
                UserItem.recovery_version.remove(),
            ],
            (UserItem.version == user.version) & (UserItem.recovery_hash == recovery.token_hash),
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


def mark_as_deleting() -> Action:
    """What the change that accepts a deletion does, so that the sweeper finds the user."""
    return UserItem.unfinished.set(Unfinished.USER.value)


def require_active(transaction: Transaction, user_id: str, otherwise: Failure) -> None:
    """Let ``transaction`` commit only if this user exists and is not being deleted."""
    transaction.check(UserItem(user_id), UserItem.status == UserStatus.ACTIVE.value, otherwise)


def require_unchanged(transaction: Transaction, user: User, otherwise: Failure) -> None:
    """Let ``transaction`` commit only if this user is what was read: so not being deleted, if they were not then."""
    transaction.check(UserItem(user.id), UserItem.version == user.version, otherwise)


def put_user(transaction: Transaction, user: User) -> None:
    """Add a person and their claims. The commit raises ``UsernameTaken`` or ``EmailTaken``."""
    _claim(transaction, name_claim(user.username), user.id, UsernameTaken)
    if user.email is not None:
        _claim(transaction, email_claim(user.email), user.id, EmailTaken)
    transaction.put(UserItem.of(user), UserItem.user_id.does_not_exist(), WriteConflict)


def email_claim_of(user: User) -> str | None:
    return None if user.email is None else email_claim(user.email)


def _claim(transaction: Transaction, claim: str, owner: str, taken: Failure) -> None:
    transaction.put(ClaimItem(claim, owner=owner), ClaimItem.user_id.does_not_exist(), taken)


def move_claim(transaction: Transaction, owner: str, old: str | None, new: str | None, taken: Failure) -> None:
    if old == new:
        return
    if new is not None:
        _claim(transaction, new, owner, taken)
    if old is not None:
        transaction.delete(ClaimItem(old), ClaimItem.owner == owner, WriteConflict)
