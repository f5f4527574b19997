"""What people do with their accounts."""

from datetime import datetime

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.live.items import end_all_connections
from tasksync.dynamodb.users.conditions import move_claim
from tasksync.dynamodb.users.items import UserItem, email_claim_of, mark_as_deleting, name_claim
from tasksync.dynamodb.users.repository import UsersRepository
from tasksync.model import times
from tasksync.model.entities import User, UserStatus
from tasksync.model.errors import EmailTaken, UsernameTaken, WriteConflict
from tasksync.runtime import unit_of_work


class UserChanges(UsersRepository):
    """The users table, with what people change in their accounts."""

    def change_profile(self, user: User, changed: User) -> None:
        """Raises ``UsernameTaken``, ``EmailTaken``, or ``WriteConflict`` if the user has changed since it was read."""
        transaction = Transaction()
        move_claim(transaction, user.id, name_claim(user.username), name_claim(changed.username), UsernameTaken)
        move_claim(transaction, user.id, email_claim_of(user), email_claim_of(changed), EmailTaken)
        email = changed.email
        transaction.update(
            UserItem(user.id),
            [
                UserItem.username.set(changed.username),
                UserItem.email.set(email) if email is not None else UserItem.email.remove(),
                UserItem.added_by.set(changed.added_by.value),
                UserItem.updated_at.set(times.timestamp(changed.updated_at)),
                UserItem.stamp.set(unit_of_work.change_context()),
                UserItem.version.add(1),
            ],
            UserItem.version == user.version,
            WriteConflict,
        )
        transaction.commit()

    def begin_removal(self, user: User, at: datetime) -> None:
        """From here on the user cannot sign in, join or open a room. Raises ``WriteConflict`` if it has changed since
        read.
        """
        transaction = Transaction()
        transaction.update(
            UserItem(user.id),
            [
                UserItem.status.set(UserStatus.DELETING.value),
                mark_as_deleting(),
                UserItem.token_epoch.add(1),
                UserItem.updated_at.set(times.timestamp(at)),
                UserItem.stamp.set(unit_of_work.change_context()),
                UserItem.version.add(1),
            ],
            UserItem.version == user.version,
            WriteConflict,
        )
        end_all_connections(transaction, user.id)
        transaction.commit()
