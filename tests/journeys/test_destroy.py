"""`make destroy`: what it refuses, and what it leaves."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from infrastructure.destroy import NotDestroyed, destroy, stack_of
from infrastructure.local.clients import local_client
from infrastructure.local.ministack import Server

STACK = "tasksync-dev"

NEVER_MADE = {
    "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
    "NobodySignals": {
        "Type": "AWS::CloudFormation::WaitCondition",
        "DependsOn": ["Users", "Failures"],
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1"},
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A local AWS with nothing on it."""
    running = Server(0, tmp_path_factory.mktemp("aws"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def clients(server: Server) -> Iterator[tuple[Any, Any]]:
    """Of CloudFormation and of DynamoDB. The stack that a test leaves is deleted after it."""
    cloudformation, dynamodb = (local_client(name, server.aws_endpoint) for name in ("cloudformation", "dynamodb"))
    yield cloudformation, dynamodb
    for table in dynamodb.list_tables()["TableNames"]:
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=table)
    if stacks(cloudformation):
        cloudformation.delete_stack(StackName=STACK)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def deploy(cloudformation: Any, *, environment: str = "dev", protected: bool = False, broken: bool = False) -> None:
    """A stack with a table that is retained and a queue that is not; ``broken``: and what fails after both."""
    properties = {
        "TableName": "users",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "user_id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "user_id", "KeyType": "HASH"}],
        "DeletionProtectionEnabled": {"Ref": "DeletionProtection"},
    }
    template = {
        "Parameters": {"Environment": {"Type": "String"}, "DeletionProtection": {"Type": "String"}},
        "Resources": {
            "Users": {
                "Type": "AWS::DynamoDB::Table",
                "DeletionPolicy": "RetainExceptOnCreate",
                "Properties": properties,
            },
            "Failures": {"Type": "AWS::SQS::Queue"},
            **(NEVER_MADE if broken else {}),
        },
    }
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template),
        Parameters=[
            {"ParameterKey": "Environment", "ParameterValue": environment},
            {"ParameterKey": "DeletionProtection", "ParameterValue": str(protected).lower()},
        ],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def stacks(cloudformation: Any) -> list[str]:
    return [each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]]


def test_an_environment_is_the_stack_that_it_is_deployed_to() -> None:
    assert stack_of("dev") == STACK


@pytest.mark.parametrize("environment", ["", "nowhere", "version"])
def test_an_invalid_environment_is_refused(environment: str) -> None:
    with pytest.raises(NotDestroyed):
        stack_of(environment)


def test_a_stack_tagged_production_is_refused_under_any_name(clients: tuple[Any, Any]) -> None:
    deploy(clients[0], environment="prod")

    with pytest.raises(NotDestroyed, match="is production"):
        destroy(*clients, STACK, lambda _: STACK)

    assert stacks(clients[0]) == [STACK]


def test_a_production_environment_is_refused_whatever_the_stack_says(clients: tuple[Any, Any]) -> None:
    with pytest.raises(NotDestroyed, match="is production"):
        destroy(*clients, STACK, lambda _: STACK, production=True)


def test_a_missing_stack_is_reported(clients: tuple[Any, Any]) -> None:
    with pytest.raises(NotDestroyed, match="There is no stack"):
        destroy(*clients, STACK, lambda _: STACK)


def test_a_failed_first_deployment_leaves_nothing(clients: tuple[Any, Any]) -> None:
    cloudformation, dynamodb = clients
    with pytest.raises(WaiterError):
        deploy(cloudformation, environment="prod", broken=True)
    assert dynamodb.list_tables()["TableNames"] == []

    kept = destroy(*clients, STACK, lambda _: STACK, production=True)

    assert stacks(cloudformation) == []
    assert kept == []


def test_a_stack_with_protected_data_is_refused(clients: tuple[Any, Any]) -> None:
    deploy(clients[0], protected=True)

    with pytest.raises(NotDestroyed, match=r"protected from deletion: users\."):
        destroy(*clients, STACK, lambda _: STACK)

    assert stacks(clients[0]) == [STACK]


@pytest.mark.parametrize("typed", ["", "yes", "tasksync-staging"])
def test_without_the_typed_stack_name_nothing_is_deleted(typed: str, clients: tuple[Any, Any]) -> None:
    deploy(clients[0])

    with pytest.raises(NotDestroyed, match="nothing was deleted"):
        destroy(*clients, STACK, lambda _: typed)

    assert stacks(clients[0]) == [STACK]


def test_with_the_typed_name_the_stack_is_deleted_and_retained_resources_are_listed(clients: tuple[Any, Any]) -> None:
    deploy(clients[0])
    asked: list[str] = []

    def response(question: str) -> str:
        asked.append(question)
        return STACK

    kept = destroy(*clients, STACK, response)

    assert asked == [f"Type {STACK} to delete it: "]
    assert stacks(clients[0]) == []
    assert kept == ["AWS::DynamoDB::Table users"]
    assert clients[1].list_tables()["TableNames"] == ["users"]
