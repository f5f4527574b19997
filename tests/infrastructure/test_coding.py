"""Content codings at the front of the local API."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from infrastructure.local import coding

PLAIN = b'{"title": "Order the desks"}' * 200
JSON = (b"content-type", b"application/json")


def accepting(*values: str) -> coding.Headers:
    return [(b"accept-encoding", value.encode()) for value in values]


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        ("gzip", "gzip"),
        ("deflate, gzip", "deflate"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("deflate;q=0.5, gzip;q=1.0", "gzip"),
        ("GZIP ; Q=0.3, identity;q=0.1", "gzip"),
        # What is most welcome is not known to the gateway.
        ("br;q=1.0, gzip;q=0.8", None),
        ("identity, gzip;q=0.5", None),
        ("gzip;q=0", None),
        ("gzip;q=2", None),
        ("gzip;q=much", None),
        ("gzip;level=9", None),
        ("*", None),
        ("", None),
        (" , ,gzip", "gzip"),
    ],
)
def test_the_preferred_supported_coding_is_used(accepted: str, wanted: str | None) -> None:
    assert coding.preferred(accepted) == wanted


def test_a_response_is_compressed_from_the_minimum_size_on() -> None:
    for name, decode in (("gzip", gzip.decompress), ("deflate", zlib.decompress)):
        headers, small = coding.encoded(200, [JSON, (b"Content-Length", b"1")], PLAIN, accepting(name), len(PLAIN))

        assert decode(small) == PLAIN
        assert headers == [
            JSON,
            (b"content-encoding", name.encode()),
            (b"content-length", str(len(small)).encode()),
        ]
    assert coding.encoded(200, [JSON], PLAIN, accepting("gzip"), len(PLAIN) + 1) == ([JSON], PLAIN)


def test_repeated_header_lines_count_as_one() -> None:
    assert coding.encoded(200, [], PLAIN, accepting("identity;q=0.5", "gzip"), 0)[1] != PLAIN


def test_encoded_responses_and_requests_without_accept_encoding_are_unchanged() -> None:
    said = [(b"Content-Encoding", b"identity")]

    assert coding.encoded(200, said, PLAIN, accepting("gzip"), 0) == (said, PLAIN)
    assert coding.encoded(200, [], PLAIN, [], 0) == ([], PLAIN)
    assert coding.encoded(200, [], PLAIN, accepting("gzip"), None) == ([], PLAIN)
    assert coding.encoded(304, [], b"", accepting("gzip"), 0) == ([], b"")


@pytest.mark.parametrize(("name", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_request_is_handed_on_decompressed(name: str, encode: Callable[[bytes], bytes]) -> None:
    sent = [JSON, (b"content-encoding", name.upper().encode()), (b"content-length", b"7")]

    headers, plain = coding.decoded(sent, encode(PLAIN), len(PLAIN))

    assert plain == PLAIN
    assert headers == [JSON, (b"content-length", str(len(PLAIN)).encode())]


def test_an_uncompressed_request_is_unchanged() -> None:
    for headers in ([JSON], [JSON, (b"content-encoding", b"identity")]):
        assert coding.decoded(headers, PLAIN, 1) == (headers, PLAIN)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("br", PLAIN),
        ("gzip, gzip", gzip.compress(gzip.compress(PLAIN))),
        ("gzip", PLAIN),
        ("gzip", b""),
        ("gzip", zlib.compress(PLAIN)),
        ("gzip", gzip.compress(PLAIN)[:-1]),
        ("gzip", gzip.compress(PLAIN) + b"more"),
        ("deflate", gzip.compress(PLAIN)),
    ],
)
def test_a_body_that_does_not_match_its_coding_is_refused(name: str, body: bytes) -> None:
    with pytest.raises(coding.Undecodable):
        coding.decoded([(b"content-encoding", name.encode())], body, 10 * len(PLAIN))


def test_a_body_that_decompresses_over_the_limit_is_refused() -> None:
    bomb = gzip.compress(bytes(50_000_000))

    with pytest.raises(coding.TooLarge):
        coding.decoded([(b"content-encoding", b"gzip")], bomb, 1_000_000)
