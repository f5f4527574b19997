"""Records of DynamoDB streams as Lambda hands them to functions."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

Json = dict[str, Any]


def in_lambda_form(record: Mapping[str, Any], stream_arn: str) -> Json:
    """``record``: one of what ``GetRecords`` answers, with boto3."""
    return {
        **_plain(record),
        "awsRegion": stream_arn.split(":")[3],
        "eventSource": "aws:dynamodb",
        "eventSourceARN": stream_arn,
    }


def fits(value: Any, pattern: Any) -> bool:
    """Whether a record fits a filter pattern: fields by name, and at each leaf a list of what is allowed there.

    That is a value, ``{"prefix": …}`` or ``{"exists": true}``. Lambda knows more; whatever else a pattern uses is
    refused with a ValueError.
    """
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(fits(value.get(name), wanted) for name, wanted in pattern.items())
    return any(_allows(each, value) for each in pattern)


def _allows(allowed: Any, value: Any) -> bool:
    if not isinstance(allowed, dict):
        return bool(allowed == value)
    if allowed == {"exists": True}:
        return value is not None
    if allowed.keys() != {"prefix"}:
        raise ValueError(f"the template filters by {allowed}, which is not understood")
    return isinstance(value, str) and value.startswith(allowed["prefix"])


def _plain(value: Any) -> Any:
    """Times as seconds since 1970, and bytes in base64."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
