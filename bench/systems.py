"""What answers the same requests, each in processes of its own: the local stack, the plain and the relational way."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import processes
from infrastructure.local.addresses import Addresses
from infrastructure.local.clients import ACCESS_KEY, REGION, SECRET_KEY
from infrastructure.local.stack import LocalStack
from infrastructure.template import REPOSITORY

FURTHER = REPOSITORY / ".venv-bench" / "bin" / "python"
"""Has what the relational way needs; see bench/requirements.txt."""

# PostgreSQL refuses to run as root.
_UNPRIVILEGED = "nobody"

_START_SECONDS = 30
_HOST = "127.0.0.1"

Cpu = Callable[[], float]
"""That processes have taken so far, in seconds."""


@dataclass(frozen=True)
class System:
    """``cpu``: by what the processes do."""

    url: str
    cpu: Mapping[str, Cpu]


@contextmanager
def local_stack(folder: Path, parameters: Mapping[str, str]) -> Iterator[tuple[System, Addresses]]:
    """As `make run` starts it."""
    with LocalStack(0, folder, parameters) as addresses:
        [server] = [
            pid for pid in processes.family(os.getpid()) if processes.running(pid, "infrastructure.local.server")
        ]

        def of_functions() -> float:
            """Those that response requests for tasks. Each runs in the folder of its function's code."""
            family = processes.family(server)
            return processes.cpu_seconds(pid for pid in family if _in_folder_with(pid, ("tasks_api", "authorizer")))

        def of_server() -> float:
            return processes.cpu_seconds([server])

        yield System(addresses.api_url, {"functions": of_functions, "local AWS": of_server}), addresses


def _in_folder_with(pid: int, names: tuple[str, ...]) -> bool:
    return any(Path(f"/proc/{pid}/cwd", name).is_dir() for name in names)


@contextmanager
def plain(addresses: Addresses, key: str) -> Iterator[System]:
    """On the local stack's DynamoDB. ``key``: a JWK that tokens are verified with."""
    environment = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": addresses.aws_endpoint,
        "ROOMS_TABLE": addresses.outputs["RoomsTable"],
        "TASKS_TABLE": addresses.outputs["TasksTableV2"],
        "TOKEN_KEY": key,
    }
    port = _free_port()
    with _running([sys.executable, "-m", "bench.rivals.chalice_local", str(port)], environment, port) as pid:
        yield System(f"http://{_HOST}:{port}", {"server": lambda: processes.cpu_seconds_of_family(pid)})


@contextmanager
def relational(key: str, content: Mapping[str, Any]) -> Iterator[System]:
    """On a PostgreSQL of its own, as it is set up by itself. ``content``: of the tables."""
    with _postgresql() as (url, postmaster), tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        environment = {"DATABASE_URL": url, "TOKEN_KEY": key}
        json.dump(content, file)
        file.flush()
        command = [str(FURTHER), "-m", "bench.rivals.relational", file.name]
        subprocess.run(command, cwd=REPOSITORY, env=_with(environment), check=True)
        port = _free_port()
        command = [str(FURTHER), "-m", "uvicorn", "bench.rivals.relational:app", f"--port={port}", "--no-access-log"]
        command += [f"--workers={os.cpu_count()}", "--log-level=warning"]
        with _running(command, environment, port) as pid:
            cpu = {
                "server": lambda: processes.cpu_seconds_of_family(pid),
                "PostgreSQL": lambda: processes.cpu_seconds_of_family(postmaster),
            }
            yield System(f"http://{_HOST}:{port}", cpu)


def postgresql_programs() -> Path | None:
    """The folder of initdb and pg_ctl: on the PATH, or where Debian has them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


@contextmanager
def _postgresql() -> Iterator[tuple[str, int]]:
    """The URL of a database, on a socket in a folder of its own, and the server's process."""
    programs = postgresql_programs()
    assert programs is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "postgresql")
        folder.mkdir()
        user = None
        if os.geteuid() == 0:
            user = _UNPRIVILEGED
            shutil.chown(name, user)
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), f"--pgdata={folder}", *arguments]
            subprocess.run(command, cwd=folder, user=user, stdout=subprocess.DEVNULL, check=True)

        run("initdb", "--username=bench", "--auth=trust", "--encoding=UTF8", "--no-locale")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
        run("pg_ctl", "--wait", f"--options={options}", f"--log={folder / 'log'}", "start")
        try:
            postmaster = int((folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
            yield f"postgresql+psycopg://bench@/postgres?host={folder}", postmaster
        finally:
            run("pg_ctl", "--wait", "--mode=immediate", "stop")


@contextmanager
def _running(command: list[str], environment: Mapping[str, str], port: int) -> Iterator[int]:
    """A server's process, once it listens."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=_with(environment), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"{' '.join(command)} does not listen: {log.read().decode()}")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()
            process.wait(_START_SECONDS)


def _with(environment: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
    return inherited | dict(environment)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((_HOST, port)) == 0


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
