"""The password policy (NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 5.0.0 §6.2.1 to §6.2.12).

A password must be long and hard to guess. There are no composition rules.
"""

import unicodedata
from collections.abc import Iterable

from tasksync.model.errors import FieldError
from tasksync.runtime.settings import settings

PRODUCT = "tasksync"


def normal(password: str) -> str:
    """The password in NFC, the form that is counted and hashed, however a keyboard composed it."""
    return unicodedata.normalize("NFC", password)


def length_errors(password: str, pointer: str) -> list[FieldError]:
    """The error of a password with too few characters. This check is cheap."""
    least = settings.password_min_length
    if len(normal(password)) < least:
        return [FieldError(pointer, "too_short", f"A password has at least {least} characters.")]
    return []


def password_errors(password: str, pointer: str, names: Iterable[str | None] = ()) -> list[FieldError]:
    """The error that keeps a user with these names and addresses from setting ``password``: at most one.

    It may take a third of a second, so the request must have been counted against a rate limit before.
    """
    errors = length_errors(password, pointer)
    if errors:
        return errors
    # Imported only where a password is set: the word lists take 30 ms and 15 MB.
    from tasksync.security.password_strength import apart_from, weakness, words_of  # noqa: PLC0415  # see above

    password = normal(password)
    words = words_of([PRODUCT, *(name for name in names if name)])
    reason = weakness(password, words)
    if reason:
        return [FieldError(pointer, "password_too_common", f"This password would soon be guessed. {reason}")]
    without = apart_from(password, words)
    if without != password and weakness(without, words):
        detail = f"Apart from your name, your address or {PRODUCT}, there is too little in this password."
        return [FieldError(pointer, "password_contains_name", detail)]
    return []
