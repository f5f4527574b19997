"""Which addresses webhooks may be sent to: nothing but what everybody on the Internet can reach.

Who may name a URL could otherwise let the service call hosts that only the service can reach: its own network, or the
metadata address of the cloud (server-side request forgery, OWASP API7:2023).
"""

import ipaddress
import re
import socket
import urllib.parse
from typing import NamedTuple

_HTTPS_PORT = 443
_LOWEST_PORT = 1_024
"""Lower ports are those of mail, databases and remote control."""

_PRINTABLE = range(0x21, 0x7F)
_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
"""A name, an IPv4 address, or an IPv6 address without a zone."""
_LONGEST_HOST = 253
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""The last label of an address in some form, never that of a name (URL Standard, 3.5)."""
_INNER_NAMES = ("alt", "example", "home.arpa", "internal", "invalid", "local", "localhost", "onion", "test")
"""Never in the public DNS: special-use names (RFC 6761, RFC 6762, RFC 8375), and ``internal``, which ICANN reserves."""

_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
"""All that is assigned for global unicast. IPv4-mapped addresses, NAT64 and other translations are outside."""

_REFUSED_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, with Teredo, which wraps IPv4
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which wraps IPv4
            "3fff::/20",  # documentation
        ),
    )
)
_REFUSED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        # https://www.iana.org/assignments/iana-ipv4-special-registry
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",  # multicast, reserved, broadcast
        ),
    )
)


class Refused(Exception):
    """Webhooks are not sent there; the argument is a sentence that says why."""


class Target(NamedTuple):
    """Where a webhook is sent to, from its URL."""

    host: str
    port: int
    tls: bool
    path: str
    """With the query."""

    @property
    def authority(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (_HTTPS_PORT if self.tls else 80) else f"{host}:{self.port}"


def target_of(url: str, *, loopback: bool) -> Target:
    """What a URL names. Raises ``Refused`` for a URL that webhooks are never sent to, whatever its name resolves to.

    ``loopback``: http to a loopback address is accepted, too, for receivers on the machine of a developer.
    """
    if not all(ord(character) in _PRINTABLE for character in url):
        raise Refused("Must be printable ASCII without spaces: write other characters percent-encoded, names as xn--.")
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("Must be a URL, such as https://example.org/hooks.") from None
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise Refused("Must have no user name or password: the signature shows who sends.")
    if "#" in url or "\\" in url:
        raise Refused("Must be a URL without a fragment, such as https://example.org/hooks.")
    in_brackets = parts.netloc.startswith("[")
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host) or in_brackets != (":" in host):
        raise Refused("Must name a host, such as https://example.org/hooks.")
    tls = parts.scheme == "https"
    if not tls and not (parts.scheme == "http" and loopback and is_loopback(_literal(host))):
        raise Refused("Must begin with https://.")
    port = port if port is not None else _HTTPS_PORT if tls else 80
    if port != _HTTPS_PORT and port < _LOWEST_PORT:
        raise Refused("Must use port 443, or one from 1024 on.")
    literal = _literal(host)
    if literal is not None and not is_allowed(literal, loopback=loopback):
        raise Refused("Must be an address that everybody on the Internet can reach.")
    if literal is None and not _is_public(host.removesuffix(".")):
        raise Refused("Must be a name that everybody on the Internet can look up.")
    path = parts.path or "/"
    return Target(host, port, tls, f"{path}?{parts.query}" if parts.query else path)


def _is_public(name: str) -> bool:
    """Whether a name can be in the public DNS. What it resolves to is checked when it is looked up."""
    _, dot, last = name.rpartition(".")
    return (
        bool(dot)
        and not _NUMBER.fullmatch(last)
        and not f".{name}".endswith(tuple(f".{each}" for each in _INNER_NAMES))
    )


def is_allowed(address: str, *, loopback: bool) -> bool:
    """Whether webhooks may be sent to this IP address. ``loopback``: as in ``target_of``."""
    return is_global(address) or (loopback and is_loopback(address))


def is_global(address: str) -> bool:
    """Whether an IP address is reachable from everywhere, and stands for no other address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _REFUSED_V4)
    return parsed.scope_id is None and parsed in _UNICAST_V6 and not any(parsed in network for network in _REFUSED_V6)


def is_loopback(address: str | None) -> bool:
    return address is not None and (address == "::1" or address.startswith("127."))


def _literal(host: str) -> str | None:
    """The IP address that a host is written as, in any form that resolvers take (127.1, 0x7f000001); None: a name."""
    if ":" in host:
        return host
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None
