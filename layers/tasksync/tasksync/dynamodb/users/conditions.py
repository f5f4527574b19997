"""What transactions require of users, and the claims on their names."""

from tasksync.dynamodb.core.connection import Failure, Transaction
from tasksync.dynamodb.users.items import ClaimItem, UserItem, email_claim, name_claim
from tasksync.model.entities import User, UserStatus
from tasksync.model.errors import EmailTaken, UsernameTaken, WriteConflict
from tasksync.runtime import unit_of_work


def require_active(transaction: Transaction, user_id: str, otherwise: Failure) -> None:
    """Let ``transaction`` commit only if this user exists and is not being deleted."""
    transaction.check(UserItem(user_id), UserItem.status == UserStatus.ACTIVE.value, otherwise)


def require_unchanged(transaction: Transaction, user: User, otherwise: Failure) -> None:
    """Let ``transaction`` commit only if this user is what was read: so not being deleted, if they were not then."""
    transaction.check(UserItem(user.id), UserItem.version == user.version, otherwise)


def put_user(transaction: Transaction, user: User) -> None:
    """Add a user, as their own act, and their claims. The commit raises ``UsernameTaken`` or ``EmailTaken``."""
    _put_claim(transaction, name_claim(user.username), user.id, UsernameTaken)
    if user.email is not None:
        _put_claim(transaction, email_claim(user.email), user.id, EmailTaken)
    item = UserItem.of(user)
    item.stamp = unit_of_work.change_context(actor_id=user.id)
    transaction.put(item, UserItem.user_id.does_not_exist(), WriteConflict)


def move_claim(transaction: Transaction, owner: str, old: str | None, new: str | None, taken: Failure) -> None:
    """Replace a claim of this user by another one. The commit raises ``taken`` if somebody else has it."""
    if old == new:
        return
    if new is not None:
        _put_claim(transaction, new, owner, taken)
    if old is not None:
        transaction.delete(ClaimItem(old), ClaimItem.owner == owner, WriteConflict)


def _put_claim(transaction: Transaction, claim: str, owner: str, taken: Failure) -> None:
    transaction.put(ClaimItem(claim, owner=owner), ClaimItem.user_id.does_not_exist(), taken)
