"""Setting a new password with a recovery token."""

from datetime import datetime

from tasksync.dynamodb.core.connection import Transaction, get_item
from tasksync.dynamodb.live.items import end_all_connections
from tasksync.dynamodb.users.items import UserItem, user_key
from tasksync.dynamodb.users.mapper import USER, recovery_of
from tasksync.dynamodb.users.repository import UsersRepository
from tasksync.model import times
from tasksync.model.entities import Recovery, User, UserStatus
from tasksync.model.errors import WriteConflict
from tasksync.runtime import unit_of_work
from tasksync.runtime.settings import settings


class UserRecoveries(UsersRepository):
    """The users table, with recovery."""

    def find_recovery(self, user_id: str) -> tuple[User, Recovery] | None:
        """An active user, and the recovery token that was issued to them last."""
        raw = get_item(settings.users_table, user_key(user_id))
        if raw is None:
            return None
        user, recovery = USER.read(raw), recovery_of(raw)
        return (user, recovery) if recovery and user.status is UserStatus.ACTIVE else None

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
                UserItem.updated_at.set(times.timestamp(at)),
                UserItem.stamp.set(unit_of_work.change_context(actor_id=user.id)),
                UserItem.version.add(1),
                UserItem.recovery_hash.remove(),
                UserItem.recovery_expires_at.remove(),
                UserItem.recovery_version.remove(),
            ],
            (UserItem.version == user.version) & (UserItem.recovery_hash == recovery.token_hash),
            WriteConflict,
        )
        end_all_connections(transaction, user.id)
        transaction.commit()
