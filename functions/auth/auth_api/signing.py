"""The key that signs access tokens: read once per container, and again when it has been retired.

`make rotate-key` puts another seed into the secret and gives the published keys a time at which they are withdrawn. A
container looks at its own key's entry before it signs, so none signs with a key that was retired before.
"""

from tasksync.aws.secret_values import current_secret
from tasksync.dynamodb.core.gather import gather_pair
from tasksync.dynamodb.sessions.repository import SessionsRepository
from tasksync.runtime import clock
from tasksync.runtime.settings import settings
from tasksync.security.access_tokens import Signer

_signers: dict[str, Signer] = {}


def signer() -> Signer:
    """The signer, after its public key has been published, so that every token it signs can be verified."""
    secret = settings.signing_secret
    keys = SessionsRepository()
    kept = _signers.get(secret)
    if kept is None or not keys.is_in_use(kept.kid):
        kept = Signer(current_secret(secret), settings.token_issuer)
        keys.publish_key(kept.jwk)
        _signers[secret] = kept
    return kept


def public_keys() -> list[dict[str, str]]:
    """Every key that a token which is still good may be signed with: the one in use, and those retired of late."""
    found, published = gather_pair(signer, lambda: SessionsRepository().published_keys(clock.now()))
    in_use = found.jwk
    return [in_use, *(jwk for jwk in published if jwk["kid"] != in_use["kid"])]
