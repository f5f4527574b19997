"""The key that signs access tokens, made ready once per container."""

import functools

from tasksync.secret_values import secret
from tasksync.settings import settings
from tasksync.tables.sessions import SessionsTable
from tasksync.tokens import Signer


def signer() -> Signer:
    """The signer, after its public key has been published, so that every token it signs can be verified."""
    made = unpublished_signer()
    _publish(made.kid)
    return made


@functools.cache
def unpublished_signer() -> Signer:
    return Signer(secret(settings.signing_secret), settings.token_issuer)


@functools.cache
def _publish(kid: str) -> None:
    SessionsTable().publish_key(unpublished_signer().jwk)
