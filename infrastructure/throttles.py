"""Compares the throttles that the template declares with those of a stage.

Both are given by route: ``POST /auth/login``, and ``* /*`` for every method without a throttle of its own. A
post-deployment check compares them, since AWS ignores a method setting for a path that it does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVERY_METHOD = "* /*"


@dataclass(frozen=True, slots=True)
class Throttle:
    """Requests per second, and how many may come at once."""

    rate: float
    burst: int


def wanted(api: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Throttle]:
    """Those of the template. ``api``: the properties of ``AWS::Serverless::Api``; ``parameters``: all their values."""
    return {
        _route(each["ResourcePath"], each["HttpMethod"]): Throttle(
            float(_value(each["ThrottlingRateLimit"], parameters)),
            int(_value(each["ThrottlingBurstLimit"], parameters)),
        )
        for each in api.get("MethodSettings", [])
        if "ThrottlingRateLimit" in each
    }


def of_stage(stage: Mapping[str, Any]) -> dict[str, Throttle]:
    """Those that are in force. ``stage``: what API Gateway's ``GetStage`` answers."""
    found = {}
    for key, setting in stage["methodSettings"].items():
        path, _, method = key.rpartition("/")
        throttle = Throttle(float(setting["throttlingRateLimit"]), int(setting["throttlingBurstLimit"]))
        found[_route(path, method)] = throttle
    return found


def patches(api: Mapping[str, Any], parameters: Mapping[str, str]) -> list[dict[str, str]]:
    """The operations of API Gateway's ``UpdateStage`` that put the template's throttles on a stage."""
    return [
        {"op": "replace", "path": f"{_pointer(route)}/throttling/{field}", "value": str(value)}
        for route, throttle in wanted(api, parameters).items()
        for field, value in (("rateLimit", throttle.rate), ("burstLimit", throttle.burst))
    ]


def _route(path: str, method: str) -> str:
    """``/~1auth~1login`` in the template, ``~1auth~1login`` or ``auth/login`` in a stage: one and the same path."""
    return f"{method} /{path.replace('~1', '/').lstrip('/')}" if path not in ("*", "/*") else f"{method} /*"


def _pointer(route: str) -> str:
    """A JSON pointer (RFC 6901) in which the path is one token."""
    method, path = route.split(" ")
    return f"/{'*' if path == '/*' else path.replace('/', '~1')}/{method}"


def _value(declared: Any, parameters: Mapping[str, str]) -> Any:
    return parameters[declared["Ref"]] if isinstance(declared, Mapping) else declared
