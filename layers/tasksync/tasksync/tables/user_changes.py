"""What people do with their profiles."""

from tasksync import clock
from tasksync.entities import Receipt, User
from tasksync.errors import EmailTaken, Stale, UsernameTaken
from tasksync.tables.receipts import put_receipt
from tasksync.tables.transactions import Transaction
from tasksync.tables.users import UserItem, UsersTable, email_claim_of, move_claim, name_claim


class UserChanges(UsersTable):
    """The users table, with the change that needs receipts, too."""

    def change_profile(self, user: User, changed: User, receipt: Receipt | None) -> None:
        """Raises ``UsernameTaken``, ``EmailTaken``, or ``Stale`` if the user has changed since it was read."""
        transaction = Transaction()
        put_receipt(transaction, receipt)
        move_claim(transaction, user.id, name_claim(user.username), name_claim(changed.username), UsernameTaken)
        move_claim(transaction, user.id, email_claim_of(user), email_claim_of(changed), EmailTaken)
        email = changed.email
        transaction.update(
            UserItem(user.id),
            [
                UserItem.username.set(changed.username),
                UserItem.email.set(email) if email is not None else UserItem.email.remove(),
                UserItem.added_by.set(changed.added_by.value),
                UserItem.updated_at.set(clock.timestamp(changed.updated_at)),
                UserItem.version.add(1),
            ],
            UserItem.version == user.version,
            Stale,
        )
        transaction.commit()
