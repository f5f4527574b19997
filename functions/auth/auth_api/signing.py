"""The key that signs access tokens, made ready once per container."""

import functools

from tasksync.secret_values import secret
from tasksync.settings import settings
from tasksync.tables.sessions import SessionsTable
from tasksync.tokens import Signer


def signer() -> Signer:
    """The signer, after its public key has been published, so that every token it signs can be verified."""
    made = unpublished_signer()
    _publish(made)
    return made


def unpublished_signer() -> Signer:
    return _signer(settings.signing_secret, settings.token_issuer)


@functools.cache
def _signer(secret_arn: str, issuer: str) -> Signer:
    return Signer(secret(secret_arn), issuer)


@functools.cache
def _publish(made: Signer) -> None:
    SessionsTable().publish_key(made.jwk)
