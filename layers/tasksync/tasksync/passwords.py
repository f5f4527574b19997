"""How passwords are kept and verified (OWASP ASVS 5.0.0 §11.4.2; NIST SP 800-63B-4 §3.1.1.2)."""

import base64
import hmac

import bcrypt

from tasksync.password_policy import normal
from tasksync.secret_values import secret
from tasksync.settings import settings


def hash_password(password: str) -> str:
    return bcrypt.hashpw(_prehash(password), bcrypt.gensalt(settings.bcrypt_cost)).decode()


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one hashed. Without a hash the same work is done, and the answer is no."""
    nobodys = f"$2b${settings.bcrypt_cost:02}${'.' * 53}"
    return bcrypt.checkpw(_prehash(password), (password_hash or nobodys).encode()) and password_hash is not None


def _prehash(password: str) -> bytes:
    """64 bytes, whatever the password's length: bcrypt takes at most 72. A stolen hash is no use without the pepper."""
    digest = hmac.digest(secret(settings.pepper_secret), normal(password).encode(), "sha384")
    return base64.b64encode(digest)
