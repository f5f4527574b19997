"""Access tokens made by hand: right in everything but what a test wants wrong."""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tasksync.dynamodb.sessions.repository import SessionsRepository
from tests.support.client import Person


class Forger:
    """Somebody with a key pair. ``publish`` makes it one of the product's own, as during a rotation of keys."""

    def __init__(self, curve: ec.EllipticCurve | None = None) -> None:
        self.key = ec.generate_private_key(curve or ec.SECP256R1())
        self.kid = secrets.token_urlsafe(16)
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.jwk: dict[str, str] = {**jwk, "kid": self.kid, "alg": "ES256", "use": "sig"}

    def publish(self) -> None:
        SessionsRepository().publish_key(self.jwk)

    @property
    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def token(
        self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None, algorithm: str = "ES256"
    ) -> str:
        """Signed. Claims and headers may be of any type, also of those that PyJWT refuses to encode."""
        content = json.dumps(dict(claims)).encode()
        header = {"alg": algorithm, **self.headers(headers)}
        message = f"{_part(header)}.{_part(content)}"
        signature = jwt.get_algorithm_by_name(algorithm).sign(message.encode(), self.key)
        return f"{message}.{encoded(signature)}"

    def headers(self, others: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {"typ": "at+jwt", "kid": self.kid, **(others or {})}


def right_claims(person: Person) -> dict[str, Any]:
    """Those of a token that the product would issue to this person now."""
    issued = jwt.decode(str(person.access_token), options={"verify_signature": False})
    now = int(time.time())
    return {**issued, "iat": now, "exp": now + 600, "jti": secrets.token_urlsafe(16)}


def assembled(header: Any, claims: Any, signature: bytes = b"") -> str:
    """A token put together without a library, which would refuse some of it. Texts and bytes are taken as they are."""
    return f"{_part(header)}.{_part(claims)}.{encoded(signature)}"


def hmac_signed(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    message = f"{_part(header)}.{_part(claims)}"
    return f"{message}.{encoded(hmac.digest(secret, message.encode(), 'sha256'))}"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _part(content: Any) -> str:
    if isinstance(content, str):
        content = content.encode()
    return encoded(content if isinstance(content, bytes) else json.dumps(content).encode())
