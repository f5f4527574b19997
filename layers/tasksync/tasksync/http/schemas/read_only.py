"""What of a resource a client may send back with a change, beyond what can be changed: PUT takes what GET answered.

A read-only field is let through if it has the value that the resource has when it is changed. Which fields those are
follows from the shapes: those of the answer that the schema of the body does not have.
"""

import functools
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tasksync.model.errors import FieldError, Invalid, PreconditionFailed

_ABSENT = object()

# They change with every change, so what was read before is no mistake; nothing is made of it.
_IGNORED = frozenset({"updated_at", "updated_by", "completed_at"})


def is_ignored(name: str) -> bool:
    """Whether a field of a resource is let through whatever it says."""
    return name in _IGNORED or name.endswith("_count")


@functools.cache
def read_only(body: type[msgspec.Struct], answer: Any) -> frozenset[str]:
    """The fields of a resource (a typed dictionary) that the schema of its changes does not have."""
    if not typing.is_typeddict(answer):
        return frozenset()
    changeable = {field.encode_name for field in msgspec.structs.fields(body)}
    return frozenset(answer.__required_keys__ | answer.__optional_keys__) - changeable


@dataclass(frozen=True, slots=True)
class SentBack:
    """The read-only fields that a change came with."""

    fields: Mapping[str, Any]
    faults: tuple[FieldError, ...] = ()
    """What is wrong with the change's other fields, to be named together with what is wrong with these."""

    def require_unaltered(self, current: Mapping[str, Any]) -> None:
        """Hold the fields against the resource as it is shown to the caller.

        Raises ``PreconditionFailed`` if they are of another version, else ``Invalid`` with each that has another value.
        """
        compared = {name: value for name, value in self.fields.items() if not is_ignored(name)}
        shown = msgspec.to_builtins(current)
        version = compared.get("version")
        present = shown.get("version")
        if type(version) is int and version != present:
            raise PreconditionFailed(
                present,
                f"The resource has changed: it is in version {present} now, and the body was made from version "
                f"{version}. Get it again, and make your change in what is there now.",
            )
        faults = [
            FieldError(f"/{name}", "read_only", "This cannot be changed: leave it out, or send it as GET gives it.")
            for name, value in compared.items()
            # Not by == alone: to Python, true is 1.
            if type(value) is not type(shown.get(name, _ABSENT)) or value != shown[name]
        ]
        if faults or self.faults:
            raise Invalid([*self.faults, *faults])
