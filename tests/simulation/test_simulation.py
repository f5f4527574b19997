"""The product under the simulation; and the simulation itself: that it repeats, and that it notices.

Each runs in a process of its own: there the simulation stands between botocore and AWS from the beginning.
"""

import os
import re
import subprocess
import sys

import pytest

from infrastructure.template import REPOSITORY
from tests.conftest import Figures

SEEDS = 300
SEEDS_OF_REFRESHES = 300
SEEDS_UNTIL_NOTICED = 500
# The others take hundreds of seeds to be noticed: `python -m tests.simulation --without GUARD --seeds 5000`.
NOTICED_SOON = (
    "user-active",
    "room-counts-and-version",
    "code-free",
    "task-revision-at-update",
    "idempotency-record-absent",
    "log-entry",
    "log-marker",
    "log-head",
)


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m tests.simulation`` with these arguments."""
    return subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_no_interleaving_and_no_fault_breaks_an_invariant(figures: Figures) -> None:
    finished = run("--seeds", str(SEEDS))

    figures(finished.stdout)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    page = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
    for name in ("requests to DynamoDB", "commits", "scheduling decisions", "invocations", "faults"):
        [documented] = re.findall(rf"^\| {name} \| ([\d,]+) \|$", page, re.MULTILINE)
        [done] = re.findall(rf"\b{name} \(?([\d,]*\d)", finished.stdout)
        assert _number(documented) == pytest.approx(_number(done), rel=0.1), name


def test_a_refresh_token_has_one_successor_under_concurrency_and_faults(
    figures: Figures,
) -> None:
    finished = run("--refreshes", "--seeds", str(SEEDS_OF_REFRESHES))

    figures(finished.stdout)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_a_refresh_that_does_not_check_its_token_is_detected() -> None:
    finished = run("--refreshes", "--seeds", str(SEEDS_UNTIL_NOTICED), "--without", "token-still-good")

    assert finished.returncode == 1
    assert "Violation('I10: " in finished.stdout, finished.stdout + finished.stderr


def test_a_seed_runs_the_same_way_each_time() -> None:
    alone = run("--seed", "3")
    again = run("--seed", "3")

    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert alone.stdout == again.stdout


def test_earlier_seeds_do_not_change_a_seed() -> None:
    several = run("--seeds", "500", "--without", "code-free")

    (seed, violation), *_ = re.findall(r"^seed (\d+): Violation\(['\"](.{20})", several.stdout, re.MULTILINE)
    alone = run("--seed", seed, "--without", "code-free")
    assert alone.returncode == 1
    assert alone.stdout.splitlines()[-1].startswith(f"seed {seed}: {violation}")


@pytest.mark.parametrize("guard", NOTICED_SOON)
def test_a_removed_guard_is_detected(guard: str) -> None:
    finished = run("--seeds", str(SEEDS_UNTIL_NOTICED), "--without", guard)

    assert finished.returncode == 1, f"nothing broke without {guard}"
    assert "Violation(" in finished.stdout or "500" in finished.stdout, finished.stdout + finished.stderr
