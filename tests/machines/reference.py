"""What all references have in common."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused(Exception):
    """What a request is answered that changes nothing."""

    status: int
    code: str


NOT_FOUND = Refused(404, "not_found")
ROLE_TOO_LOW = Refused(403, "role_too_low")
VERSION_MISMATCH = Refused(412, "version_mismatch")
