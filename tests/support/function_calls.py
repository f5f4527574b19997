"""Calls a function by hand, as a schedule or `make audit` does."""

import json
from typing import Any

from tests.support.aws import Aws
from tests.support.context import LambdaContext
from tests.support.gateway import load_handler


def call(aws: Aws, function: str, event: dict[str, Any], seconds: float = 60.0) -> Any:
    """The response of a function (by its name in the template) that is told that it has ``seconds``."""
    with aws.running(function):
        handler = load_handler(aws.stack.functions[function]["Handler"])
        return json.loads(json.dumps(handler(json.loads(json.dumps(event)), LambdaContext(function, seconds))))
