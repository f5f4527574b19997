"""Access tokens (RFC 9068, RFC 8725): signing, and verification with public keys.

The private key is derived from a secret that Secrets Manager generates. The public key is published in the sessions
table, where the authorizer finds it by its id: the authorizer can verify tokens, but not sign them.
"""

import base64
import functools
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwt.algorithms import ECAlgorithm
from jwt.utils import der_to_raw_signature

from tasksync.model.errors import InvalidToken, TokenExpired, TokenMalformed

ALGORITHM = "ES256"
AUDIENCE = "tasksync-api"
TYPE = "at+jwt"
CLOCK_SKEW_SECONDS = 5

_CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2 §2.4.2, P-256
# Three parts in base64url without padding (RFC 7515 §3.1). PyJWT ignores characters outside this alphabet, and unused
# bits in the last character of a signature. This pattern allows one spelling of a token only.
_FORM = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]", re.ASCII)

_REFRESH_FORM_DETAIL = "This is a refresh token. Send the access token that was given with it."
_FORM_DETAIL = (
    "What follows the word Bearer is no access token of this service, or not all of it. Send it as it was given."
)

_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "sid", "role", "client_id"]


class PublicKeys(Protocol):
    """Where public keys are looked up."""

    def find(self, kid: str) -> dict[str, str]:
        """The JWK (RFC 7517) with this key id. Raises ``InvalidToken`` if there is none."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a verified access token."""

    user_id: str
    session_id: str
    auth_time: int
    """When the user last entered the password, in seconds since 1970; 0 in tokens from before this claim existed."""


class Signer:
    """Signs access tokens with the key derived from ``seed``."""

    def __init__(self, seed: bytes, issuer: str) -> None:
        self._issuer = issuer
        self._key = _private_key(seed)
        self.jwk = _public_jwk(self._key)
        self.kid = self.jwk["kid"]

    def claims(
        self,
        *,
        token_id: str,
        user_id: str,
        session_id: str,
        role: str,
        at: datetime,
        authenticated_at: datetime,
        lifetime: timedelta,
    ) -> str:
        """The claims of an access token as JSON, for ``sign``. ``token_id``: the ``jti``."""
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": user_id,
            "client_id": "tasksync",
            "iat": int(at.timestamp()),
            "exp": int((at + lifetime).timestamp()),
            "jti": token_id,
            "sid": session_id,
            "role": role,
            "auth_time": int(authenticated_at.timestamp()),
        }
        return json.dumps(claims, separators=(",", ":"))

    def sign(self, claims: str) -> str:
        """The access token with these claims. The same claims give the same token."""
        headers = {"typ": TYPE, "kid": self.kid}
        return _signatures().encode(claims.encode(), self._key, algorithm=ALGORITHM, headers=headers)


class _DeterministicES256(ECAlgorithm):
    """ES256 with deterministic signatures (RFC 6979)."""

    def __init__(self) -> None:
        super().__init__(ECAlgorithm.SHA256, ec.SECP256R1)

    def sign(self, msg: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
        signature = key.sign(msg, ec.ECDSA(self.hash_alg(), deterministic_signing=True))
        return der_to_raw_signature(signature, key.curve)


@functools.cache
def _signatures() -> jwt.PyJWS:
    signatures = jwt.PyJWS(algorithms=[])
    signatures.register_algorithm(ALGORITHM, _DeterministicES256())
    return signatures


def verify(token: str, keys: PublicKeys, issuer: str) -> Claims:
    """The claims of ``token``, after the checks of RFC 9068 §4.

    Raises ``TokenMalformed`` for a text that is no token, ``TokenExpired`` for an expired token with a valid signature,
    and ``InvalidToken`` for all others: the response must not help to forge tokens.
    """
    if not _FORM.fullmatch(token):
        raise TokenMalformed(_REFRESH_FORM_DETAIL if token.startswith("ses_") else _FORM_DETAIL)
    try:
        header = jwt.get_unverified_header(token)
        # The key is one of ours, chosen by its id. Keys and URLs in the header are ignored.
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
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except jwt.PyJWTError as error:
        raise InvalidToken from error
    auth_time = claims.get("auth_time", 0)
    if not isinstance(claims["sid"], str) or type(auth_time) is not int or not 0 <= auth_time <= int(claims["iat"]):
        raise InvalidToken
    return Claims(claims["sub"], claims["sid"], auth_time)


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
