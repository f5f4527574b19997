"""`make sam-local`: the functions in containers, under `sam local start-api`, with moto for everything else of AWS.

Beside it run `sam local start-lambda`, which calls functions by name, and a pump that hands over stream records.
"""

import argparse
import contextlib
import http.client
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from botocore.config import Config

from infrastructure import package
from infrastructure import template as templates
from infrastructure.emulation import derived, moto_server, pump
from infrastructure.emulation.variables import all_variables, of_aws
from infrastructure.local.addresses import DATA
from infrastructure.local.clients import local_client
from infrastructure.local.errors import LocalStackError, PortTaken, ServerFailed
from infrastructure.local.run import port_number
from infrastructure.local.stack import KEPT_ARCHIVES

HOST = "127.0.0.1"
SAM = templates.REPOSITORY / ".venv-deploy" / "bin" / "sam"

# By which a container reaches this machine; Docker's own name for it.
_THIS_MACHINE = "host.docker.internal"

# SAM CLI waits up to a second for the output of each invocation that prints anything.
_PARAMETERS = {"LogLevel": "ERROR"}

_START_SECONDS = 60
_STOP_SECONDS = 30
# A function that starts: its image is built first.
_INVOKE_SECONDS = 180

_GREETING = """
TaskSync answers at {api} (SAM local; each function's first request starts its container)
Functions by name: curl {functions}/2015-03-31/functions/SweeperFunction/invocations -d '{{}}'
AWS calls go to {aws} (moto; access key and secret key: local; region us-east-1).
SAM logs to {logs}/start-api.log and {logs}/start-lambda.log.
Ctrl-C stops it; the data is in memory and goes with it. What it does not emulate: docs/guides/run-locally.md
"""


class DockerMissing(LocalStackError):
    def __init__(self) -> None:
        super().__init__("SAM local runs functions in containers, and no Docker daemon answers: start Docker first.")


@dataclass(frozen=True)
class Running:
    """Where it is: URLs on this machine. ``logs``: a file for each of its processes."""

    api: str
    functions: str
    aws: str
    logs: Mapping[Path, subprocess.Popen[bytes]]

    def check(self) -> None:
        """Raises ServerFailed if one of the processes has ended."""
        for log, process in self.logs.items():
            if process.poll() is not None:
                raise ServerFailed(f"sam local {log.stem} ended by itself; its log is {log}.")


@contextlib.contextmanager
def running(
    port: int,
    folder: Path,
    parameters: Mapping[str, str] = MappingProxyType({}),
    image: str = "",
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Running]:
    """SAM local with a seeded moto, on this port and the two after it; stopped on exit.

    ``folder`` has the derived template, the code and the logs. ``parameters``: of the template. ``image``: in place of
    AWS's own of the runtime, which SAM CLI pulls. Raises LocalStackError.
    """
    gateway = _gateway_of_containers()
    template = templates.load()
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    runtime = template["Globals"]["Function"]["Runtime"]
    archives = package.build(
        template, templates.REPOSITORY, KEPT_ARCHIVES, progress, package.Target(machine, runtime.removeprefix("python"))
    )
    with contextlib.ExitStack() as started:
        progress("Starting moto")
        # Where containers reach it, and nobody outside of this machine.
        aws = started.enter_context(moto_server.serving(gateway or HOST, port + 2))
        endpoint = f"http://{_THIS_MACHINE}:{port + 2}"
        given = all_variables(template, endpoint, _PARAMETERS | dict(parameters))
        written, variables = derived.derive(template, given, machine)
        _write(folder, written, variables, archives)
        progress("Starting sam local start-api and start-lambda")
        options = ["--invoke-image", image, "--skip-pull-image"] if image else []
        logs = {
            folder / f"{kind}.log": started.enter_context(_sam(kind, at, folder, options))
            for kind, at in (("start-api", port), ("start-lambda", port + 1))
        }
        found = Running(f"http://{HOST}:{port}", f"http://{HOST}:{port + 1}", aws, logs)
        started.enter_context(_pumping(template, found, progress))
        yield found


def _gateway_of_containers() -> str | None:
    """The address under which containers reach this machine; None where that is 127.0.0.1, as in Docker Desktop.

    Raises DockerMissing.
    """
    inspect = ["docker", "network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{.Gateway}}{{end}}"]
    try:
        found = subprocess.run(inspect, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise DockerMissing from None
    if found.returncode != 0:
        raise DockerMissing
    return found.stdout.strip() if platform.system() == "Linux" else None


def _write(
    folder: Path,
    template: Mapping[str, object],
    variables: Mapping[str, Mapping[str, str]],
    archives: Mapping[str, Path],
) -> None:
    code = folder / "code"
    shutil.rmtree(code, ignore_errors=True)
    for name, archive in archives.items():
        with zipfile.ZipFile(archive) as file:
            file.extractall(code / name)
    for name in derived.authorizers(templates.load()):
        shutil.copy(Path(__file__).with_name("local_authorizer.py"), code / name)
    placed = derived.with_folders(template, {name: f"code/{name}" for name in archives})
    (folder / "template.json").write_text(json.dumps(placed, indent=1), encoding="utf-8")
    (folder / "variables.json").write_text(json.dumps(variables, indent=1), encoding="utf-8")


@contextlib.contextmanager
def _sam(kind: str, port: int, folder: Path, options: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """`sam local start-api` or `start-lambda`, once it answers. Raises ServerFailed or PortTaken."""
    if _responds(port):
        raise PortTaken(port)
    log = folder / f"{kind}.log"
    command = [
        *(str(SAM), "local", kind, "--template", str(folder / "template.json"), "--host", HOST, "--port", str(port)),
        *("--env-vars", str(folder / "variables.json"), "--add-host", f"{_THIS_MACHINE}:host-gateway"),
        *("--warm-containers", "LAZY", "--no-watch", "--layer-cache-basedir", str(folder / "layers"), *options),
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    isolated = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    environment = kept | of_aws(f"http://{HOST}:{port}") | isolated | {"SAM_CLI_TELEMETRY": "0"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _responds(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"sam local {kind} did not start; its log is {log}.")
            time.sleep(0.2)
        yield process
    finally:
        # It removes its containers then.
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _responds(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/nowhere")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True


@contextlib.contextmanager
def _pumping(template: Mapping[str, object], found: Running, report: Callable[[str], None]) -> Iterator[None]:
    dynamodb, streams = local_client("dynamodb", found.aws), local_client("dynamodbstreams", found.aws)
    functions = local_client("lambda", found.functions, config=Config(read_timeout=_INVOKE_SECONDS))
    shards = [pump.Shard(each, dynamodb, streams, functions, report) for each in pump.mappings(template)]
    stopped = threading.Event()
    thread = threading.Thread(target=pump.pump, args=(shards, stopped))
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="8000", help="of the API; the next two are used, too (default 8000)")
    parser.add_argument("--image", default="", help="of the Lambda runtime, in place of AWS's own")
    arguments = parser.parse_args()
    folder, stopped, begun = DATA / "sam-local", threading.Event(), time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)

    def progress(line: str) -> None:
        print(f"[{time.monotonic() - begun:5.1f} s] {line}", flush=True)

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: stopped.set())
    try:
        with running(
            port_number(arguments.port, highest=65533), folder, image=arguments.image, progress=progress
        ) as found:
            logs = folder.relative_to(templates.REPOSITORY)
            print(_GREETING.format(api=found.api, functions=found.functions, aws=found.aws, logs=logs), flush=True)
            while not stopped.wait(1):
                found.check()
            print("\nStopping", flush=True)
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
