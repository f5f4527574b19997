"""The local stack as one object, for `make run` and for the tests."""

import http.client
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from infrastructure import deployed, migrate, package, stacks, tasks_move
from infrastructure import template as templates
from infrastructure.local import addresses, deploy, gateway, websockets
from infrastructure.local.addresses import DATA, Addresses
from infrastructure.local.clients import local_client
from infrastructure.local.edge import Route
from infrastructure.local.errors import DeploymentFailed, DiskFull, ServerFailed, TemplateInvalid
from infrastructure.local.ministack import HOST, Server
from infrastructure.local.state import FULL

KEPT_ARCHIVES = DATA / "build"

# On AWS the tables refuse to be deleted; here the data is in a folder that anybody can delete.
PARAMETERS = {"DeletionProtection": "false"}

_HEALTHY_SECONDS = 60


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
        before: a deployment that failed or was broken off leaves no trace. But where tasks have to be copied to their
        new table, the version that does it stays, with its routes of tasks closed, and the next start continues.
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
        values = templates.local_values(template) | self._parameters
        archives = package.build(template, self._template.parent, KEPT_ARCHIVES, self._progress)
        self._progress(f"Deploying {self._template.name}")
        live_url = f"ws://{HOST}:{self._server.port}{websockets.PATH}"
        local = websockets.with_local_addresses(template, self._server.aws_endpoint, live_url)
        outputs = deploy.deploy(self._server.aws_endpoint, local, archives, values, self._keep_archives)
        client = local_client("apigateway", self._server.aws_endpoint)
        values = templates.parameter_values(template, values)
        template = templates.decided(template, values, template)
        gateway.complete(client, outputs["ApiId"], template, values)
        if "LiveApiId" in outputs:
            websockets.complete(local_client("apigatewayv2", self._server.aws_endpoint), outputs["LiveApiId"], template)
        responses = gateway.gateway_responses(template)
        stage, compressed_from = gateway.stage_name(template), gateway.compressed_from(template)
        Route.write(self._server.route, outputs["ApiId"], stage, responses, compressed_from, outputs.get("LiveApiId"))
        return Addresses(f"http://{HOST}:{self._server.port}", self._server.aws_endpoint, outputs)

    def _start(self) -> Addresses:
        self._progress("Starting the server")
        if replaced := self._server.start():
            self._progress(replaced)
        try:
            before = self._deployed_before()
            moving = before is not None and tasks_move.is_due(*before)
            found = self.deploy(tasks_move.CLOSED if moving else None)
            self._await_health()
            addresses.write(self.data_directory, found)
            self._server.keep()
            if moving:
                self._copy_tasks(found, begun=before is not None and tasks_move.is_begun(before[1]))
                found = self.deploy(tasks_move.OPEN)
                addresses.write(self.data_directory, found)
            if before is not None:
                self._migrate(found)
        except BaseException:
            self.kill()
            raise
        return found

    def _deployed_before(self) -> tuple[dict[str, Any], dict[str, str]] | None:
        """The template and the parameters of the version that left the data; None for a new folder."""
        cloudformation = local_client("cloudformation", self._server.aws_endpoint)
        found = stacks.described(cloudformation, deploy.STACK)
        return None if found is None else (stacks.template(cloudformation, deploy.STACK), stacks.parameters(found))

    def _copy_tasks(self, running: Addresses, *, begun: bool) -> None:
        """Raises DeploymentFailed. The next start continues."""
        self._progress("Copying tasks to their new table")
        try:
            tasks_move.copy(
                deployed.functions(running.client),
                running.outputs["MigrationsFunction"],
                begun=begun,
                progress=self._progress,
            )
        except migrate.MigrationFailed as error:
            raise DeploymentFailed(str(error)) from error

    def _migrate(self, running: Addresses) -> None:
        """Raises DeploymentFailed. The next start continues. A template without migrations has none."""
        function = running.outputs.get("MigrationsFunction")
        if function is None:
            return
        try:
            migrate.finish(deployed.functions(running.client), function, self._progress)
        except migrate.MigrationFailed as error:
            raise DeploymentFailed(str(error)) from error

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
            addresses.forget(self.data_directory)

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


def _load(template: Path) -> dict[str, Any]:
    try:
        return templates.load(template)
    except (OSError, yaml.YAMLError) as error:
        raise TemplateInvalid(f"{template.name} cannot be read: {' '.join(str(error).split())}") from error
