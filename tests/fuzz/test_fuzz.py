"""Requests made from the description alone, right and wrong ones, in chains: the running stack must be as described.

No response may be a 5xx or missing in the description, and no request that it does not allow may succeed;
schemathesis calls each of these a check. Two of its checks are left out. That whatever the schemas allow succeeds: they
cannot say that a cursor must be one that was given out, or that an idempotency key must not have been used before. And
that a method which a path has not is answered 405: API Gateway does not tell it from an unknown path, so it is 404.

``FUZZ_SECONDS`` makes it longer (`make soak-api`), and other than the run before.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infrastructure.openapi import file
from infrastructure.template import REPOSITORY
from tests.conftest import Figures
from tests.journeys.service import Service

SECONDS = int(os.environ.get("FUZZ_SECONDS", "25"))
# Of an operation, or chains. In a soak, it is the time that ends it.
EXAMPLES = 10_000 if "FUZZ_SECONDS" in os.environ else 50
SCHEMATHESIS = REPOSITORY / ".venv-fuzz" / "bin" / "st"

# Chains follow the links of the description: open a room, plan a task in it, delete the room.
PHASES = ["coverage,fuzzing", "stateful"]


def schemathesis(service: Service, folder: Path, document: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Runs it on a document (an address or a file) against the stack. ``folder``: where it may leave its files."""
    url = service.addresses.api_url
    environment = {
        **os.environ,
        "TASKSYNC_URL": url,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    options = (
        *("--no-color", "--warnings=off", "--continue-on-failure"),
        *("--checks=all", "--exclude-checks=positive_data_acceptance,unsupported_method", "--request-timeout=60"),
        "--generation-database=none" if "FUZZ_SECONDS" in os.environ else "--generation-deterministic",
        *options,
    )
    return subprocess.run(  # noqa: S603  # a program of our own choice
        [str(SCHEMATHESIS), "run", document, f"--url={url}", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("phases", PHASES)
def test_the_running_stack_responds_as_described_to_any_request(
    service: Service, phases: str, tmp_path: Path, figures: Figures
) -> None:
    document = f"{service.addresses.api_url}/openapi.json"

    run = schemathesis(
        service, tmp_path, document, f"--phases={phases}", f"--max-time={SECONDS}", f"--max-examples={EXAMPLES}"
    )

    assert run.returncode == 0, run.stdout + run.stderr
    made = re.search(r"(\d+) generated", run.stdout)
    assert made, run.stdout
    assert int(made[1]) > 0, run.stdout
    figures(f"{phases}: {made[1]} requests in {SECONDS} s")


def test_an_undescribed_response_would_be_found(service: Service, tmp_path: Path) -> None:
    document: Any = file.read()
    document["components"]["schemas"]["RoomSummaryList"]["required"].append("total")
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(document), encoding="utf-8")

    options = ["--phases=fuzzing", "--max-examples=1", "--include-operation-id=list_rooms"]
    run = schemathesis(service, tmp_path, str(changed), *options)

    assert run.returncode == 1, run.stdout + run.stderr
    assert '"total" is a required property' in run.stdout
