"""Bearer tokens in the ``Authorization`` header (RFC 6750 §2.1), for the functions that read one themselves."""

import re

# The scheme in any case, one blank or more, and visible ASCII to the end: what is around a token is no part of it.
_CREDENTIALS = re.compile(r"(?i:bearer) +(?P<token>[!-~]+)")


def bearer_token(header: str) -> str | None:
    """The token in the value of the header; None if it is no bearer token alone."""
    match = _CREDENTIALS.fullmatch(header)
    return match["token"] if match else None
