"""`make deploy`: how often it deploys, with which parameters, and what it leaves alone."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infrastructure.change_sets import described
from infrastructure.release import Stack, overrides, release
from infrastructure.smoke import Unhealthy


@pytest.fixture
def stack() -> Iterator[Stack]:
    """One that is not there yet."""
    with mock_aws():
        yield Stack("tasksync-prod", boto3.client)


def test_a_first_deployment_is_made_without_deletion_protection_and_one_with_it_after_it_serves(stack: Stack) -> None:
    done: list[Any] = []

    release(stack, done.append, lambda: done.append("serves"))

    assert done == [{"DeletionProtection": "false"}, "serves", {}]


def test_a_first_deployment_that_does_not_serve_is_not_protected(stack: Stack) -> None:
    done: list[Mapping[str, str]] = []

    def check() -> None:
        raise Unhealthy("GET /health: 500")

    with pytest.raises(Unhealthy):
        release(stack, done.append, check)

    assert done == [{"DeletionProtection": "false"}]


def test_the_other_parameters_of_an_environment_stay() -> None:
    given = "Environment=prod DeletionProtection=true AlarmAddress='somebody@example.org' Rollout=AllAtOnce"

    assert overrides(given, {"DeletionProtection": "false"}) == [
        "Environment=prod",
        "DeletionProtection=false",
        "AlarmAddress=somebody@example.org",
        "Rollout=AllAtOnce",
    ]
    assert overrides("Environment=prod", {"DeletionProtection": "false"})[1:] == ["DeletionProtection=false"]


def test_a_stack_that_cloudformation_does_not_tell_of_is_not_taken_for_none() -> None:
    """Otherwise an update by somebody who may not see the stack would turn its deletion protection off."""

    class Refusing:
        def describe_stacks(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "DescribeStacks")

    with pytest.raises(ClientError):
        described(Refusing(), "tasksync-prod")
