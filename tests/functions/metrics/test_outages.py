"""What GET /metrics responds with while CloudWatch or SQS fails, is slow, or responds with something else."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse

from tasksync.observability import cloudwatch
from tests.functions.metrics.scraping import Scraping
from tests.support.context import LambdaContext
from tests.support.faults import Fault, one_after_the_other, refusing, silent, unreachable
from tests.support.problems import problem

TIMEOUT_SECONDS = 20.0
SERVICES = ("cloudwatch", "sqs")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Those made between attempts, in seconds; nobody waits for them."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@contextmanager
def happening(service: str, fault: Fault) -> Iterator[list[AWSPreparedRequest]]:
    """Let ``fault`` happen to each request to the service. Yields the requests."""
    sent = []

    def listener(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        sent.append(request)
        return fault(request)

    events = cloudwatch.client(service).meta.events
    events.register_last(f"before-send.{service}", listener)
    try:
        yield sent
    finally:
        events.unregister(f"before-send.{service}", listener)


def responding(content: bytes) -> Fault:
    """With success, and with this."""
    return lambda request: AWSResponse(request.url, 200, HTTPHeaders(), MockRawResponse(content))


TRANSIENT = {
    "unreachable": unreachable,
    "silent": silent,
    "500": refusing("InternalFailure", 500),
    "throttled": refusing("Throttling"),
}
LASTING = {
    "denied": refusing("AccessDeniedException"),
    "no body": responding(b""),
    "no members": responding(b"{}"),
    "null": responding(b"null"),
    "a list": responding(b"[]"),
    "half a member": responding(b'{"Metrics": [{}]}'),
    "half a body": responding(b'{"Metrics": ['),
    "a page": responding(b"<html>"),
    "no UTF-8": responding(b"\xff\x00"),
}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("fault", [*TRANSIENT, *LASTING])
def test_a_failing_service_makes_the_response_a_problem(scraping: Scraping, service: str, fault: str) -> None:
    with happening(service, {**TRANSIENT, **LASTING}[fault]) as sent:
        problem(scraping.scrape(), 503, "dependency_failed")

    assert 1 <= len(sent) <= cloudwatch.RETRY_POLICY.attempts
    assert scraping.scrape().status == 200


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_transient_error_is_retried_once(scraping: Scraping, service: str, fault: str, pauses: list[float]) -> None:
    with happening(service, one_after_the_other(TRANSIENT[fault], lambda _: None)):
        assert scraping.scrape().status == 200

    assert len(pauses) == 1
    assert pauses[0] <= 1


@pytest.mark.parametrize("left", [4.9, 5.1, 6.0, 9.0])
def test_the_function_responds_in_time_however_little_is_left(
    scraping: Scraping, left: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: _pass(1))
    before = LambdaContext.passed_seconds

    with happening("cloudwatch", one_after_the_other(lambda _: _pass(TIMEOUT_SECONDS - left), _never_responding)):
        problem(scraping.scrape(), 503, "dependency_failed")

    assert LambdaContext.passed_seconds - before <= TIMEOUT_SECONDS - 0.5
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["status"] for line in lines if line["event"] == "request"] == ["503"]


def _pass(seconds: float) -> None:
    """Let invocations have so much time less."""
    LambdaContext.passed_seconds += seconds


def _never_responding(request: AWSPreparedRequest) -> None:
    _pass(request.context["read_timeout"])  # type: ignore[attr-defined]  # its types are older than it
    raise ReadTimeoutError(endpoint_url=request.url)
