"""What the template says of the gateway, and ministack has to be told."""

import json
from typing import Any

import pytest

from infrastructure import template as templates
from infrastructure.local import gateway


def api(**properties: Any) -> dict[str, Any]:
    return {"Resources": {"Api": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "live"} | properties}}}


UNAVAILABLE = {
    "StatusCode": 503,
    "ResponseParameters": {"Headers": {"X-Request-Id": "context.requestId", "Retry-After": "'1'"}},
    "ResponseTemplates": {"application/json": '{"request_id": "$context.requestId"}'},
}


def test_a_declared_response_is_translated_for_the_gateway() -> None:
    found = gateway.gateway_responses(api(GatewayResponses={"THROTTLED": UNAVAILABLE}))["THROTTLED"]

    assert found.status == 503
    assert found.parameters == {
        "gatewayresponse.header.X-Request-Id": "context.requestId",
        "gatewayresponse.header.Retry-After": "'1'",
    }


def test_a_type_without_an_entry_uses_its_default() -> None:
    limited = UNAVAILABLE | {"StatusCode": 504}
    template = api(GatewayResponses={"DEFAULT_5XX": UNAVAILABLE, "INTEGRATION_TIMEOUT": limited})

    found = gateway.gateway_responses(template)

    assert found["AUTHORIZER_FAILURE"] == found["DEFAULT_5XX"]
    assert found["INTEGRATION_TIMEOUT"].status == 504
    assert "UNAUTHORIZED" not in found


def test_a_response_is_rendered_with_the_request_id() -> None:
    response = gateway.gateway_responses(api(GatewayResponses={"DEFAULT_5XX": UNAVAILABLE}))["DEFAULT_5XX"]

    assert response.render("abc") == (503, {"X-Request-Id": "abc", "Retry-After": "1"}, b'{"request_id": "abc"}')


@pytest.mark.parametrize("origins", ["", "https://app.example.org"])
def test_every_response_of_the_template_renders_as_a_problem_with_its_status(origins: str) -> None:
    template = templates.load()
    values = templates.parameter_values(template, {"CorsAllowedOrigins": origins})
    for name, response in gateway.gateway_responses(templates.decided(template, values, template)).items():
        status, headers, body = response.render("abc")

        problem = json.loads(body)
        assert headers["Content-Type"] == "application/problem+json", name
        assert problem["status"] == status, name
        assert problem["request_id"] == headers["X-Request-Id"] == "abc", name


def test_the_authorizer_cache_time_comes_from_its_parameter() -> None:
    identity = {"Identity": {"ReauthorizeEvery": {"Ref": "Seconds"}}}
    fixed = {"Identity": {"ReauthorizeEvery": 5}}
    template = api(Auth={"Authorizers": {"Token": identity, "Fixed": fixed, "Undecided": {}}})

    assert gateway.authorizer_cache_seconds(template, {"Seconds": "0"}) == {"Token": 0, "Fixed": 5}


class RecordingGateway:
    """The part of API Gateway's interface that completes a deployment; keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def put_gateway_response(self, **request: Any) -> None:
        self.calls.append(("response", request["responseType"]))

    def get_authorizers(self, **_: Any) -> Any:
        return {"items": [{"name": "Token", "id": "a1"}]}

    def update_authorizer(self, **request: Any) -> None:
        self.calls.append(("cache", (request["authorizerId"], request["patchOperations"][0]["value"])))

    def update_stage(self, **request: Any) -> None:
        self.calls += [("stage", (patch["path"], patch["value"])) for patch in request["patchOperations"]]

    def create_deployment(self, **request: Any) -> None:
        self.calls.append(("deployment", request["stageName"]))


def test_the_deployment_is_created_last_so_that_responses_take_effect() -> None:
    authorizers = {"Token": {"Identity": {"ReauthorizeEvery": {"Ref": "Seconds"}}}}
    setting = {"ThrottlingRateLimit": {"Ref": "Rate"}, "ThrottlingBurstLimit": 40}
    throttled = [{"ResourcePath": "/~1auth~1login", "HttpMethod": "POST"} | setting]
    responses = {"THROTTLED": UNAVAILABLE}
    template = api(GatewayResponses=responses, Auth={"Authorizers": authorizers}, MethodSettings=throttled)
    recording = RecordingGateway()

    gateway.complete(recording, "api1", template, {"Seconds": "7", "Rate": "20"})

    assert recording.calls == [
        ("response", "THROTTLED"),
        ("cache", ("a1", "7")),
        ("stage", ("/~1auth~1login/POST/throttling/rateLimit", "20.0")),
        ("stage", ("/~1auth~1login/POST/throttling/burstLimit", "40")),
        ("deployment", "live"),
    ]
