"""A client that openapi-python-client makes of the description, without a warning, goes through the whole journey."""

import os
import subprocess
from pathlib import Path

from infrastructure.openapi import file
from infrastructure.template import REPOSITORY
from tests.journeys.service import Service

TOOLS = REPOSITORY / ".venv-fuzz" / "bin"
JOURNEY = Path(__file__).parent / "client_journey.py"


def test_a_generated_client_goes_from_registration_to_the_end_of_a_room(service: Service, tmp_path: Path) -> None:
    # The generator formats what it makes with a program that it expects on the PATH.
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(tmp_path)}
    generator = [str(TOOLS / "openapi-python-client"), "generate", "--fail-on-warning", "--meta=none"]
    where = ["--path", str(file.PATH), "--output-path", str(tmp_path / "task_sync_client")]

    made = _run([*generator, *where], environment)
    gone = _run([str(TOOLS / "python"), str(JOURNEY), service.addresses.api_url], environment)

    assert made.returncode == 0, made.stdout + made.stderr
    assert gone.returncode == 0, gone.stdout + gone.stderr


def _run(command: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # a program of our own choice
