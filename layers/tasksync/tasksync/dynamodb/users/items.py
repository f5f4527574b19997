"""The items of the users table: users, and the claims on their names.

A claim makes a name unique: it is put in the same transaction as the user, on condition that it does not exist.
"""

from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from tasksync.dynamodb.core.connection import SharedModel
from tasksync.dynamodb.core.mapper import Raw
from tasksync.dynamodb.core.unfinished import Unfinished
from tasksync.dynamodb.users.mapper import USER
from tasksync.model.entities import User
from tasksync.model.texts import comparable
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
    stamp = UnicodeAttribute(null=True)
    """Of the latest change: ``tasksync.model.change_context``."""

    @classmethod
    def of(cls, user: User) -> "UserItem":
        return cls(**USER.attributes(user))


def user_key(user_id: str) -> Raw:
    """The key of a user's item or of a claim, as DynamoDB spells it."""
    return {"user_id": {"S": user_id}}


def name_claim(username: str) -> str:
    return NAME + comparable(username)


def email_claim(email: str) -> str:
    return EMAIL + comparable(email)


def email_claim_of(user: User) -> str | None:
    return None if user.email is None else email_claim(user.email)


def mark_as_deleting() -> Action:
    """What the change that accepts a deletion does, so that the sweeper finds the user."""
    return UserItem.unfinished.set(Unfinished.USER.value)
