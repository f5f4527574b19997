"""Permissions: each function may do known things, to its own tables and secrets, and nothing else.

That what a function does is also granted is enforced in every test in process (``tests/support/permissions.py``).
"""

import re

import boto3
import pytest
from botocore.exceptions import ClientError

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from infrastructure.template import PATH
from tests.support.aws import Aws
from tests.support.retained_permissions import GRACE, Grant
from tests.support.stack import Stack

STACK = Stack()
FUNCTIONS = list(STACK.functions)

# IAM has one action that is no call of its own: the condition check inside a transaction.
DYNAMODB_ACTIONS = {
    f"dynamodb:{operation}"
    for operation in boto3.client("dynamodb", region_name="us-east-1").meta.service_model.operation_names
} | {"dynamodb:ConditionCheckItem"}
# Those for which IAM knows no resources; each only reads.
ON_EVERYTHING = {"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"}
ACTIONS = (
    DYNAMODB_ACTIONS
    | ON_EVERYTHING
    | {"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}
    | {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"}
    | {"execute-api:ManageConnections"}
)


def _own_resources(function: str) -> set[str]:
    """ARNs of what the function's variables name: tables, secrets, queues, WebSockets. And of its failure queues."""
    variables = [value for value in STACK.variables(function).values() if isinstance(value, dict)]
    tables = {value.get("Ref") for value in variables} & STACK.of_type("AWS::DynamoDB::Table").keys()
    secrets = {value["Fn::GetAtt"][0] for value in variables if value.get("Fn::GetAtt", [])[1:] == ["Id"]}
    queues = [event["DestinationConfig"]["OnFailure"]["Destination"] for event in STACK.events(function, "DynamoDB")]
    substituted = {name for value in variables for name in re.findall(r"\$\{(\w+)\}", value.get("Fn::Sub", ""))}
    named = substituted | {value.get("Ref") for value in variables}
    queues += [{"Fn::GetAtt": [name, "Arn"]} for name in named & STACK.of_type("AWS::SQS::Queue").keys()]
    return (
        {STACK.resolve({"Fn::GetAtt": [table, "Arn"]}) for table in tables}
        | {STACK.resolve({"Fn::GetAtt": [secret, "Id"]}) for secret in secrets}
        | {STACK.resolve(queue) for queue in queues}
        | {
            f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{STACK.resolve({'Ref': api})}/live/{method}/@connections/*"
            for api in _endpoints(function)
            for method in ("POST", "DELETE")
        }
    )


def _endpoints(function: str) -> set[str]:
    """The WebSocket APIs whose endpoints a function is given."""
    text = STACK.variables(function).get("LIVE_ENDPOINT", {}).get("Fn::Sub", "")
    return set(re.findall(r"\$\{(\w+)\}", text)) & STACK.of_type("AWS::ApiGatewayV2::Api").keys()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_statements_name_known_actions_without_wildcards(function: str) -> None:
    granted = {action for statement in STACK.statements(function) for action in statement["Action"]}

    assert granted <= ACTIONS
    assert all(statement["Effect"] == "Allow" for statement in STACK.statements(function))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_statements_name_exactly_the_tables_and_secrets_in_the_functions_environment(function: str) -> None:
    resources = {
        resource.partition("/index/")[0]
        for statement in STACK.statements(function)
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action not in ON_EVERYTHING and Grant.of(function, action, resource) not in GRACE
    }

    assert resources == _own_resources(function)


def test_secrets_are_named_by_their_arn() -> None:
    """As ``!GetAtt NAME.Id``: on AWS ``!Ref`` gives the ARN as well, on the local stack it gives the name alone."""
    template = PATH.read_text(encoding="utf-8")

    assert [name for name in STACK.of_type("AWS::SecretsManager::Secret") if f"!Ref {name}" in template] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_indexes_named_in_statements_exist(function: str) -> None:
    tables = STACK.of_type("AWS::DynamoDB::Table")
    named = [
        resource.partition(":table/")[2].split("/index/")
        for statement in STACK.statements(function)
        for resource in statement["Resource"]
        if "/index/" in resource
    ]

    for table, index in named:
        indexes = tables[table].get("GlobalSecondaryIndexes", []) + tables[table].get("LocalSecondaryIndexes", [])
        assert index in {"*", *(each["IndexName"] for each in indexes)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_actions_match_the_resource_type(function: str) -> None:
    granted = [
        (action, resource)
        for statement in STACK.statements(function)
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]
    secrets = STACK.of_type("AWS::SecretsManager::Secret")

    assert all(resource == "*" for action, resource in granted if action in ON_EVERYTHING)
    for service, resource in ((action.partition(":")[0], each) for action, each in granted if each != "*"):
        assert service == ("secretsmanager" if resource in secrets else resource.split(":")[2])


def test_a_function_has_only_the_permissions_of_its_statements() -> None:
    for properties in STACK.functions.values():
        assert "Role" not in properties
        assert all(policy.keys() == {"Version", "Statement"} for policy in properties.get("Policies", []))


def test_an_ungranted_call_in_process_is_refused_and_has_no_effect(aws: Aws) -> None:
    key = {"user_id": {"S": "usr_1"}}
    aws.dynamodb.put_item(TableName="UsersTable", Item=key)

    with aws.running("HealthFunction"):
        assert aws.dynamodb.get_item(TableName="UsersTable", Key=key)["Item"] == key
        with pytest.raises(ClientError, match="AccessDenied"):
            aws.dynamodb.delete_item(TableName="UsersTable", Key=key)

    assert aws.dynamodb.get_item(TableName="UsersTable", Key=key)["Item"] == key
    assert len(aws.permissions.denied) == 1
    aws.permissions.denied.clear()
