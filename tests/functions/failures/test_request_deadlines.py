"""However slow DynamoDB is, each route answers, and writes its log line, before Lambda would end it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ReadTimeoutError

from tasksync.dynamodb.core.connection import shared_connection
from tests.functions.costs.route_requests import Team
from tests.support.context import LambdaContext
from tests.support.problems import problem
from tests.support.product import Product

TIMEOUT_SECONDS = 20.0


@contextmanager
def slow_dynamodb(seconds: float) -> Iterator[None]:
    """For the block, each call takes so long: as invocations are told, for nobody waits. What is waited for less than
    that has no response."""

    def take_time(request: AWSPreparedRequest, **_: object) -> None:
        patience = (getattr(request, "context", None) or {}).get("read_timeout", seconds)
        LambdaContext.passed_seconds += min(seconds, patience)
        if patience < seconds:
            raise ReadTimeoutError(endpoint_url=request.url)

    events = shared_connection().client.events
    events.register_first("before-send.dynamodb", take_time)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb", take_time)


def test_each_route_responds_in_time_and_logs_it(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    team = Team(product)
    product.aws.deploy(LogLevel="INFO")
    out_of_time = set()

    for name, request in team.requests().items():
        capsys.readouterr()
        before = LambdaContext.passed_seconds
        with slow_dynamodb(2.9):
            response = request()
        used = LambdaContext.passed_seconds - before
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        assert used < TIMEOUT_SECONDS, name
        assert [line["status"] for line in lines if line["event"] == "request"] == [str(response.status)], name
        if response.status >= 500:
            code = response.json()["code"]
            assert code in ("dependency_failed", "outcome_unknown"), name
            problem(response, 503, code)
            out_of_time.add(name)

    # It asks most, one thing after the other.
    assert "POST /auth/login" in out_of_time
