"""Secrets of webhooks.

A secret is derived from a master secret, the id of the webhook and a generation (HKDF, RFC 5869), so that no stored
item holds one. It is written as Standard Webhooks 1.0.0 says:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac

_BYTES = 32
_PREFIX = "whsec_"


def secret_of(master: bytes, webhook_id: str, generation: int) -> str:
    """The secret of a webhook: ``whsec_`` and 32 bytes in base64."""
    key = hkdf(master, b"tasksync webhooks", f"{webhook_id} {generation}".encode())
    return _PREFIX + base64.b64encode(key).decode()


def hkdf(master: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF with SHA-256 (RFC 5869 §2), for a key of 32 bytes: one block."""
    extracted = hmac.digest(salt or bytes(_BYTES), master, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")
