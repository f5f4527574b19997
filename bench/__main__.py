"""``python -m bench``: measures, prints what was found, and renews with it what the documents show.

Each part is a process of its own, so that none is measured with what another one imported.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import report
from infrastructure.template import REPOSITORY

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}

_PARTS = {
    "cpu": "the CPU of warm requests",
    "cold": "the CPU of the first request of a fresh process",
    "memory": "the memory of functions as Lambda starts them",
    "lists": "lists as a room grows",
    "load": "requests per second through the local stack, and others'",
    "price": "what requests take of what is paid",
}

# These are given what DynamoDB answers.
_RECORDED = ("cpu", "cold", "memory")

# The price is counted, not measured: once is enough.
_IN_ROUNDS = ("cpu", "cold", "lists", "load")

# Has what draws; see bench/requirements.txt.
_DRAWING = REPOSITORY / ".venv-bench" / "bin" / "python"


def main() -> None:
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--parts", default="", help=f"of {', '.join(_PARTS)}; all, if none is named")
    options.add_argument("--rounds", default="", help="how often each part measures, if not as usual")
    options.add_argument("--docs", type=Path, default=REPOSITORY / "docs", help="whose tables and figures are renewed")
    arguments = options.parse_args()
    parts = arguments.parts.split() or list(_PARTS)
    if unknown := set(parts) - set(_PARTS):
        options.error(f"there is no part {', '.join(sorted(unknown))}")
    found = _measured(parts, arguments.rounds)
    for part, result in found.items():
        for _, table in report.tables(part, result):
            print(f"\n{table}")
    _keep(found, arguments.docs)


def _measured(parts: list[str], rounds: str) -> dict[str, Any]:
    """What each part wrote. One that cannot be measured on this machine says so, and writes nothing."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, "recording.json")
        if not set(parts).isdisjoint(_RECORDED):
            print("Recording what DynamoDB answers", flush=True)
            _run("bench.recording", str(recording))
        for part in parts:
            print(f"Measuring {_PARTS[part]}", flush=True)
            file = Path(folder, f"{part}.json")
            given = [str(recording)] if part in _RECORDED else []
            _run(f"bench.{part}", *given, str(file), *([rounds] if rounds and part in _IN_ROUNDS else []))
            if file.exists():
                found[part] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _run(module: str, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | _ENVIRONMENT
    command = [sys.executable, "-m", module, *arguments]
    subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, check=True)


def _keep(found: dict[str, Any], docs: Path) -> None:
    """Beside what was found before of other parts."""
    file, plot = docs / "performance.json", docs / "performance.svg"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    kept = known | found
    ordered = {part: kept[part] for part in _PARTS if part in kept}
    file.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    for part, result in found.items():
        report.renew(docs, part, result)
    if "lists" in found and _DRAWING.exists():
        subprocess.run([str(_DRAWING), "-m", "bench.plot", str(file), str(plot)], cwd=REPOSITORY, check=True)
    elif "lists" in found:
        print("There is no .venv-bench: the plot is not drawn (make bench makes it).")


if __name__ == "__main__":
    main()
