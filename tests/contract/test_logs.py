"""Logs: every function has a group of its own, which forgets."""

import pytest

from tests.support.stack import Stack

STACK = Stack()
FUNCTIONS = list(STACK.functions)
GROUPS = STACK.of_type("AWS::Logs::LogGroup")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_logs_json_to_a_group_of_its_own(function: str) -> None:
    common = STACK.template["Globals"]["Function"]["LoggingConfig"]
    own = STACK.functions[function].get("LoggingConfig", {})

    assert {**common, **own} == {"LogFormat": "JSON", "LogGroup": {"Ref": f"{function}Logs"}}
    assert GROUPS[f"{function}Logs"]["LogGroupName"] == {"Fn::Sub": f"/${{AWS::StackName}}/{function}"}


@pytest.mark.parametrize("group", GROUPS)
def test_log_retention_is_a_parameter(group: str) -> None:
    assert GROUPS[group]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
