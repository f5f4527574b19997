"""CloudWatch's metric math and alarms, as far as ``template.yaml`` uses them.

The local AWS and moto evaluate no expressions. What is not understood is refused with a ValueError.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

_OPERATORS: Mapping[type[ast.AST], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
_COMPARISONS = {"GreaterThanThreshold": operator.gt, "GreaterThanOrEqualToThreshold": operator.ge}

Point = Mapping[str, float]
"""What was measured in one period: the number of samples, ``SampleCount``, and the ``Sum``, of each metric, by name."""


def evaluate(expression: str, values: Mapping[str, float]) -> float | None:
    """The expression's value in one period, for the values of its metrics. None, as after a division by 0: no data."""
    python = re.sub(r"\bIF\(", "IF_(", re.sub(r"\bOR\b", "or", re.sub(r"\bAND\b", "and", expression)))
    try:
        return _value(ast.parse(python, mode="eval").body, values)
    except ZeroDivisionError:
        return None


def _value(node: ast.AST, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=op, right=right):
            return float(_OPERATORS[type(op)](_value(left, values), _value(right, values)))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return float(_OPERATORS[type(op)](_value(left, values), _value(right, values)))
        case ast.BoolOp(op=op, values=parts):
            found = [bool(_value(part, values)) for part in parts]
            return float(all(found) if isinstance(op, ast.And) else any(found))
        case ast.Call(func=ast.Name(id="IF_"), args=[condition, then, otherwise]):
            return _value(then if _value(condition, values) else otherwise, values)
    raise ValueError(f"the template computes {ast.unparse(node)}, which is not understood")


def raised(alarm: Mapping[str, Any], periods: Sequence[Mapping[str, Point]]) -> bool:
    """Whether an alarm (its properties in the template) is raised by what was measured in the last periods.

    ``periods``: by name of the metric; a metric that is not named was not measured. Missing data is not breaching.
    """
    values = [_of_period(alarm, measured) for measured in periods[-alarm["EvaluationPeriods"] :]]
    breaching = [
        value
        for value in values
        if value is not None and _COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])
    ]
    needed: int = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    return len(breaching) >= needed


def _of_period(alarm: Mapping[str, Any], measured: Mapping[str, Point]) -> float | None:
    if "Metrics" not in alarm:
        return _statistic(measured, alarm["MetricName"], alarm["Statistic"])
    metrics = {each["Id"]: each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each}
    [expression] = [each["Expression"] for each in alarm["Metrics"] if each.get("ReturnData", True)]
    found = {name: _statistic(measured, each["Metric"]["MetricName"], each["Stat"]) for name, each in metrics.items()}
    known = {name: value for name, value in found.items() if value is not None}
    return evaluate(expression, known) if known.keys() == metrics.keys() else None


def _statistic(measured: Mapping[str, Point], metric: str, statistic: str) -> float | None:
    if metric not in measured or not measured[metric]["SampleCount"]:
        return None
    point = measured[metric]
    return point["Sum"] / point["SampleCount"] if statistic == "Average" else point[statistic]
