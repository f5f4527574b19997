"""How much a body may have follows from its fields: the longest that may be sent fits, however JSON spells it."""

from typing import Any

import pytest

from infrastructure.openapi import file
from infrastructure.template import REPOSITORY
from overview_api.request_schemas import MOST_KEYS
from tasksync.http.request import MAX_BODY_BYTES

Json = dict[str, Any]
DOCUMENT: Json = file.read()

# A code point beyond the basic plane is two escapes of six characters (RFC 8259 §7), as Python's json.dumps writes it.
_SPELLING = 12
# A few more, for white space around each name and value.
_AROUND = 16
# What GET answered may be sent back: it is as long as it was answered, so an id has a byte for each character.
_READ_ONLY = 100 + _AROUND
_MEMBERS = 95
# Keys are any texts, so that what is no id is missing as what does not exist is. An id has at most 100 characters.
_KEYS = MOST_KEYS * 100 * _SPELLING


def _resolved(schema: Json) -> Json:
    if "$ref" in schema:
        return _resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


def _longest(schema: Json, name: str = "") -> int:
    """Of a value, in bytes."""
    if name == "cursor":  # the service has made it, of characters that nobody needs to spell otherwise
        return int(schema["maxLength"])
    if schema.get("readOnly"):
        return _READ_ONLY * (_MEMBERS if schema.get("type") == "array" else 1)
    schema = _resolved(schema)
    if "anyOf" in schema:
        return max(_longest(each) for each in schema["anyOf"])
    match schema:
        case {"enum": choices}:
            return max(len(choice) for choice in choices) * _SPELLING
        case {"type": "null" | "boolean" | "integer" | ["integer", "null"] | ["boolean", "null"]}:
            return 20
        case {"type": "string" | ["string", "null"], "maxLength": most}:
            return int(most) * _SPELLING
        case {"type": "array" | ["array", "null"], "items": items, "maxItems": most}:
            return int(most) * (_longest(items) + _AROUND)
        case {"type": "object"}:
            return sum(
                len(name) * _SPELLING + _longest(field, name) + _AROUND
                for name, field in schema.get("properties", {}).items()
            )
    raise AssertionError(f"a body with this has no longest one: {schema}")


def _bodies() -> dict[str, Json]:
    """By name, each schema of a body."""
    contents = [
        operation["requestBody"]["content"]["application/json"]["schema"]
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    return {schema["$ref"].rpartition("/")[2]: _resolved(schema) for schema in contents}


BODIES = _bodies()


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_longest_body_fits_in_any_encoding(name: str) -> None:
    longest = _KEYS if name == "WantedKeys" else _longest(BODIES[name])

    assert longest <= MAX_BODY_BYTES


def test_the_body_limit_leaves_little_room_above_the_longest_body() -> None:
    assert max(_longest(schema) for name, schema in BODIES.items() if name != "WantedKeys") > MAX_BODY_BYTES * 0.7


@pytest.mark.parametrize("place", ["README.md", "template.yaml", "layers/tasksync/tasksync/model/errors.py"])
def test_the_body_limit_is_the_same_in_every_place(place: str) -> None:
    assert f"{MAX_BODY_BYTES // 1024} KiB" in (REPOSITORY / place).read_text(encoding="utf-8")
