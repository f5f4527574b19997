"""Bodies of requests that make people, rooms and tasks: sensible as they are, and unique where they must be."""

import secrets
from typing import Any

# Whoever registers has it judged, which takes 1 ms; for thirty characters it takes 6 ms.
PASSWORD = "zqvx moss kwj 61"


def person(name: str = "person", **fields: Any) -> dict[str, Any]:
    """A registration. Names and addresses differ each time, also between runs against one set of data."""
    username = f"{name}-{secrets.token_hex(6)}"
    return {"username": username, "email": f"{username}@example.org", "password": PASSWORD, **fields}


def room(**fields: Any) -> dict[str, Any]:
    return {"name": "Move to the new office", **fields}


def task(**fields: Any) -> dict[str, Any]:
    return {"title": "Order the desks", **fields}
