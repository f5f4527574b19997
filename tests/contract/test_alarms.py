"""Alarms: what works by itself, out of anybody's sight, says when it does not."""

from typing import Any

import pytest

from tests.support.stack import Stack

STACK = Stack()
ALARMS = STACK.of_type("AWS::CloudWatch::Alarm")
STREAM_FUNCTIONS = [function for function in STACK.functions if STACK.events(function, "DynamoDB")]
SCHEDULED = [function for function in STACK.functions if STACK.events(function, "Schedule")]
QUEUES = list(STACK.of_type("AWS::SQS::Queue"))


def _of(metric: str) -> list[Any]:
    """What the alarms on a metric look at, one value of a dimension each."""
    return [
        dimension["Value"]
        for alarm in ALARMS.values()
        if alarm.get("MetricName") == metric
        for dimension in alarm.get("Dimensions", [])
    ]


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_tells_the_topic_and_says_what_it_is_about(alarm: str) -> None:
    properties = ALARMS[alarm]

    assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": "Alarms"}]
    assert properties["AlarmDescription"].endswith(".")
    assert properties["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("function", STREAM_FUNCTIONS)
def test_a_function_behind_a_stream_has_an_alarm_on_how_far_behind_it_is(function: str) -> None:
    assert {"Ref": function} in _of("IteratorAge")


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_of_failures_has_an_alarm_on_what_is_in_it(queue: str) -> None:
    assert {"Fn::GetAtt": [queue, "QueueName"]} in _of("ApproximateNumberOfMessagesVisible")


@pytest.mark.parametrize("function", SCHEDULED)
def test_a_scheduled_function_has_an_alarm_on_its_errors(function: str) -> None:
    assert {"Ref": function} in _of("Errors")


def test_failures_slowness_throttling_and_undecided_access_have_alarms() -> None:
    metrics = {alarm.get("MetricName") for alarm in ALARMS.values()}

    assert metrics >= {"5XXError", "Latency", "Throttles", "UndecidedAccess"}


@pytest.mark.parametrize("function", [*STREAM_FUNCTIONS, *SCHEDULED])
def test_what_nobody_waits_for_can_be_given_a_concurrency_of_its_own(function: str) -> None:
    reserved = STACK.functions[function]["ReservedConcurrentExecutions"]["Fn::If"]

    assert reserved[0] == "ReserveConcurrency"
    assert 0 < reserved[1] <= 10
    assert reserved[2] == {"Ref": "AWS::NoValue"}


def test_what_sweeps_find_and_cannot_finish_has_alarms() -> None:
    found = [alarm for alarm in ALARMS.values() if alarm.get("MetricName") == "found"]

    assert [alarm["Dimensions"] for alarm in found] == [[{"Name": "kind", "Value": "rooms"}]]
    assert "FailedRemovals" in {alarm.get("MetricName") for alarm in ALARMS.values()}


def test_what_the_gateway_logs_quotes_nothing_that_was_sent() -> None:
    condition, settings, _ = STACK.resources["Api"]["Properties"]["AccessLogSetting"]["Fn::If"]
    variables = {word.strip('",{} ') for word in settings["Format"].split() if "$" in word}

    assert condition == "LogAccess"
    assert {"$context.requestId", "$context.resourcePath", "$context.status"} <= variables
    assert not [
        variable
        for variable in variables
        if variable in ("$context.path", "$context.identity.userAgent", "$context.requestOverride")
        or not variable.startswith("$context.")
    ]
