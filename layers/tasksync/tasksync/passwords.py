"""Passwords: what may be one, and how it is kept (OWASP ASVS 5.0.0 §6.2, §11.4; NIST SP 800-63B-4 §3.1.1.2)."""

import base64
import functools
import hmac
import unicodedata

import bcrypt

from tasksync.errors import Fault, Invalid
from tasksync.secret_values import secret
from tasksync.settings import settings


def require_acceptable(password: str, pointer: str) -> None:
    """Raise ``Invalid``, naming ``pointer``, unless ``password`` may be set as one. Length counts characters."""
    least = settings.password_min_length
    if len(_normal(password)) < least:
        raise Invalid([Fault(pointer, "too_short", f"A password has at least {least} characters.")])


def hash_password(password: str) -> str:
    return bcrypt.hashpw(_prehash(password), bcrypt.gensalt(settings.bcrypt_cost)).decode()


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one hashed. Without a hash the same work is done, and the answer is no."""
    matches = bcrypt.checkpw(_prehash(password), (password_hash or _nobodys_hash()).encode())
    return matches and password_hash is not None


@functools.cache
def _nobodys_hash() -> str:
    return bcrypt.hashpw(b"nobody", bcrypt.gensalt(settings.bcrypt_cost)).decode()


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _prehash(password: str) -> bytes:
    """64 bytes, whatever the password's length: bcrypt takes at most 72. A stolen hash is no use without the pepper."""
    digest = hmac.digest(secret(settings.pepper_secret), _normal(password).encode(), "sha384")
    return base64.b64encode(digest)
