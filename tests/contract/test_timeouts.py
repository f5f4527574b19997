"""Timeouts: whoever calls gives up before whoever called them does, so that each failure is answered by its own level.

attempts x (connect + read) + back-off < the function's timeout - 1 s < the gateway's 29 s. Each call to AWS by itself
keeps to this; the authorizer makes two one after the other, and both fit.
"""

import pytest

from authorizer import store
from tasksync.aws import secret_values
from tasksync.dynamodb.core.connection import shared_connection
from tasksync.observability import cloudwatch, probes
from tests.support.aws import Aws
from tests.support.stack import Stack

STACK = Stack()
AUTHORIZER = "AuthorizerFunction"
BEHIND_THE_GATEWAY = [function for function in STACK.functions if STACK.events(function, "Api")]
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
GATEWAY_SECONDS = 29


def _timeout(function: str) -> int:
    seconds: int = STACK.functions[function].get("Timeout", STACK.template["Globals"]["Function"]["Timeout"])
    return seconds


@pytest.mark.parametrize("function", BEHIND_THE_GATEWAY)
def test_a_function_gives_up_on_aws_before_the_gateway_times_out(function: str, aws: Aws) -> None:
    del aws
    retry_policies = (shared_connection().client.retry_policy, secret_values.RETRY_POLICY, cloudwatch.RETRY_POLICY)
    longest = max(retry_policy.longest_seconds for retry_policy in retry_policies)

    assert longest < _timeout(function) - 1
    assert _timeout(function) - 1 < GATEWAY_SECONDS


def test_the_health_check_responds_within_three_seconds() -> None:
    # What hangs is left behind after this time; the rest is for a container that has to start.
    assert max(probes.SECONDS, probes.RETRY_POLICY.longest_seconds / 2) <= 1.5


def test_the_authorizer_has_time_for_both_of_its_calls() -> None:
    assert 2 * store.RETRY_POLICY.longest_seconds < _timeout(AUTHORIZER) - 1
    assert _timeout(AUTHORIZER) - 1 < GATEWAY_SECONDS
