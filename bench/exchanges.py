"""What was recorded of requests, for processes that measure: nothing here imports what was recorded with."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call to AWS: the operation with its target (``DynamoDB_20120810.GetItem``), what was sent, what came back."""

    target: str
    request: str
    response: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to a function, and what it asked AWS for."""

    handler: str
    function: str
    event: Json
    response: Json
    calls: list[Call] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recording:
    """``exchanges``: by name of what was asked and by who answered it, ``ours`` or ``plain``.

    ``first``: by function, one request to it. ``now_and_then``: calls that a container makes at some requests and not
    at others, as taking a lease of a rate limit, and reading a secret, once.
    """

    variables: dict[str, str]
    exchanges: dict[str, dict[str, Exchange]]
    first: dict[str, Exchange]
    now_and_then: list[Call]

    @classmethod
    def read(cls, file: Path) -> "Recording":
        written: Recording = msgspec.json.decode(file.read_bytes(), type=cls)
        return written


def headers(call: Call) -> dict[str, str]:
    """Those that DynamoDB responds with."""
    content = call.response.encode()
    return {
        "Server": "Server",
        "Date": "Sat, 21 Nov 2026 09:00:00 GMT",
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(content)),
        "Connection": "keep-alive",
        "x-amzn-RequestId": "S0HV6JRHQ5L4ST0CJTUV7MVQVBVV4KQNSO5AEMVJF66Q9ASUAAJG",
        "x-amz-crc32": str(zlib.crc32(content)),
    }
