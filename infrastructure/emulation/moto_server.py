"""`make moto`: a moto server with the tables, secrets and queues of ``template.yaml``, for functions in a debugger.

moto is not safe under threads: writes beside a transaction that is refused are lost. So its application answers one
request at a time, and connections wait their turn.
"""

import argparse
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from infrastructure import template as templates
from infrastructure.emulation import seed
from infrastructure.emulation.variables import all_variables
from infrastructure.local.addresses import DATA
from infrastructure.local.errors import LocalStackError, PortTaken
from infrastructure.local.run import port_number

HOST = "127.0.0.1"

_GREETING = """
moto answers at {endpoint} (access key and secret key: local; region us-east-1)
with the tables, secrets and queues of template.yaml. It keeps its data in memory: Ctrl-C ends both.

The environment variables of each function are in {folder}/<function>.env.
A function in this process, for a debugger:

    .venv/bin/python -m infrastructure.emulation.invoke HealthFunction EVENT.json --variables {folder}

More: docs/guides/run-locally.md
"""


@contextmanager
def serving(host: str, port: int) -> Iterator[str]:
    """A seeded moto server in this process; its endpoint. ``port``: 0 for any free one. Raises PortTaken."""
    application, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def one_at_a_time(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with lock:
            return list(application(environment, start_response))

    try:
        listening = socket.create_server((host, port))
    except OSError:
        raise PortTaken(port) from None
    with listening:
        endpoint = f"http://{host}:{listening.getsockname()[1]}"
        server = make_server(host, port, one_at_a_time, threaded=True, request_handler=_Quiet, fd=listening.fileno())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        seed.seed(templates.load(), endpoint)
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(MotoRequestHandler):
    """Says nothing of requests, and keeps connections open as boto3 expects it."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  # the name it has above
        if type == "error":
            super().log(type, message, *args)


def write_variables(folder: Path, endpoint: str) -> None:
    """A file for each function, as shells and IDEs read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for function, variables in all_variables(templates.load(), endpoint).items():
        lines = [f'{name}="{value}"\n' for name, value in variables.items()]
        (folder / f"{function}.env").write_text("".join(lines), encoding="utf-8")


def _shown(path: Path) -> Path:
    """As short as it is from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="5000", help="port on 127.0.0.1 (default 5000)")
    parser.add_argument("--variables", type=Path, default=DATA / "moto", help="folder for those of the functions")
    arguments = parser.parse_args()
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    try:
        with serving(HOST, port_number(arguments.port)) as endpoint:
            write_variables(arguments.variables, endpoint)
            print(_GREETING.format(endpoint=endpoint, folder=_shown(arguments.variables)), flush=True)
            stopped.wait()
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
