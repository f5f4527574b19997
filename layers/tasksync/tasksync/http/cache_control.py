"""``Cache-Control`` as a request has it (RFC 9111 §5.2.1), and ``Pragma`` where there is none (§5.4)."""

from collections.abc import Mapping


def accepted_age(headers: Mapping[str, str], lifetime: int) -> int | None:
    """How many seconds old a response may be that is cached for ``lifetime``; None: it must be made anew."""
    directives = _directives(headers)
    if directives.keys() & {"no-cache", "no-store"}:
        return None
    oldest = lifetime - _seconds(directives.get("min-fresh", "0"), lifetime)
    oldest = min(oldest, _seconds(directives.get("max-age", str(lifetime)), 0))
    return oldest if oldest > 0 else None


def may_be_stored(headers: Mapping[str, str]) -> bool:
    """Whether the response may be cached for other requests: not with ``no-store`` (RFC 9111 §5.2.1.5)."""
    return "no-store" not in _directives(headers)


def _directives(headers: Mapping[str, str]) -> dict[str, str]:
    text = headers.get("cache-control", headers.get("pragma", ""))
    pairs = (directive.partition("=") for directive in text.lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _seconds(value: str, otherwise: int) -> int:
    """A number of seconds (RFC 9111 §1.2.2), or ``otherwise`` for what is none."""
    # Ten digits are 300 years: with more, it is as long.
    return int(value[:10]) if value.isdecimal() and value.isascii() else otherwise
