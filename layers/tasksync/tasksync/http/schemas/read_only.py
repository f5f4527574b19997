"""Read-only fields: a client may send them back with a change, so PUT accepts the body that GET returned.

A read-only field must have the current value of the resource. The read-only fields are the fields of the response
schema that the request schema does not have.
"""

import functools
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tasksync.http.schemas.binding import Change
from tasksync.model.errors import FieldError, Invalid, PreconditionFailed

_ABSENT = object()

# They change with every change of the resource, or, as counts and ranks do, with those of others, so an old value is no
# error; an excerpt is no value at all. They are ignored.
_IGNORED = frozenset({"updated_at", "updated_by", "completed_at", "description_excerpt", "tasks", "rank"})


def is_ignored(name: str) -> bool:
    """Whether a read-only field is accepted with any value."""
    return name in _IGNORED or name.endswith("_count")


@functools.cache
def read_only(body: type[msgspec.Struct], resource: Any) -> frozenset[str]:
    """The fields of a resource (a typed dictionary) that the request schema of its changes does not have, and those
    that the resource has in lists only.
    """
    if not typing.is_typeddict(resource):
        return frozenset()
    changeable = {field.encode_name for field in msgspec.structs.fields(body)}
    of_lists = body.LISTED if issubclass(body, Change) else frozenset()
    return frozenset(resource.__required_keys__ | resource.__optional_keys__ | of_lists) - changeable


@dataclass(frozen=True, slots=True)
class ReadOnlyFields:
    """The read-only fields that a client sent with a change."""

    fields: Mapping[str, Any]
    field_errors: tuple[FieldError, ...] = ()
    """The errors of the other fields of the change, which are reported with the errors of these."""

    def require_unaltered(self, current: Mapping[str, Any]) -> None:
        """Compare the fields with the resource as the caller sees it.

        Raises ``PreconditionFailed`` if the version differs, otherwise ``Invalid`` for each field that differs.
        """
        compared = {name: value for name, value in self.fields.items() if not is_ignored(name)}
        shown = msgspec.to_builtins(current)
        version = compared.get("version")
        present = shown.get("version")
        if type(version) is int and version != present:
            raise PreconditionFailed(
                present,
                f"The resource has changed: it is in version {present} now, and the body was made from version "
                f"{version}. Get it again, and apply your change to the current content.",
            )
        altered = [
            FieldError(
                f"/{name}", "read_only", "This cannot be changed: leave it out, or send the value of the GET response."
            )
            for name, value in compared.items()
            # The type is compared too: to Python, true equals 1.
            if type(value) is not type(shown.get(name, _ABSENT)) or value != shown[name]
        ]
        if altered or self.field_errors:
            raise Invalid([*self.field_errors, *altered])
