"""Content codings as API Gateway knows them: gzip and deflate, of requests always, of responses above a size.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html

What that leaves open is decided as follows. Of codings that are equally welcome, the first one is the client's highest
priority. Deflate is what RFC 9110 §8.4.1.2 says, a zlib stream. What comes out of a request may be as large as a
request.
"""

import zlib
from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

# What zlib calls each: with the header and the checksum of RFC 1952, or those of RFC 1950.
_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_LEVEL = 6

# They have no body (RFC 9110 §6.4.1).
_WITHOUT_BODY = {204, 304}


class Undecodable(Exception):
    """A coding that is not known, or a body that is not in it."""


class TooLarge(Exception):
    """More comes out of a body than may."""


def decoded(headers: Headers, body: bytes, most: int) -> tuple[Headers, bytes]:
    """A request without its coding, of at most so many bytes. Raises ``Undecodable``, ``TooLarge``."""
    coding = _field(headers, b"content-encoding").strip().lower()
    if coding in ("", "identity"):
        return headers, body
    if coding not in _WINDOWS:
        raise Undecodable(coding)
    stream = zlib.decompressobj(_WINDOWS[coding])
    try:
        plain = stream.decompress(body, most + 1)
    except zlib.error as error:
        raise Undecodable(coding) from error
    if len(plain) > most:
        raise TooLarge
    if not stream.eof or stream.unused_data:
        raise Undecodable(coding)
    kept = _without(headers, b"content-encoding", b"content-length")
    return [*kept, (b"content-length", str(len(plain)).encode())], plain


def encoded(status: int, headers: Headers, body: bytes, accepted: Headers, least: int | None) -> tuple[Headers, bytes]:
    """A response, compressed if the client takes that and it has so many bytes at least.

    ``accepted``: the headers of the request. ``least``: the API's ``MinimumCompressionSize``; None where it has none.
    A response that says how it is encoded stays as it is.
    """
    coding = preferred(_field(accepted, b"accept-encoding"))
    if least is None or len(body) < least or coding is None or status in _WITHOUT_BODY:
        return headers, body
    if _field(headers, b"content-encoding"):
        return headers, body
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOWS[coding])
    small = stream.compress(body) + stream.flush()
    kept = _without(headers, b"content-length")
    fields = [(b"content-encoding", coding.encode()), (b"content-length", str(len(small)).encode())]
    return [*kept, *fields], small


def preferred(accept_encoding: str) -> str | None:
    """The coding that a response is compressed with; None where the client prefers none, or one that is not known.

    ``*`` is no name of a coding, and leads to no compression, as on AWS.
    """
    wanted = [_weighted(each) for each in accept_encoding.split(",") if each.strip()]
    coding, weight = max(wanted, key=lambda each: each[1], default=("", 0.0))
    return coding if coding in _WINDOWS and weight > 0 else None


def _weighted(member: str) -> tuple[str, float]:
    """A coding and its weight (RFC 9110 §12.4.2); 0 for a weight that is none."""
    coding, _, parameter = member.partition(";")
    name, _, value = parameter.partition("=")
    if not name.strip():
        return coding.strip().lower(), 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        weight = 0.0
    return coding.strip().lower(), weight if 0.0 <= weight <= 1.0 else 0.0


def _field(headers: Headers, name: bytes) -> str:
    """The value of a field, of several lines as of one (RFC 9110 §5.3)."""
    return ",".join(value.decode("latin-1") for found, value in headers if found.lower() == name)


def _without(headers: Iterable[tuple[bytes, bytes]], *names: bytes) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in names]
