"""Tables and streams: nothing is lost by a mistake, a bad record or a deletion of the stack."""

import json
from collections import Counter
from pathlib import Path

import pytest

from infrastructure import template as templates
from tests.support.stack import Stack

STACK = Stack()
TABLES = STACK.of_type("AWS::DynamoDB::Table")
TEMPLATES = [templates.PATH, *sorted((templates.REPOSITORY / "infrastructure" / "pipelines").glob("*.yaml"))]
IMAGES = {"NEW_AND_OLD_IMAGES": {"OldImage", "NewImage"}, "NEW_IMAGE": {"NewImage"}}
EVENT_SOURCES = [
    (function, number) for function in STACK.functions for number, _ in enumerate(STACK.events(function, "DynamoDB"))
]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_point_in_time_recovery_and_is_retained(table: str) -> None:
    resource, properties = STACK.resources[table], TABLES[table]

    # RetainExceptOnCreate: kept when the stack goes, and removed with a deployment that made it and failed.
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert STACK.resolve(properties["DeletionProtectionEnabled"]) == "true"


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_encrypted_and_billed_on_demand(table: str) -> None:
    assert TABLES[table]["SSESpecification"] == {"SSEEnabled": True}
    assert TABLES[table]["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_failed_first_deployment_leaves_no_resources(path: Path) -> None:
    resources = templates.load(path)["Resources"].values()

    assert {resource.get("DeletionPolicy", "Delete") for resource in resources} <= {"Delete", "RetainExceptOnCreate"}


def test_secrets_are_generated_and_not_in_the_template() -> None:
    for properties in STACK.of_type("AWS::SecretsManager::Secret").values():
        assert properties["GenerateSecretString"]["PasswordLength"] >= 32
        assert "SecretString" not in properties


@pytest.mark.parametrize(("function", "number"), EVENT_SOURCES)
def test_a_failing_record_is_retried_then_sent_to_the_queue(function: str, number: int) -> None:
    source = STACK.events(function, "DynamoDB")[number]

    assert 0 < source["MaximumRetryAttempts"] <= 100
    assert 0 < source["MaximumRecordAgeInSeconds"] <= 24 * 3600
    assert source["BisectBatchOnFunctionError"] is True
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["StartingPosition"] == "TRIM_HORIZON"
    failures = source["DestinationConfig"]["OnFailure"]
    queue, attribute = failures["Destination"]["Fn::GetAtt"]
    assert (failures["Type"], attribute) == ("SQS", "Arn")
    assert STACK.of_type("AWS::SQS::Queue")[queue]["MessageRetentionPeriod"] > source["MaximumRecordAgeInSeconds"]


@pytest.mark.parametrize(("function", "number"), EVENT_SOURCES)
def test_a_stream_has_the_images_that_its_filters_read(function: str, number: int) -> None:
    source = STACK.events(function, "DynamoDB")[number]

    table, attribute = source["Stream"]["Fn::GetAtt"]

    assert attribute == "StreamArn"
    view = TABLES[table]["StreamSpecification"]["StreamViewType"]
    for entry in source["FilterCriteria"]["Filters"]:
        pattern = json.loads(entry["Pattern"])
        assert pattern.keys() == {"eventName", "dynamodb"}
        assert pattern["dynamodb"].keys() <= {"Keys", *IMAGES[view]}


def test_a_stream_has_at_most_two_readers() -> None:
    """A third one would be throttled.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing
    """
    readers = Counter(
        source["Stream"]["Fn::GetAtt"][0]
        for function in STACK.functions
        for source in STACK.events(function, "DynamoDB")
    )

    assert readers.keys() == {name for name, table in TABLES.items() if "StreamSpecification" in table}
    assert max(readers.values()) <= 2
