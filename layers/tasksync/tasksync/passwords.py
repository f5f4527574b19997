"""Passwords: what may be one, and how it is kept (OWASP ASVS 5.0.0 §6.2, §11.4; NIST SP 800-63B-4 §3.1.1.2)."""

import base64
import hmac
import unicodedata

import bcrypt

from tasksync.errors import Fault
from tasksync.secret_values import secret
from tasksync.settings import settings


def faults_of(password: str, pointer: str) -> list[Fault]:
    """What keeps ``password`` from being set as one. Length counts characters."""
    least = settings.password_min_length
    if len(_normal(password)) < least:
        return [Fault(pointer, "too_short", f"A password has at least {least} characters.")]
    return []


def hash_password(password: str) -> str:
    return bcrypt.hashpw(_prehash(password), bcrypt.gensalt(settings.bcrypt_cost)).decode()


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one hashed. Without a hash the same work is done, and the answer is no."""
    nobodys = f"$2b${settings.bcrypt_cost:02}${'.' * 53}"
    return bcrypt.checkpw(_prehash(password), (password_hash or nobodys).encode()) and password_hash is not None


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _prehash(password: str) -> bytes:
    """64 bytes, whatever the password's length: bcrypt takes at most 72. A stolen hash is no use without the pepper."""
    digest = hmac.digest(secret(settings.pepper_secret), _normal(password).encode(), "sha384")
    return base64.b64encode(digest)
