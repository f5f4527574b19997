"""OPTIONS of every path. One origin could be a constant of the gateway's; for a list somebody has to compare."""

from collections.abc import Mapping
from typing import Any

from tasksync.http.headers import Headers
from tasksync.http.middleware.cors import preflight_headers
from tasksync.http.responses import SECURITY_HEADERS
from tasksync.observability.logs import log


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """What API Gateway is to answer (REST API, proxy event version 1.0). Never fails: there is nothing to depend on."""
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
