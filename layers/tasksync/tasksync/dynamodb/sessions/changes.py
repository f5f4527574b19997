"""What signing in changes in users and sessions, in one transaction."""

from datetime import datetime

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.live.items import end_all_connections, end_connections_of_session
from tasksync.dynamodb.sessions.items import SessionItem
from tasksync.dynamodb.sessions.repository import SessionsRepository
from tasksync.dynamodb.users.conditions import put_user
from tasksync.dynamodb.users.items import UserItem
from tasksync.model import times
from tasksync.model.entities import Session, User, UserStatus
from tasksync.model.errors import CallerGone, InvalidCredentials, SessionNotFound, TokenRevoked, WriteConflict
from tasksync.runtime import unit_of_work


class SessionChanges(SessionsRepository):
    """The sessions table, with the changes that need users, too."""

    def register(self, user: User, session: Session) -> None:
        """Create a user and their first session. Raises ``UsernameTaken`` or ``EmailTaken``."""
        transaction = Transaction()
        put_user(transaction, user)
        transaction.put(SessionItem.of(session), SessionItem.session_id.does_not_exist(), WriteConflict)
        transaction.commit()

    def open(self, session: Session) -> None:
        """Raises ``InvalidCredentials`` if the user is being deleted, or was signed out everywhere just now."""
        transaction = Transaction()
        transaction.check(
            UserItem(session.user_id),
            UserItem.token_epoch == session.epoch,
            InvalidCredentials,
        )
        transaction.put(SessionItem.of(session), SessionItem.session_id.does_not_exist(), WriteConflict)
        transaction.commit()

    def end(self, session_id: str, user_id: str) -> None:
        """End a session of this user. Raises ``SessionNotFound`` if there is none, or it is somebody else's."""
        transaction = Transaction()
        transaction.delete(SessionItem(session_id), SessionItem.user_id == user_id, SessionNotFound)
        end_connections_of_session(transaction, user_id, session_id)
        transaction.commit()

    def revoke(self, session: Session) -> None:
        """End a session that was read. Ending one that has ended changes nothing."""
        transaction = Transaction()
        transaction.forget(SessionItem(session.id))
        end_connections_of_session(transaction, session.user_id, session.id)
        transaction.commit()

    def end_all(self, user_id: str) -> None:
        """Raise the epoch: every session that was opened before is over. Raises ``CallerGone``."""
        transaction = Transaction()
        transaction.update(
            UserItem(user_id), [UserItem.token_epoch.add(1)], UserItem.status == UserStatus.ACTIVE.value, CallerGone
        )
        end_all_connections(transaction, user_id)
        transaction.commit()

    def reauthenticate(self, user: User, session_id: str, at: datetime) -> None:
        """Note that the session's person has shown the password again.

        Raises ``WriteConflict`` if the password may have changed since the user was read, ``TokenRevoked`` if the
        session has ended.
        """
        transaction = Transaction()
        transaction.check(UserItem(user.id), UserItem.token_epoch == user.token_epoch, WriteConflict)
        transaction.update(
            SessionItem(session_id),
            [SessionItem.authenticated_at.set(times.timestamp(at))],
            (SessionItem.user_id == user.id) & (SessionItem.epoch == user.token_epoch),
            TokenRevoked,
        )
        transaction.commit()

    def change_password(self, user: User, session_id: str, password_hash: str, at: datetime) -> None:
        """Set a new password hash; every session but the given one is over, and so are all connections.

        Raises ``WriteConflict`` if the user has changed since it was read, ``TokenRevoked`` if the session has ended.
        """
        epoch = user.token_epoch + 1
        transaction = Transaction()
        transaction.update(
            SessionItem(session_id),
            [SessionItem.epoch.set(epoch)],
            # Of the epoch that is just ending, and not one that has been signed out since.
            (SessionItem.user_id == user.id) & (SessionItem.epoch == user.token_epoch),
            TokenRevoked,
        )
        transaction.update(
            UserItem(user.id),
            [
                UserItem.password_hash.set(password_hash),
                UserItem.token_epoch.set(epoch),
                UserItem.updated_at.set(times.timestamp(at)),
                UserItem.stamp.set(unit_of_work.change_context()),
                UserItem.version.add(1),
            ],
            # A password change, signing out everywhere and the deletion of the user each raise the epoch.
            UserItem.token_epoch == user.token_epoch,
            WriteConflict,
        )
        end_all_connections(transaction, user.id)
        transaction.commit()
