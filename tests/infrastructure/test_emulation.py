"""The commands of docs/guides/run-locally.md end with one sentence where they cannot do what they are for."""

import subprocess
import sys
from pathlib import Path

import pytest

from infrastructure.template import REPOSITORY


@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        ("seed", ["--endpoint", "nonsense"], "'nonsense' is no endpoint; give ENDPOINT= a URL such as"),
        ("seed", ["--endpoint", "http://127.0.0.1:1"], 'http://127.0.0.1:1: Could not connect to the endpoint URL: "'),
        ("moto_server", ["--port", "80000"], "80000 is not a port; give PORT= a number from 1 to 65535."),
        ("sam_local", ["--port", "65534"], "65534 is not a port; give PORT= a number from 1 to 65533."),
        ("sam_local", [], "SAM local runs functions in containers, and no Docker daemon answers: start Docker first."),
    ],
)
def test_a_command_that_cannot_start_reports_the_cause(
    module: str, arguments: list[str], said: str, tmp_path: Path
) -> None:
    ended = subprocess.run(  # noqa: S603  # the command under test
        [sys.executable, "-m", f"infrastructure.emulation.{module}", *arguments],
        cwd=REPOSITORY,
        # Without Docker's client, as without its daemon.
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(said)
    assert len(ended.stderr.splitlines()) == 1
