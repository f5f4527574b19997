"""Calls a function once, in this process, as Lambda would: for a debugger.

`python -m infrastructure.emulation.invoke HealthFunction EVENT.json` with the function's variables in the environment,
or with `--variables .local/moto`, where `make moto` writes them. Prints what the function responds.
"""

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from infrastructure import template as templates


class Context:
    """Lambda's context object, as far as our functions use it."""

    def __init__(self, function: str, seconds: float) -> None:
        self.function_name = function
        self.aws_request_id = "00000000-0000-4000-8000-000000000000"
        self._deadline = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def invoke(function: str, event: Any, seconds: float) -> Any:
    """What the function responds to the event, told that it has ``seconds``. Its modules are imported here."""
    handler = templates.load()["Resources"][function]["Properties"]["Handler"]
    module, _, name = handler.rpartition(".")
    return getattr(importlib.import_module(module), name)(event, Context(function, seconds))


def _read_variables(file: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in file.read_text(encoding="utf-8").splitlines())
    return {name: value.removeprefix('"').removesuffix('"') for name, _, value in pairs}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("function", help="its name in template.yaml, such as HealthFunction")
    parser.add_argument("event", type=Path, help="file with the event as JSON")
    parser.add_argument("--variables", type=Path, help="folder in which make moto has written the variables")
    parser.add_argument(
        "--seconds", type=float, default=900, help="remaining time in the function's context (default 900)"
    )
    arguments = parser.parse_args()
    functions = [n for n, each in templates.load()["Resources"].items() if each["Type"] == "AWS::Serverless::Function"]
    if arguments.function not in functions:
        print(f"There is no function {arguments.function}; there are {', '.join(functions)}.", file=sys.stderr)
        return 2
    try:
        event = json.loads(arguments.event.read_text(encoding="utf-8"))
        if arguments.variables:
            os.environ.update(_read_variables(arguments.variables / f"{arguments.function}.env"))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(invoke(arguments.function, event, arguments.seconds), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
