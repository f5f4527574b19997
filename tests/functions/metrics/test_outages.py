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


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "fault",
    [
        unreachable,
        silent,
        refusing("InternalFailure", 500),
        refusing("AccessDeniedException"),
        refusing("ThrottlingException"),
        *map(responding, (b"", b"{}", b"null", b"[]", b'{"Metrics": [{}]}', b"<html>", b"\xff\x00", b'{"Metrics": [')),
    ],
)
def test_a_failing_service_makes_the_response_a_problem(scraping: Scraping, service: str, fault: Fault) -> None:
    with happening(service, fault) as sent:
        problem(scraping.scrape(), 503, "dependency_failed")

    assert 1 <= len(sent) <= cloudwatch.RETRY_POLICY.attempts
    assert scraping.scrape().status == 200


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("fault", [unreachable, silent, refusing("InternalFailure", 500), refusing("Throttling")])
def test_a_transient_error_is_retried_once(scraping: Scraping, service: str, fault: Fault, pauses: list[float]) -> None:
    with happening(service, one_after_the_other(fault, lambda _: None)):
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
