"""``python -m bench``: measures everything, prints it, and writes it to a file.

Each part is a process of its own, so that none is measured with what another one imported.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.measuring import Spread
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

_PARTS = {"cpu": "warm requests", "cold": "the first request of a fresh process"}


def main() -> None:
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "performance.json")
    output: Path = options.parse_args().output
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, "recording.json")
        print("Recording what DynamoDB answers", flush=True)
        _run("bench.recording", recording)
        found = {}
        for part, what in _PARTS.items():
            print(f"Measuring the CPU of {what}", flush=True)
            file = Path(folder, f"{part}.json")
            _run(f"bench.{part}", recording, file)
            found[part] = json.loads(file.read_text(encoding="utf-8"))
        print("Measuring lists as a room grows", flush=True)
        lists = Path(folder, "lists.json")
        _run("bench.lists", lists)
        found["lists"] = json.loads(lists.read_text(encoding="utf-8"))
    _print_cpu(found["cpu"])
    _print_cold(found["cold"])
    output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _run(module: str, *arguments: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | _ENVIRONMENT
    command = [sys.executable, "-m", module, *map(str, arguments)]
    subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, check=True)


def _print_cpu(found: Mapping[str, Mapping[str, Any]]) -> None:
    print("\nCPU of a warm request: median of the ratios (quartiles)")
    print(f"{'':20}{'to the floor':>24}{'':4}{'floor':10}{'to the plain way':>24}")
    for name, row in found.items():
        floor, plain = Spread(**row["to the floor"]), Spread(**row["to the plain way"])
        print(f"{name:20}{floor!s:>24}{'':4}{row['floor']:10}{plain!s:>24}")


def _print_cold(found: Mapping[str, Mapping[str, float]]) -> None:
    print("\nCPU of a fresh process with its first request, to one that reads an item by boto3")
    for name, row in found.items():
        print(f"{name:24}{Spread(**row)!s:>24}")


if __name__ == "__main__":
    main()
