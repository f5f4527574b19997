"""Refusals in the local stack, with a stand-in for ministack's gateway."""

import asyncio
import json
from typing import Any

import pytest

from infrastructure.local import refusals

DENIAL = {"policyDocument": {"Statement": []}, "context": {"code": "token_expired", "detail": "Expired."}}
TEMPLATE = b'{"code": "$context.authorizer.code", "detail": "$context.authorizer.detail"}'
CHALLENGE = [(b"WWW-Authenticate", b"Bearer"), (b"x-request-id", b"1")]
RENAMED = [(b"x-amzn-remapped-www-authenticate", b"Bearer"), (b"x-request-id", b"1")]


class Gateway:
    """The parts of ministack's module that ask the authorizer, judge its policy, and answer by themselves."""

    def __init__(self, response: Any) -> None:
        self._respond = response

    async def _invoke_authorizer_lambda(self, *_: Any) -> Any:
        return self._respond

    def _evaluate_policy(self, policy: Any, _method_arn: str) -> str:
        return "Deny" if "Statement" in policy else "Allow"

    def _gateway_error_response(self, _error: str, _request: Any) -> tuple[int, dict[str, str], bytes]:
        return 401, {"WWW-Authenticate": "Bearer"}, TEMPLATE

    def decision(self) -> Any:
        """What ministack is handed of an authorizer, whose policy it caches."""
        return asyncio.run(self._invoke_authorizer_lambda("an authorizer", {}))

    def judged(self, policy: Any) -> str:
        return self._evaluate_policy(policy, "arn")

    def refused(self) -> bytes:
        return self._gateway_error_response("an error", {})[2]


@pytest.mark.parametrize(
    "body", [DENIAL, json.dumps(DENIAL), json.dumps(DENIAL).encode()], ids=["object", "text", "bytes"]
)
def test_the_authorizer_context_is_in_the_body_with_and_without_the_cache(body: Any) -> None:
    gateway = Gateway({"body": body})
    refusals.install(gateway)

    with refusals.of_one_request():
        cached = gateway.decision()["body"]["policyDocument"]
    for _ in range(2):
        with refusals.of_one_request() as refusal:
            assert gateway.judged(cached) == "Deny"
            response = gateway.refused()
        assert json.loads(response) == DENIAL["context"]
        assert refusals.remapped(refusal, CHALLENGE) == CHALLENGE


def test_each_request_has_its_own_context() -> None:
    gateway = Gateway({"body": DENIAL})
    refusals.install(gateway)

    with refusals.of_one_request():
        gateway.judged(gateway.decision()["body"]["policyDocument"])
    with refusals.of_one_request():
        response = gateway.refused()

    assert response == TEMPLATE


@pytest.mark.parametrize(
    "response", [None, {"error": True, "body": {"errorMessage": "x"}}, {"body": "no JSON"}, {"body": {}}]
)
def test_an_invalid_policy_is_passed_unchanged(response: Any) -> None:
    gateway = Gateway(response)
    refusals.install(gateway)

    assert gateway.decision() == response


def test_the_challenge_header_of_a_function_is_renamed() -> None:
    with refusals.of_one_request() as refusal:
        pass

    assert refusals.remapped(refusal, CHALLENGE) == RENAMED
