"""Gateway settings of the template that ministack's CloudFormation ignores.

- ``GatewayResponses``: SAM hands them over inside an OpenAPI document whose extensions ministack does not read. They
  are put one by one, and deployed.
- The authorizer's cache time: ministack expands the template with the parameters' defaults, whatever was given.
- Throttles of nested paths: ministack takes the ``~1`` that CloudFormation wants for a slash as it stands.

Both are read from the template. On AWS, CloudFormation does this by itself.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infrastructure import throttles

# Every type of response that API Gateway makes by itself, under the default that a type without an entry of its own
# takes its headers, body and status from.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
_DEFAULTS = {
    "DEFAULT_4XX": (
        "ACCESS_DENIED",
        "BAD_REQUEST_BODY",
        "BAD_REQUEST_PARAMETERS",
        "EXPIRED_TOKEN",
        "INVALID_API_KEY",
        "INVALID_SIGNATURE",
        "MISSING_AUTHENTICATION_TOKEN",
        "QUOTA_EXCEEDED",
        "REQUEST_TOO_LARGE",
        "RESOURCE_NOT_FOUND",
        "THROTTLED",
        "UNAUTHORIZED",
        "UNSUPPORTED_MEDIA_TYPE",
        "WAF_FILTERED",
    ),
    "DEFAULT_5XX": (
        "API_CONFIGURATION_ERROR",
        "AUTHORIZER_CONFIGURATION_ERROR",
        "AUTHORIZER_FAILURE",
        "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT",
    ),
}
_LOCATIONS = {"Headers": "header", "Paths": "path", "QueryStrings": "querystring"}


@dataclass(frozen=True)
class GatewayResponse:
    """A response that the gateway gives by itself, in the terms of API Gateway's own API."""

    status: int
    parameters: dict[str, str]
    """``gatewayresponse.header.NAME`` → a quoted text, or a variable such as ``context.requestId``."""
    template: str
    """The body, with variables such as ``$context.requestId``."""

    def render(self, request_id: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body. Knows the one variable that the project uses, the request's id."""
        headers = {}
        for name, source in self.parameters.items():
            value = request_id if source == "context.requestId" else source.removeprefix("'").removesuffix("'")
            headers[name.removeprefix("gatewayresponse.header.")] = value
        return self.status, headers, self.template.replace("$context.requestId", request_id).encode()


def _problem(status: int, title: str, code: str, detail: str, **headers: str) -> GatewayResponse:
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    headers = {"Content-Type": "'application/problem+json'", "X-Request-Id": "context.requestId", **headers}
    parameters = {f"gatewayresponse.header.{name}": value for name, value in headers.items()}
    return GatewayResponse(status, parameters, json.dumps({**body, "request_id": "$context.requestId"}))


# Until the template is deployed, and for one without an entry of this type. In words of http/problems.py, which
# `make run` has not installed.
_UNDECLARED = {
    "REQUEST_TOO_LARGE": _problem(413, "Content Too Large", "body_too_large", "A body may have at most 10 MB."),
    "UNSUPPORTED_MEDIA_TYPE": _problem(
        415, "Unsupported Media Type", "unknown_encoding", "A body may be compressed with gzip or deflate."
    ),
    "DEFAULT_4XX": _problem(404, "Not Found", "not_found", "There is nothing at this path for this method."),
    "DEFAULT_5XX": _problem(
        503,
        "Service Unavailable",
        "dependency_failed",
        "The service is starting, or a part of it did not answer. Try again.",
        **{"Retry-After": "'1'"},
    ),
}


def gateway_responses(template: Mapping[str, Any]) -> dict[str, GatewayResponse]:
    """The response of every type that the template decides, those without an entry of their own by their default."""
    declared = {
        response_type: GatewayResponse(
            int(response["StatusCode"]),
            {
                f"gatewayresponse.{_LOCATIONS[location]}.{name}": source
                for location, values in response.get("ResponseParameters", {}).items()
                for name, source in values.items()
            },
            response.get("ResponseTemplates", {}).get("application/json", '{"message": $context.error.messageString}'),
        )
        for response_type, response in _api(template)["Properties"].get("GatewayResponses", {}).items()
    }
    inherited = {
        response_type: declared[default]
        for default, response_types in _DEFAULTS.items()
        if default in declared
        for response_type in response_types
    }
    return inherited | declared


def render_response(responses: Mapping[str, GatewayResponse], response_type: str) -> tuple[int, dict[str, str], bytes]:
    """What the gateway answers by itself, with a request id of its own."""
    response = responses.get(response_type) or _UNDECLARED[response_type]
    return response.render(str(uuid.uuid4()))


def complete(apigateway: Any, api_id: str, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
    """Puts on a deployed API what ministack dropped of the template, and deploys it to the stage again."""
    for response_type, response in gateway_responses(template).items():
        apigateway.put_gateway_response(
            restApiId=api_id,
            responseType=response_type,
            statusCode=str(response.status),
            responseParameters=response.parameters,
            responseTemplates={"application/json": response.template},
        )
    ids = {item["name"]: item["id"] for item in apigateway.get_authorizers(restApiId=api_id)["items"]}
    for name, seconds in authorizer_cache_seconds(template, parameters).items():
        patch = {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": str(seconds)}
        apigateway.update_authorizer(restApiId=api_id, authorizerId=ids[name], patchOperations=[patch])
    stage = {"restApiId": api_id, "stageName": stage_name(template)}
    apigateway.update_stage(**stage, patchOperations=throttles.patches(_api(template)["Properties"], parameters))
    apigateway.create_deployment(**stage)


def authorizer_cache_seconds(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, int]:
    """For how long a response of each authorizer is reused, for those where the template says it."""
    seconds = {}
    for name, authorizer in _api(template)["Properties"].get("Auth", {}).get("Authorizers", {}).items():
        declared = authorizer.get("Identity", {}).get("ReauthorizeEvery")
        if declared is not None:
            seconds[name] = int(parameters[declared["Ref"]] if isinstance(declared, Mapping) else declared)
    return seconds


def compressed_from(template: Mapping[str, Any]) -> int | None:
    """From how many bytes on responses are compressed; None where the template says nothing."""
    declared = _api(template)["Properties"].get("MinimumCompressionSize")
    return None if declared is None else int(declared)


def stage_name(template: Mapping[str, Any]) -> str:
    """The name of the API's one stage."""
    return str(_api(template)["Properties"]["StageName"])


def _api(template: Mapping[str, Any]) -> Mapping[str, Any]:
    apis: list[Mapping[str, Any]] = [
        resource for resource in template["Resources"].values() if resource["Type"] == "AWS::Serverless::Api"
    ]
    return apis[0]
