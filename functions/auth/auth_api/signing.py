"""The signing key of access tokens: cached per container, and read again after it was retired.

`make rotate-key` stores a new seed in the secret, and sets a time at which the published keys expire. A container
checks the entry of its own key before it signs, so none signs with a retired key.
"""

from tasksync.aws.secret_values import current_secret
from tasksync.dynamodb.core.gather import gather_pair
from tasksync.dynamodb.sessions.repository import SessionsRepository
from tasksync.model import times
from tasksync.runtime.settings import settings
from tasksync.security.access_tokens import Signer

_signers: dict[str, Signer] = {}


def signer() -> Signer:
    """The signer. Its public key is published first, so that every token can be verified."""
    secret = settings.signing_secret
    keys = SessionsRepository()
    cached = _signers.get(secret)
    if cached is None or not keys.is_in_use(cached.kid):
        cached = Signer(current_secret(secret), settings.token_issuer)
        keys.publish_key(cached.jwk)
        _signers[secret] = cached
    return cached


def public_keys() -> list[dict[str, str]]:
    """The public keys of all valid tokens: the current key, and keys that were retired recently."""
    found, published = gather_pair(signer, lambda: SessionsRepository().published_keys(times.now()))
    in_use = found.jwk
    return [in_use, *(jwk for jwk in published if jwk["kid"] != in_use["kid"])]
