"""What is sent where, and what becomes of receivers that fail: sent over real connections on this machine."""

import ssl
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tasksync.domain.webhooks.delivery import Outcome
from tasksync.model import times
from tasksync.security.webhook_addresses import Refused, is_global, target_of
from tests.functions.webhooks import receivers
from tests.functions.webhooks.certificates import certificate
from tests.functions.webhooks.receivers import Answer, Receiver, status
from webhook_delivery.sender import Sender

SECONDS = 0.5
"""The deadline where a test waits for it."""
PATIENCE = 10
"""Seconds; receivers that hang do so for longer."""
BODY = b'{"type":"task.created"}'
PUBLIC = "93.184.216.34"

INNER_ADDRESSES = [
    "0.0.0.0",  # noqa: S104  # not bound
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a00:1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "no address",
]

REFUSED_URLS = [
    "http://example.org/",
    "ftp://example.org/",
    "https://example.org:80/",
    "https://example.org:22/",
    "https://example.org:0/",
    "https://example.org:99999/",
    "https://user@example.org/",
    "https://user:password@example.org/",
    "https://@example.org/",
    "https://example.org/#part",
    "https://example.org\\@127.0.0.1/",
    "https://example.org /",
    "https://ex\u00e4mple.org/",
    "https://example.org/\r\nX-Injected: 1",
    "https:///hooks",
    "https://",
    "https://exa%6dple.org/",
    "https://.org/",
    "https://[v1.org]/",
    "https://printer/",
    "https://printer./",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://nas.home.arpa/",
    "https://256.1.1.1/",
    "https://1.2.3.4.5/",
    "https://example.0x7f/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[fe80::1%25lo]/",
    "https://localhost/",
    "https://localhost:8443/",
    "https://a.localhost/",
    "http://127.0.0.1:8000/",
    "not a url",
]


def sent(receiver: Receiver, sender: Sender | None = None) -> Outcome:
    return (sender or Sender(loopback=True)).send(receiver.url, {"webhook-id": "m"}, BODY, times.now())


def test_the_request_is_one_post_with_the_payload() -> None:
    with Receiver(status(204, b"")).listening() as receiver:
        outcome = sent(receiver)

    (request,) = receiver.requests
    assert request.path == "/hooks?room=1"
    assert request.body == BODY
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["webhook-id"] == "m"
    assert request.headers["content-type"] == "application/json"
    assert (outcome.attempt.status, outcome.attempt.error) == (204, None)


def test_the_first_kilobyte_of_the_response_is_kept() -> None:
    with Receiver(status(200, b"\xff" + b"a" * 5_000)).listening() as receiver:
        outcome = sent(receiver)

    assert outcome.attempt.error is None
    assert outcome.attempt.response == "\ufffd" + "a" * 1_023


@pytest.mark.parametrize(
    ("answer", "code", "error"),
    [
        (receivers.hang, None, "timeout"),
        (receivers.drip, None, "timeout"),
        (receivers.drip_body, 200, "timeout"),
    ],
    ids=["hang", "drip", "drip in the body"],
)
def test_a_receiver_that_takes_too_long_fails_the_attempt_at_the_deadline(
    answer: Answer, code: int | None, error: str
) -> None:
    with Receiver(answer).listening() as receiver:
        began = time.monotonic()
        outcome = sent(receiver, Sender(loopback=True, seconds=2))
        took = time.monotonic() - began

    assert (outcome.attempt.status, outcome.attempt.error) == (code, error)
    assert len(receiver.requests) == 1
    assert took < PATIENCE


@pytest.mark.parametrize(
    ("answer", "code", "error"),
    [
        (status(500), 500, "status_500"),
        (status(410), 410, "status_410"),
        (status(301, Location="http://127.0.0.1:1/"), 301, "redirect"),
        (status(307, Location="/elsewhere"), 307, "redirect"),
        (receivers.die, 200, "connection_broken"),
        (receivers.die_in_headers, None, "connection_broken"),
        (receivers.vanish, None, "connection_broken"),
        (receivers.babble, None, "connection_broken"),
        (receivers.flood_headers, None, "connection_broken"),
        (receivers.flood_chunk, 200, "connection_broken"),
    ],
    ids=[
        "500",
        "410",
        "301",
        "307",
        "die",
        "die in headers",
        "vanish",
        "babble",
        "flood of headers",
        "flood in a chunk",
    ],
)
def test_a_receiver_that_fails_fails_the_attempt(answer: Answer, code: int | None, error: str) -> None:
    with Receiver(answer).listening() as receiver:
        outcome = sent(receiver)

    assert (outcome.attempt.status, outcome.attempt.error) == (code, error)
    assert len(receiver.requests) == 1
    # How much it sent before the connection was closed: what the sender takes, and the buffers between them.
    assert receiver.flooded < receivers.FLOOD_BYTES / 2


def test_nobody_listens() -> None:
    with Receiver().listening() as receiver:
        pass

    assert sent(receiver).attempt.error == "connection_refused"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("0", 0), ("soon", None), ("-1", None), ("9" * 30, 999_999_999), ("\u00b2", None)],
)
def test_retry_after_in_seconds(value: str, seconds: int | None) -> None:
    with Receiver(status(503, Retry_After=value)).listening() as receiver:
        assert sent(receiver).retry_after_seconds == seconds


@pytest.mark.parametrize(
    "value", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 2026 99999999999:00 GMT", "Mon, 01 Jan 2026", ","]
)
def test_retry_after_as_something_like_a_date(value: str) -> None:
    with Receiver(status(503, Retry_After=value)).listening() as receiver:
        outcome = sent(receiver)

    assert (outcome.attempt.error, outcome.retry_after_seconds) == ("status_503", None)


def test_retry_after_as_a_date() -> None:
    with Receiver(status(503, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT")).listening() as receiver:
        seconds = sent(receiver).retry_after_seconds

    assert seconds is not None
    assert seconds > 365 * 86_400


@pytest.mark.parametrize("address", INNER_ADDRESSES)
def test_an_address_that_is_not_global_is_refused_and_a_name_that_has_it(address: str) -> None:
    sender = Sender(loopback=False, resolve=lambda *_: [PUBLIC, address])

    assert not is_global(address)
    outcome = sender.send("https://hooks.example.org/", {}, BODY, times.now())
    assert (outcome.attempt.status, outcome.attempt.error) == (None, "address_not_allowed")


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"])
def test_a_global_address_is_allowed(address: str) -> None:
    assert is_global(address)


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_url_is_refused_when_it_is_given_and_when_it_is_sent_to(url: str) -> None:
    with pytest.raises(Refused):
        target_of(url, loopback=False)

    outcome = Sender(loopback=False).send(url, {}, BODY, times.now())
    assert outcome.attempt.error == "url_not_allowed"


@pytest.mark.parametrize(
    "url", ["http://example.org/", "http://10.0.0.1:8000/", "http://127.0.0.1:22/", "http://127.1/"]
)
def test_on_a_local_stack_http_goes_to_this_machine_alone(url: str) -> None:
    assert target_of("http://127.0.0.1:8000/hooks", loopback=True).port == 8000
    with pytest.raises(Refused):
        target_of(url, loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org:443/",
        "https://example.org:8443/a?b=c",
        f"https://{PUBLIC}/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
        "https://xn--exmple-cua.org/%C3%A4",
    ],
)
def test_a_url_that_everybody_can_reach_is_accepted(url: str) -> None:
    assert target_of(url, loopback=False).tls


def test_a_name_is_looked_up_once_and_the_checked_address_is_connected_to() -> None:
    """A name that would resolve to another address the second time is resolved once."""
    looked_up: list[str] = []

    def resolve(host: str, _: int) -> Sequence[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["169.254.169.254"]

    with Receiver().listening() as receiver:
        sender = Sender(loopback=True, resolve=resolve)
        outcome = sent(receiver, sender)

        assert (outcome.attempt.status, looked_up) == (200, ["127.0.0.1"])
        # The next attempt looks it up anew.
        assert sent(receiver, sender).attempt.error == "address_not_allowed"


@pytest.mark.parametrize(("error", "code"), [(OSError(), "unknown_host"), (UnicodeError(), "unknown_host")])
def test_a_name_that_is_unknown(error: Exception, code: str) -> None:
    def resolve(*_: object) -> Sequence[str]:
        raise error

    sender = Sender(loopback=False, resolve=resolve)
    assert sender.send("https://hooks.example.org/", {}, BODY, times.now()).attempt.error == code


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    def resolve(*_: object) -> Sequence[str]:
        over.wait(2 * PATIENCE)
        return []

    over = threading.Event()
    began = time.monotonic()
    sender = Sender(loopback=False, resolve=resolve, seconds=SECONDS)
    outcome = sender.send("https://hooks.example.org/", {}, BODY, times.now())

    assert outcome.attempt.error == "timeout"
    assert time.monotonic() - began < PATIENCE
    over.set()


@pytest.mark.parametrize(
    ("host", "error"), [("hooks.example.org", None), ("other.example.org", "tls_failed")], ids=["its name", "another"]
)
def test_the_certificate_must_be_that_of_the_name_in_the_url(tmp_path: Path, host: str, error: str | None) -> None:
    made, key = certificate("hooks.example.org")
    (tmp_path / "both.pem").write_bytes(key + made)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "both.pem")
    client = ssl.create_default_context(cadata=made.decode())

    with Receiver().listening(server) as receiver:
        sender = Sender(loopback=True, resolve=lambda *_: ["127.0.0.1"], tls=client, seconds=5)
        outcome = sender.send(f"https://{host}:{receiver.port}/", {}, BODY, times.now())

    assert outcome.attempt.error == error
    assert len(receiver.requests) == (error is None)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    made, key = certificate("hooks.example.org")
    (tmp_path / "both.pem").write_bytes(key + made)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "both.pem")

    with Receiver().listening(server) as receiver:
        sender = Sender(loopback=True, resolve=lambda *_: ["127.0.0.1"], seconds=5)
        outcome = sender.send(f"https://hooks.example.org:{receiver.port}/", {}, BODY, times.now())

    assert (outcome.attempt.error, receiver.requests) == ("tls_failed", [])
