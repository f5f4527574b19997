"""The preflight function: OPTIONS of every path. The gateway alone could allow one origin only, not a list."""

from collections.abc import Mapping
from typing import Any

from tasksync.http.headers import Headers
from tasksync.http.middleware.cors import preflight_headers
from tasksync.http.responses import SECURITY_HEADERS
from tasksync.observability.logs import log


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Returns API Gateway's response (REST API, proxy event version 1.0). It has no dependency that could fail."""
    headers = Headers(event["multiValueHeaders"])
    request = event["requestContext"]
    log(
        "INFO",
        "request",
        request_id=request["requestId"],
        method="OPTIONS",
        route=request["resourcePath"],
        status="204",
    )
    fields = {**SECURITY_HEADERS, "X-Request-Id": request["requestId"], **preflight_headers(headers.get("origin"))}
    return {"statusCode": 204, "headers": fields, "body": ""}
