"""Password hashing with bcrypt and a pepper (OWASP ASVS 5.0.0 §11.4.2; NIST SP 800-63B-4 §3.1.1.2)."""

import base64
import hmac

import bcrypt

from tasksync.aws.secret_values import secret
from tasksync.runtime.settings import settings
from tasksync.security.password_policy import normal


def hash_password(password: str) -> str:
    return bcrypt.hashpw(_prehash(password), bcrypt.gensalt(settings.bcrypt_cost)).decode()


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password matches the hash. A refusal takes the same time without a hash, or with a cheaper one."""
    prehash = _prehash(password)
    cost = settings.bcrypt_cost
    right = bcrypt.checkpw(prehash, (password_hash or _nobodys(cost)).encode()) and password_hash is not None
    if password_hash is not None and not right:
        # 2^c rounds are done. Another 2^c + 2^(c+1) + … + 2^(cost-1) make 2^cost, as for a name that does not exist.
        for missing in range(_cost_of(password_hash), cost):
            bcrypt.checkpw(prehash, _nobodys(missing).encode())
    return right


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with another cost than the current one."""
    return _cost_of(password_hash) != settings.bcrypt_cost


def _cost_of(password_hash: str) -> int:
    return int(password_hash.split("$")[2])


def _nobodys(cost: int) -> str:
    """A hash that matches no password."""
    return f"$2b${cost:02}${'.' * 53}"


def _prehash(password: str) -> bytes:
    """A peppered digest of 64 bytes: bcrypt takes at most 72. A stolen hash cannot be attacked without the pepper."""
    digest = hmac.digest(secret(settings.pepper_secret), normal(password).encode(), "sha384")
    return base64.b64encode(digest)
