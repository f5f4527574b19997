"""How much memory functions take as Lambda starts them: from their archives, under its runtime client.

``python -m bench.memory RECORDING OUTPUT``. AWS is a server of this process that gives the recorded responses; Lambda's
side is a double of its Runtime API (``tests/support/lambda_runtime.py``), and neither is in what is measured.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import cold
from bench.exchanges import Recording
from infrastructure import package
from infrastructure.local.stack import KEPT_ARCHIVES
from infrastructure.template import REPOSITORY
from tests.support.lambda_runtime import BuiltFunction
from tests.support.stack import Stack

_MOST_REQUESTS, _MOST_SECONDS = 300, 1.0


def measure(recording: Recording) -> dict[str, Any]:
    """By function: the most memory that it had, in MB, after its first request and after those that follow it."""
    stack = Stack()
    archives = package.build(stack.template, REPOSITORY, KEPT_ARCHIVES)
    found: dict[str, dict[str, float]] = {}
    with cold.aws(recording) as url, tempfile.TemporaryDirectory() as folder:
        for name, exchange in recording.first.items():
            variables = {key: value for key, value in os.environ.items() if key.startswith("AWS_")}
            variables |= {**recording.variables, "AWS_ENDPOINT_URL": f"{url}/{name}/memory"}
            parts = [archives[each] for each in (name, *stack.layers(name))]
            with BuiltFunction(exchange.handler, parts, variables, Path(folder, name)) as function:
                found[name] = _of(function, exchange.event)
    return found


def _of(function: BuiltFunction, event: Any) -> dict[str, float]:
    _ask(function, event)
    first, began = _most_mb(function.pid), time.monotonic()
    for _ in range(_MOST_REQUESTS):
        if time.monotonic() - began > _MOST_SECONDS:
            break
        _ask(function, event)
    return {"first": first, "warm": _most_mb(function.pid)}


def _ask(function: BuiltFunction, event: Any) -> None:
    outcome = function.invoke(event)
    if outcome.error or outcome.response.get("statusCode", 200) >= 300 or outcome.response.get("batchItemFailures"):
        raise RuntimeError(str(outcome))


def _most_mb(process: int) -> float:
    """The most that it ever had in memory, VmHWM of proc(5)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    found = measure(Recording.read(Path(sys.argv[1])))
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")
