"""Filters of event sources, as Lambda applies them to stream records."""

from typing import Any


def fits(value: Any, pattern: Any) -> bool:
    """Whether a record fits a filter pattern: fields by name, and at each leaf a list of what is allowed there.

    That is a value, or ``{"prefix": …}``. Lambda knows more; whatever else a pattern uses is refused.
    """
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(fits(value.get(name), wanted) for name, wanted in pattern.items())
    return any(_allows(each, value) for each in pattern)


def _allows(allowed: Any, value: Any) -> bool:
    if not isinstance(allowed, dict):
        return bool(allowed == value)
    if allowed.keys() != {"prefix"}:
        raise ValueError(f"the template filters by {allowed}, which the tests do not understand")
    return isinstance(value, str) and value.startswith(allowed["prefix"])
