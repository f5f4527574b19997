"""Access tokens (RFC 9068, RFC 8725): signing, and verifying with the public keys alone.

The private key is derived from a secret that Secrets Manager generates. Its public half is published in the
sessions table, where the authorizer finds it by its id: the authorizer can verify tokens, but not make them.
"""

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasksync.errors import InvalidToken

ALGORITHM = "ES256"
AUDIENCE = "tasksync-api"
TYPE = "at+jwt"
CLOCK_SKEW_SECONDS = 5

_CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2 §2.4.2, P-256
_REFRESH_TOKEN = re.compile(r"(?P<session>ses_[0-9a-f]{32})\.[\w-]{43}\.[\w-]{43}", re.ASCII)
_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "sid", "role", "client_id"]


class PublicKeys(Protocol):
    """Where public keys are looked up."""

    def find(self, kid: str) -> dict[str, str]:
        """The JWK (RFC 7517) with this key id. Raises ``InvalidToken`` if there is none."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says."""

    user_id: str
    session_id: str


class Signer:
    """Signs access tokens with the key derived from ``seed``."""

    def __init__(self, seed: bytes, issuer: str) -> None:
        self._issuer = issuer
        self._key = _private_key(seed)
        self.jwk = _public_jwk(self._key)
        self.kid = self.jwk["kid"]

    def access_token(self, user_id: str, session_id: str, role: str, at: datetime, lifetime: timedelta) -> str:
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": user_id,
            "client_id": "tasksync",
            "iat": int(at.timestamp()),
            "exp": int((at + lifetime).timestamp()),
            "jti": secrets.token_urlsafe(16),
            "sid": session_id,
            "role": role,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": self.kid})


def verify(token: str, keys: PublicKeys, issuer: str) -> Claims:
    """What ``token`` says, if every check of RFC 9068 §4 passes; ``InvalidToken`` otherwise."""
    try:
        header = jwt.get_unverified_header(token)
        # The key is chosen by its id from our own; keys and addresses in the header itself are never followed.
        if header.get("typ") != TYPE or header.get("alg") != ALGORITHM or "crit" in header:
            raise InvalidToken
        jwk = keys.find(str(header.get("kid", "")))
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(jwk, algorithm=ALGORITHM),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=issuer,
            leeway=CLOCK_SKEW_SECONDS,
            options={"require": _REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise InvalidToken from error
    if not isinstance(claims["sid"], str):
        raise InvalidToken
    return Claims(claims["sub"], claims["sid"])


def new_refresh_token(session_id: str) -> str:
    """Three parts: the session, a secret of the session, and a secret of this token alone, 256 random bits each.

    Only digests are kept. The second part tells a token that was replaced from one that never was.
    """
    return renewed_refresh_token(f"{session_id}.{secrets.token_urlsafe(32)}.")


def renewed_refresh_token(refresh_token: str) -> str:
    """Another token of the same session."""
    family, _, _ = refresh_token.rpartition(".")
    return f"{family}.{secrets.token_urlsafe(32)}"


def session_of(refresh_token: str) -> str | None:
    """The session a refresh token claims to belong to; None if it has not the form of one."""
    match = _REFRESH_TOKEN.fullmatch(refresh_token)
    return match["session"] if match else None


def refresh_hash(refresh_token: str) -> str:
    """A plain digest is enough: the token has 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()


def family_hash(refresh_token: str) -> str:
    """The same for all tokens of a session, and only for those."""
    return refresh_hash(refresh_token.rpartition(".")[0])


def _private_key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    # 48 bytes reduced modulo the order: a bias below 2^-128 (FIPS 186-5 A.2.1).
    derived = HKDF(hashes.SHA256(), length=48, salt=None, info=b"tasksync access token signing key").derive(seed)
    scalar = int.from_bytes(derived, "big") % (_CURVE_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def _public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    public = {"crv": "P-256", "kty": "EC", "x": _base64(numbers.x), "y": _base64(numbers.y)}
    # RFC 7638: the key's id is the digest of its required members.
    thumbprint = hashlib.sha256(json.dumps(public, separators=(",", ":"), sort_keys=True).encode()).digest()
    kid = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    return {**public, "kid": kid, "alg": ALGORITHM, "use": "sig"}


def _base64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
