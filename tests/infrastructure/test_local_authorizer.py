"""What stands before the authorizer under SAM local, which answers an authorizer that raises with 502."""

import importlib
import json
from typing import Any

import pytest

from infrastructure.emulation import derived
from infrastructure.template import REPOSITORY
from tests.support.aws import Aws
from tests.support.context import LambdaContext
from tests.support.product import Product

EVENT = REPOSITORY / "tests" / "journeys" / "events" / "request_authorizer.json"


def ask(aws: Aws, monkeypatch: pytest.MonkeyPatch, authorization: str) -> Any:
    event = json.loads(EVENT.read_text(encoding="utf-8"))
    event["headers"]["Authorization"] = authorization
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    return handler(aws, monkeypatch, event)


def handler(aws: Aws, monkeypatch: pytest.MonkeyPatch, event: Any) -> Any:
    monkeypatch.setenv(derived.WRAPPED, aws.stack.functions["AuthorizerFunction"]["Handler"])
    module = importlib.import_module("infrastructure.emulation.local_authorizer")
    with aws.running("AuthorizerFunction"):
        return module.handler(event, LambdaContext("AuthorizerFunction"))


def effects(decision: Any) -> list[str]:
    return [statement["Effect"] for statement in decision["policyDocument"]["Statement"]]


def test_a_valid_token_is_allowed_as_by_the_authorizer(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = product.register("ann")

    decision = ask(product.aws, monkeypatch, f"Bearer {ann.access_token}")

    assert effects(decision) == ["Allow"]
    assert decision["context"]["user_id"] == ann.id


@pytest.mark.parametrize("authorization", ["Bearer no.good.token", "Basic YW5uOnNlY3JldA==", ""])
def test_an_unauthorized_error_is_denied(product: Product, monkeypatch: pytest.MonkeyPatch, authorization: str) -> None:
    assert effects(ask(product.aws, monkeypatch, authorization)) == ["Deny"]


def test_any_other_failure_stays_a_failure(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError):
        handler(product.aws, monkeypatch, {"requestContext": {}})
