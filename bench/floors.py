"""The least that a request can cost, given the calls it makes.

``by_hand``: each call is signed (Signature Version 4, as AWS documents it step by step), its body written with
``json.dumps`` and its response read with ``json.loads``, by nothing but the standard library; then the response to the
client is written. Nothing is looked at, checked or sent.

``on_boto3``: the same calls on a bare boto3 client, then the response to the client is written.
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from typing import Any

import boto3

from bench.exchanges import Exchange

_HOST = "dynamodb.us-east-1.amazonaws.com"
_REGION = "us-east-1"
_SECRET, _KEY_ID, _TOKEN = "testing", "testing", "testing"  # as in the environment of the bench


def by_hand(exchange: Exchange) -> Callable[[], object]:
    calls = [(call.target, json.loads(call.request), call.response.encode()) for call in exchange.calls]
    shown = _shown(exchange)

    def request() -> object:
        for target, parameters, response in calls:
            _signed(target, json.dumps(parameters).encode())
            json.loads(response)
        return json.dumps(shown)

    return request


def on_boto3(exchange: Exchange) -> Callable[[], object]:
    client: Any = boto3.client("dynamodb")
    calls = [(_method(call.target), json.loads(call.request)) for call in exchange.calls]
    shown = _shown(exchange)

    def request() -> object:
        for method, parameters in calls:
            getattr(client, method)(**parameters)
        return json.dumps(shown)

    return request


def _shown(exchange: Exchange) -> Any:
    return {**exchange.response, "body": json.loads(exchange.response["body"])}


def _method(target: str) -> str:
    """DynamoDB_20120810.GetItem → get_item"""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", target.rpartition(".")[2]).lower()


def _signed(target: str, body: bytes) -> dict[str, str]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    day = now[:8]
    fields = {
        "content-type": "application/x-amz-json-1.0",
        "host": _HOST,
        "x-amz-date": now,
        "x-amz-security-token": _TOKEN,
        "x-amz-target": target,
    }
    names = ";".join(fields)
    listed = "".join(f"{name}:{value}\n" for name, value in fields.items())
    canonical = f"POST\n/\n\n{listed}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{_REGION}/dynamodb/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{_SECRET}".encode()
    for part in (day, _REGION, "dynamodb", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"Credential={_KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**fields, "authorization": f"AWS4-HMAC-SHA256 {credential}"}
