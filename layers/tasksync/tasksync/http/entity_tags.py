"""Entity tags in preconditions (RFC 9110 §8.8.3, §13.1.1 and §13.1.2)."""

import re
from dataclasses import dataclass

from tasksync.model.errors import BadPrecondition

# Between the quotation marks: visible characters except the mark itself, and all characters beyond ASCII.
_TAG = re.compile(r'(?P<weak>W/)?(?P<tag>"[^\x00-\x20"\x7f]*")')
_BETWEEN = re.compile(r"[ \t]*(?:,[ \t]*)*")


@dataclass(frozen=True, slots=True)
class EntityTags:
    """The value of a precondition: entity tags, or ``*`` (``any``), which matches any existing resource."""

    any: bool
    strong: frozenset[str]
    weak: frozenset[str]

    def name(self, tag: str) -> bool:
        """Whether one of them is this tag, by the weak comparison (RFC 9110 §8.8.3.2)."""
        return self.any or tag.removeprefix("W/") in self.strong | self.weak

    def name_version(self, version: int | None, *, weakly: bool) -> bool:
        """Whether one of them is a tag of this version, whatever its digest is. None: the resource has no version.

        A change without a new version, such as a count, overwrites nobody's change: it must not refuse a write.
        """
        tags = self.strong | self.weak if weakly else self.strong
        return self.any or (version is not None and str(version) in map(_version_of, tags))


def _version_of(tag: str) -> str:
    """What stands before the digest. A tag without a digest is a version, too."""
    return tag.strip('"').partition(".")[0]


def entity_tags(header: str, value: str) -> EntityTags:
    """Parse the value of ``header``. Raises ``BadPrecondition`` for anything but ``*`` and entity tags."""
    if value.strip() == "*":
        return EntityTags(True, frozenset(), frozenset())
    found: dict[bool, set[str]] = {True: set(), False: set()}
    separator = _BETWEEN.match(value)
    position = separator.end() if separator else 0
    while position < len(value):
        match = _TAG.match(value, position)
        if match is None:
            raise BadPrecondition(header)
        found[match["weak"] is not None].add(match["tag"])
        between = _BETWEEN.match(value, match.end())
        position = between.end() if between else match.end()
        if position < len(value) and "," not in value[match.end() : position]:
            raise BadPrecondition(header)
    if not found[True] and not found[False]:
        raise BadPrecondition(header)
    return EntityTags(False, frozenset(found[False]), frozenset(found[True]))
