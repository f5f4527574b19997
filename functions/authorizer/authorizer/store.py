"""The authorizer's reads of DynamoDB. Without PynamoDB, it starts in half the time."""

import functools
import json
import math
import re
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tasksync.aws.client import DYNAMODB, Client, RetryPolicy
from tasksync.dynamodb.core import batches
from tasksync.model.errors import DependencyFailed, InvalidToken, TokenRevoked
from tasksync.runtime.settings import settings
from tasksync.security.access_tokens import Claims

# How long a withdrawn key may still be accepted.
KEY_CACHE_SECONDS = 60

_KID = re.compile(r"[\w-]{1,100}", re.ASCII)

# 2 x (0.5 s + 1 s) + 1 s of back-off = 4 s. A new container makes two calls: for the key, and for session and user.
RETRY_POLICY = RetryPolicy(connect_seconds=0.5, read_seconds=1, attempts=2)


class PublishedKeys:
    """The public keys that ``auth`` has published in the sessions table."""

    def find(self, kid: str) -> dict[str, str]:
        """Raises ``InvalidToken`` for a key that is not published."""
        return _published_key(kid)


@dataclass(frozen=True, slots=True)
class _Published:
    jwk: dict[str, str]
    expires_at: float
    """When a retired key is withdrawn, in seconds since 1970; infinity for the current key."""
    read_at: float


_published: dict[str, _Published] = {}


def _published_key(kid: str) -> dict[str, str]:
    now = time.time_ns() / 1_000_000_000
    known = _published.get(kid)
    if known is None or now >= known.read_at + KEY_CACHE_SECONDS:
        known = _published[kid] = _read_key(kid, now)
    if now >= known.expires_at:
        raise InvalidToken
    return known.jwk


def _read_key(kid: str, now: float) -> _Published:
    # A missing key raises, and is not cached: a key that is published later is found.
    if not _KID.fullmatch(kid):
        raise InvalidToken
    key = {"session_id": {"S": f"KEY#{kid}"}}
    response = _call("GetItem", TableName=settings.sessions_table, Key=key, ConsistentRead=True)
    if "Item" not in response:
        raise InvalidToken
    item = response["Item"]
    expires_at = float(item["expires_at"]["N"]) if "expires_at" in item else math.inf
    return _Published(json.loads(item["jwk"]["S"]), expires_at, now)


def role_of_live_session(claims: Claims) -> str:
    """The user's role, from one consistent read of session and user. Raises ``TokenRevoked`` if either is not live."""
    sessions, users = settings.sessions_table, settings.users_table
    wanted = {
        sessions: {"Keys": [{"session_id": {"S": claims.session_id}}], "ConsistentRead": True},
        users: {"Keys": [{"user_id": {"S": claims.user_id}}], "ConsistentRead": True},
    }
    response = batches.run_batch("BatchGetItem", {"RequestItems": wanted}, _send)
    found = response["Responses"]
    session, user = next(iter(found.get(sessions, [])), None), next(iter(found.get(users, [])), None)
    if session is None or user is None:
        raise TokenRevoked
    live = (
        session["user_id"] == user["user_id"]
        and session["epoch"] == user["token_epoch"]
        and int(session["expires_at"]["N"]) > time.time()
        and user["status"]["S"] == "active"
    )
    if not live:
        raise TokenRevoked
    return str(user["role"]["S"])


def _call(operation: str, **arguments: Any) -> Any:
    return _send(operation, arguments)


def _send(operation: str, arguments: dict[str, Any]) -> Any:
    try:
        return _client().call(operation, arguments)
    except (BotoCoreError, ClientError) as error:
        raise DependencyFailed from error


@functools.cache
def _client() -> Client:
    return Client(DYNAMODB, RETRY_POLICY)
