"""Bearer tokens in the ``Authorization`` header (RFC 6750 §2.1), for the functions that read one themselves."""

import re
from collections.abc import Mapping, Sequence

from tasksync.model.errors import TokenMalformed, TokenMissing

# The scheme in any case, one space or more, and visible ASCII to the end.
_CREDENTIALS = re.compile(r"(?i:bearer) +(?P<token>[!-~]+)")
# A token without the scheme, as people paste it: access tokens and refresh tokens have three parts.
_RAW_TOKEN = re.compile(r"[!-~]+\.[!-~]+\.[!-~]+")

_WITHOUT_SCHEME = (
    "The Authorization header holds a token without the word Bearer before it. Send Authorization: Bearer, a space, "
    "and the token."
)
_SCHEME_ALONE = "The Authorization header says Bearer, and no token follows. Send a space and the token after it."

_SEVERAL = "There are several Authorization headers, which differ. Send one."


def token_of(lines: Mapping[str, Sequence[str]] | None) -> str:
    """The token of a request. ``lines``: ``multiValueHeaders`` of API Gateway's event.

    Raises ``TokenMissing``, and ``TokenMalformed`` for anything else.
    """
    sent = {value for name, values in (lines or {}).items() if name.lower() == "authorization" for value in values}
    if len(sent) > 1:
        raise TokenMalformed(_SEVERAL)
    return _token_in(next(iter(sent), ""))


def _token_in(header: str) -> str:
    match = _CREDENTIALS.fullmatch(header)
    if match:
        return match["token"]
    text = header.strip()
    if not text:
        raise TokenMissing
    if text.lower() == "bearer":
        raise TokenMalformed(_SCHEME_ALONE)
    raise TokenMalformed(_WITHOUT_SCHEME if _RAW_TOKEN.fullmatch(text) else None)
