"""What a change of would replace: tables, secrets, queues, logs and the API's address, and all that is in them.

CloudFormation replaces a resource when one of certain properties changes, or its name in the template. The new resource
is empty. So these properties are written down here a second time. A change of one of them is a migration of its own
(docs/guides/operate.md, "What an upgrade must not change"), and only then a change of this file; a new resource is
added.
"""

from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from infrastructure.local.clients import REGION
from tests.support.stack import Stack

STACK = Stack()

STATEFUL = {
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::Serverless::Api",
}

# Beside what CloudFormation's schemas name. A change of GenerateSecretString makes another value, local indexes
# are made with their table, and the API's address ends in its stage.
REPLACING = {
    "AWS::DynamoDB::Table": {"KeySchema", "LocalSecondaryIndexes"},
    "AWS::SecretsManager::Secret": {"GenerateSecretString"},
    "AWS::Serverless::Api": {"StageName"},
}

LOSSES = {
    "AWS::DynamoDB::Table": "the service would go on with a new, empty table",
    "AWS::Logs::LogGroup": "the logs so far, the security log among them, would be deleted",
    "AWS::SNS::Topic": "whoever is sent alarms would have to agree again",
    "AWS::SQS::Queue": "the records given up so far would be deleted",
    "AWS::SecretsManager::Secret": "another value would be generated: no password verifies with another pepper, "
    "and no token, cursor or session with another key",
    "AWS::Serverless::Api": "the API would have another address",
}


def _string_key(name: str, kind: str) -> dict[str, str]:
    return {"AttributeName": name, "KeyType": kind}


def _table(hash_key: str, range_key: str | None = None, **local_indexes: str) -> dict[str, Any]:
    """``local_indexes``: the range key of each."""
    keys = [_string_key(hash_key, "HASH")]
    frozen: dict[str, Any] = {"KeySchema": keys + ([_string_key(range_key, "RANGE")] if range_key else [])}
    if local_indexes:
        frozen["LocalSecondaryIndexes"] = [
            {
                "IndexName": name,
                "KeySchema": [*keys, _string_key(key, "RANGE")],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, key in local_indexes.items()
        ]
    return frozen


_GENERATED = {"PasswordLength": 64, "ExcludePunctuation": True}

FROZEN: dict[str, dict[str, Any]] = {
    "Api": {"StageName": "live"},
    "UsersTable": _table("user_id"),
    "RoomsTable": _table("room_id", "item"),
    "TasksTable": _table(
        "owner_id",
        "task_id",
        room_by_deadline="by_deadline",
        room_by_status="by_status",
        room_by_status_deadline="by_status_deadline",
        room_by_person="by_person",
        room_by_person_deadline="by_person_deadline",
    ),
    "TasksTableV2": _table(
        "owner_id",
        "item",
        room_by_created="by_created",
        room_by_deadline="by_deadline",
        room_by_status="by_status",
        room_by_status_deadline="by_status_deadline",
        room_by_rank="by_rank",
    ),
    "SessionsTable": _table("session_id"),
    "IdempotencyTable": _table("receipt_id"),
    "RateLimitsTable": _table("limit_id"),
    "LogTable": _table("owner_id", "item"),
    "LiveTable": _table("live_id"),
    "WebhooksTable": _table("room_id", "item"),
    "ActivityTable": _table("room_id", "entry_id"),
    "SigningSecret": {"GenerateSecretString": _GENERATED},
    "SessionSecret": {"GenerateSecretString": _GENERATED},
    "PepperSecret": {"GenerateSecretString": _GENERATED},
    "HttpSecret": {"GenerateSecretString": _GENERATED},
    "WebhookSecret": {"GenerateSecretString": _GENERATED},
    "MetricsSecret": {
        "GenerateSecretString": {**_GENERATED, "ExcludeCharacters": "!\"#$%&'()*,:;<=>?@[\\]^`{|}"},
    },
    "RoomCleanupFailures": {},
    "UserRemovalFailures": {},
    "ActivityFailures": {},
    "DispatchFailures": {},
    "LiveFailures": {},
    "DeliveryQueue": {},
    "SlowDeliveryQueue": {},
    "DeliveryFailures": {},
    "Alarms": {},
    "AccessLogGroup": {"LogGroupName": {"Fn::Sub": "/${AWS::StackName}/access"}},
    **{
        f"{function}Logs": {"LogGroupName": {"Fn::Sub": f"/${{AWS::StackName}}/{function}"}}
        for function in (
            *("AuthorizerFunction", "AuthFunction", "UsersFunction", "RoomsFunction", "TasksFunction"),
            *("OverviewFunction", "HealthFunction", "MetricsFunction", "PagesFunction"),
            *("RoomCleanupFunction", "UserRemovalFunction", "ActivityFunction", "DispatchFunction"),
            *("SweeperFunction", "AuditorFunction", "MigrationsFunction", "SyncFunction"),
            *("TicketsFunction", "ConnectionsFunction", "LiveFunction"),
            *("WebhooksFunction", "WebhookDeliveryFunction"),
        )
    },
}
"""By name in the template: the properties whose change would replace the resource, as far as it sets them."""


def replacing(kind: str) -> set[str]:
    """The properties of a type whose change replaces a resource of it."""
    if kind.startswith("AWS::Serverless::"):
        return REPLACING[kind]
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    paths = [*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])]
    return {path.split("/")[2] for path in paths} | REPLACING.get(kind, set())


def replaced(resource: dict[str, Any]) -> dict[str, Any]:
    """Those of a resource, with their values."""
    names = replacing(resource["Type"])
    return {name: value for name, value in resource.get("Properties", {}).items() if name in names}


def test_the_replacing_properties_are_those_of_cloudformations_schemas() -> None:
    assert {"TableName", "KeySchema"} <= replacing("AWS::DynamoDB::Table")
    assert {"QueueName"} <= replacing("AWS::SQS::Queue")
    assert {"Name"} <= replacing("AWS::SecretsManager::Secret")


@pytest.mark.parametrize("name", FROZEN)
def test_properties_that_would_replace_a_resource_are_as_released(name: str) -> None:
    assert name in STACK.resources, f"{name} was removed or renamed: what is in it would be left behind"
    resource = STACK.resources[name]

    assert replaced(resource) == FROZEN[name], f"{name} would be replaced: {LOSSES[resource['Type']]}"


def test_every_stateful_resource_is_frozen() -> None:
    holding = {name for name, resource in STACK.resources.items() if resource["Type"] in STATEFUL}

    assert holding - FROZEN.keys() == set(), "new: write down here what would replace it"


def test_the_stateful_types_are_those_that_the_template_retains_and_those_with_documented_losses() -> None:
    retained = {resource["Type"] for resource in STACK.resources.values() if "DeletionPolicy" in resource}

    assert retained <= STATEFUL == LOSSES.keys()


@pytest.mark.parametrize("name", [name for name in FROZEN if STACK.resources[name]["Type"] == "AWS::DynamoDB::Table"])
def test_table_keys_are_strings(name: str) -> None:
    """The type of a key is a part of it, and stands with the attributes."""
    properties = STACK.resources[name]["Properties"]
    kinds = {each["AttributeName"]: each["AttributeType"] for each in properties["AttributeDefinitions"]}
    schemas = [properties["KeySchema"], *(each["KeySchema"] for each in properties.get("LocalSecondaryIndexes", []))]

    assert {kinds[key["AttributeName"]] for schema in schemas for key in schema} == {"S"}
