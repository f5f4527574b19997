"""The local stack as one object, for `make run` and for the tests."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from botocore.config import Config

from infrastructure import package
from infrastructure import template as templates
from infrastructure.local import deploy, gateway
from infrastructure.local.clients import ACCESS_KEY, local_client
from infrastructure.local.edge import Route
from infrastructure.local.errors import DeploymentFailed, DiskFull, NotRunning, ServerFailed, TemplateInvalid
from infrastructure.local.ministack import HOST, Server
from infrastructure.local.state import FULL

DATA = templates.REPOSITORY / ".local"
KEPT_ARCHIVES = DATA / "build"

# On AWS the tables refuse to be deleted; here the data is in a folder that anybody can delete.
PARAMETERS = {"DeletionProtection": "false"}

_HEALTHY_SECONDS = 60


@dataclass(frozen=True)
class Addresses:
    """Where a running stack is. ``outputs``: those of the CloudFormation stack, by name."""

    api_url: str
    aws_endpoint: str
    outputs: dict[str, str]

    def client(self, service: str, access_key: str = ACCESS_KEY, *, config: Config | None = None) -> Any:
        """An AWS client of this stack, such as ``client("dynamodb")``; its root user's, if not said otherwise."""
        return local_client(service, self.aws_endpoint, access_key, config)


class LocalStack:
    """AWS on this machine with TaskSync deployed on it. One at a time for one data directory.

    ``port``: of the API; 0 for any free one. ``parameters``: template parameters that differ from ``PARAMETERS``.
    ``progress`` is called with a line for each step. ``dynamodb_endpoint``: where the functions find DynamoDB, if not
    on this AWS. ``keep_archives``: versions that were deployed can be put back. Also a context manager: started on
    entry, stopped on exit.
    """

    def __init__(
        self,
        port: int = 0,
        data_directory: Path = DATA,
        parameters: Mapping[str, str] | None = None,
        template: Path = templates.PATH,
        progress: Callable[[str], None] = lambda _: None,
        dynamodb_endpoint: str | None = None,
        keep_archives: bool = False,
    ) -> None:
        self.data_directory = data_directory
        self._template = template
        self._parameters = PARAMETERS | dict(parameters or {})
        self._progress = progress
        self._keep_archives = keep_archives
        self._server = Server(port, data_directory, dynamodb_endpoint)

    @property
    def aws_port(self) -> int:
        """Of the AWS endpoint, once the stack is starting; 0 before."""
        return self._server.aws_port

    def start(self) -> Addresses:
        """Brings it up with the data that was saved, deploys the code as it is now, waits for health.

        Raises a LocalStackError. Then, or if it is interrupted, nothing is left running, and the data is as it was
        before: a deployment that failed or was broken off leaves no trace.
        """
        try:
            return self._start()
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull(self.data_directory) from error
            raise

    def deploy(self, parameters: Mapping[str, str] | None = None) -> Addresses:
        """Deploys the code and the template as they are now; ``parameters`` change those given so far."""
        self._parameters |= dict(parameters or {})
        template = _load(self._template)
        values = templates.generous_limits(template) | self._parameters
        archives = package.build(template, self._template.parent, KEPT_ARCHIVES, self._progress)
        self._progress(f"Deploying {self._template.name}")
        outputs = deploy.deploy(self._server.aws_endpoint, template, archives, values, self._keep_archives)
        client = local_client("apigateway", self._server.aws_endpoint)
        values = templates.parameter_values(template, values)
        template = templates.decided(template, values, template)
        gateway.complete(client, outputs["ApiId"], template, values)
        responses = gateway.gateway_responses(template)
        stage, compressed_from = gateway.stage_name(template), gateway.compressed_from(template)
        Route.write(self._server.route, outputs["ApiId"], stage, responses, compressed_from)
        return Addresses(f"http://{HOST}:{self._server.port}", self._server.aws_endpoint, outputs)

    def _start(self) -> Addresses:
        self._progress("Starting the server")
        if replaced := self._server.start():
            self._progress(replaced)
        try:
            addresses = self.deploy()
            self._await_health()
            _write_addresses(self.data_directory, addresses)
            self._server.keep()
        except BaseException:
            self.kill()
            raise
        return addresses

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self._server.alive()

    def reports(self) -> list[str]:
        """Sentences for the person at the terminal since the last call: that data cannot be saved, or can be again."""
        return self._server.reports()

    def stop(self) -> None:
        """Stops it in order: its data is written, no process is left."""
        self._forget_addresses()
        self._server.stop()

    def kill(self) -> None:
        """Stops it as a power cut would: what changed in the last two seconds may be lost, no process is left."""
        self._forget_addresses()
        self._server.kill()

    def __enter__(self) -> Addresses:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _forget_addresses(self) -> None:
        if self._server.holds_data:
            _addresses_file(self.data_directory).unlink(missing_ok=True)

    def _await_health(self) -> None:
        self._progress("Waiting for GET /health")
        deadline = time.monotonic() + _HEALTHY_SECONDS
        last_result = "nothing"
        while time.monotonic() < deadline:
            if not self.alive():
                raise ServerFailed(f"The server ended while the service started; its log is {self._server.log}.")
            connection = http.client.HTTPConnection(HOST, self._server.port, timeout=_HEALTHY_SECONDS)
            try:
                connection.request("GET", "/health")
                response = connection.getresponse()
                if response.status == 200:
                    return
                last_result = str(response.status)
            except OSError as error:
                last_result = str(error)
            finally:
                connection.close()
            time.sleep(0.5)
        raise DeploymentFailed(
            f"GET /health did not answer 200 within {_HEALTHY_SECONDS} s, but {last_result}; "
            f"the reason may be at the end of {self._server.log}."
        )


def running_addresses(data_directory: Path = DATA) -> Addresses:
    """Where the stack with this data runs. Raises NotRunning."""
    try:
        content = json.loads(_addresses_file(data_directory).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotRunning from None
    addresses = Addresses(**content)
    connection = http.client.HTTPConnection(addresses.api_url.removeprefix("http://"), timeout=5)
    try:
        connection.connect()
    except OSError:
        # Left behind by a stack that was killed.
        raise NotRunning from None
    finally:
        connection.close()
    return addresses


def _load(template: Path) -> dict[str, Any]:
    try:
        return templates.load(template)
    except (OSError, yaml.YAMLError) as error:
        raise TemplateInvalid(f"{template.name} cannot be read: {' '.join(str(error).split())}") from error


def _addresses_file(data_directory: Path) -> Path:
    return data_directory / "stack.json"


def _write_addresses(data_directory: Path, addresses: Addresses) -> None:
    file = _addresses_file(data_directory)
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(addresses), indent=2), encoding="utf-8")
    temporary.replace(file)
