"""Alarms: what works by itself, out of anybody's sight, says when it does not."""

from typing import Any

import pytest

from tests.support.stack import Stack

STACK = Stack()
ALARMS = STACK.of_type("AWS::CloudWatch::Alarm")
STREAM_FUNCTIONS = [function for function in STACK.functions if STACK.events(function, "DynamoDB")]
SCHEDULED = [function for function in STACK.functions if STACK.events(function, "Schedule")]
READ = {event["Queue"]["Fn::GetAtt"][0] for function in STACK.functions for event in STACK.events(function, "SQS")}
FAILURE_QUEUES = sorted(STACK.of_type("AWS::SQS::Queue").keys() - READ)


def _of(metric: str) -> list[Any]:
    """What the alarms on a metric look at, one value of a dimension each."""
    return [
        dimension["Value"]
        for alarm in ALARMS.values()
        if alarm.get("MetricName") == metric
        for dimension in alarm.get("Dimensions", [])
    ]


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_notifies_the_topic_and_has_a_description(alarm: str) -> None:
    properties = ALARMS[alarm]

    assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": "Alarms"}]
    assert properties["AlarmDescription"].endswith(".")
    assert properties["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("function", STREAM_FUNCTIONS)
def test_a_stream_function_has_an_alarm_on_its_iterator_age(function: str) -> None:
    assert {"Ref": function} in _of("IteratorAge")


@pytest.mark.parametrize("queue", sorted(READ))
def test_a_queue_that_a_function_reads_has_an_alarm_on_the_age_of_its_messages(queue: str) -> None:
    assert {"Fn::GetAtt": [queue, "QueueName"]} in _of("ApproximateAgeOfOldestMessage")


@pytest.mark.parametrize("queue", FAILURE_QUEUES)
def test_a_failure_queue_has_an_alarm_on_its_messages(queue: str) -> None:
    assert {"Fn::GetAtt": [queue, "QueueName"]} in _of("ApproximateNumberOfMessagesVisible")


@pytest.mark.parametrize("function", SCHEDULED)
def test_a_scheduled_function_has_an_alarm_on_its_errors(function: str) -> None:
    assert {"Ref": function} in _of("Errors")


def test_errors_latency_throttling_and_undecided_authorization_have_alarms() -> None:
    metrics = {alarm.get("MetricName") for alarm in ALARMS.values()}

    assert metrics >= {"5XXError", "Latency", "Throttles", "UndecidedAccess"}


@pytest.mark.parametrize("function", [*STREAM_FUNCTIONS, *SCHEDULED])
def test_asynchronous_functions_can_have_reserved_concurrency(function: str) -> None:
    reserved = STACK.functions[function]["ReservedConcurrentExecutions"]["Fn::If"]

    assert reserved[0] == "ReserveConcurrency"
    assert 0 < reserved[1] <= 10
    assert reserved[2] == {"Ref": "AWS::NoValue"}


def test_unfinished_sweeper_findings_have_alarms() -> None:
    found = [alarm for alarm in ALARMS.values() if alarm.get("MetricName") == "found"]

    assert [alarm["Dimensions"] for alarm in found] == [[{"Name": "kind", "Value": "rooms"}]]
    assert "FailedRemovals" in {alarm.get("MetricName") for alarm in ALARMS.values()}


# No route writes to the table of the version before.
WITH_LOCAL_INDEXES = {
    name for name, each in STACK.of_type("AWS::DynamoDB::Table").items() if "LocalSecondaryIndexes" in each
} - {"TasksTable"}


@pytest.mark.parametrize("table", sorted(WITH_LOCAL_INDEXES))
def test_a_table_with_local_indexes_has_an_alarm_on_full_partitions(table: str) -> None:
    assert {"Ref": table} in _of("storage_full")


@pytest.mark.parametrize(
    ("stage", "setting", "route"),
    [
        ("Api", "AccessLogSetting", "$context.resourcePath"),
        ("LiveStage", "AccessLogSettings", "$context.routeKey"),
    ],
)
def test_the_access_log_contains_nothing_that_clients_send(stage: str, setting: str, route: str) -> None:
    condition, settings, _ = STACK.resources[stage]["Properties"][setting]["Fn::If"]
    variables = {word.strip('",{} ') for word in settings["Format"].split() if "$" in word}

    assert condition == "LogAccess"
    assert {"$context.requestId", route, "$context.status"} <= variables
    assert not [
        variable
        for variable in variables
        if variable in ("$context.path", "$context.identity.userAgent", "$context.requestOverride")
        or not variable.startswith("$context.")
    ]
