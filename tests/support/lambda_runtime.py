"""Built functions under AWS's own runtime client, as Lambda runs them.

Lambda's side is a double of its Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import queue
import subprocess
import threading
import time
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from infrastructure.template import REPOSITORY

# Has what Lambda's Python has, and nothing else: tests/journeys/requirements.txt.
PYTHON = REPOSITORY / ".venv-lambda" / "bin" / "python"

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a function answered, or the error that it reported: ``errorMessage``, ``errorType``, ``stackTrace``."""

    response: Any = None
    error: Any = None


class BuiltFunction:
    """A process that runs a function from its archives. A context manager: the process ends on exit.

    ``variables``: the environment variables of the function's configuration.
    """

    def __init__(self, handler: str, archives: Sequence[Path], variables: Mapping[str, str], folder: Path) -> None:
        """``archives``: the function's, then those of its layers. They are unpacked into ``folder``."""
        self._task, layers = folder / "task", folder / "opt"
        for archive, place in zip(archives, [self._task, *[layers] * (len(archives) - 1)], strict=True):
            with zipfile.ZipFile(archive) as file:
                file.extractall(place)
        self._handler = handler
        self._api = _RuntimeApi()
        self._environment = {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_LAMBDA_FUNCTION_NAME": handler,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_port}",
            "AWS_REGION": REGION,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "LAMBDA_TASK_ROOT": str(self._task),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{self._task}:{layers / 'python'}",
            "TZ": ":UTC",
            "_HANDLER": handler,
            **variables,
        }

    def __enter__(self) -> "BuiltFunction":
        self._serving = threading.Thread(target=self._api.serve_forever, kwargs={"poll_interval": 0.05})
        self._serving.start()
        self._process = subprocess.Popen(  # noqa: S603  # the function under test
            [PYTHON, "-m", "awslambdaric", self._handler],
            cwd=self._task,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._api.events.put(None)
        self._api.shutdown()
        self._serving.join()
        self._api.server_close()

    def invoke(self, event: Mapping[str, Any], seconds: float = 20.0) -> Outcome:
        """The outcome of one event, for which the function is told that it has ``seconds``."""
        self._api.events.put((json.dumps(event).encode(), seconds))
        return self._api.outcomes.get(timeout=_SECONDS)

    def failure_to_start(self) -> Any:
        """The error that the function reported instead of asking for events."""
        return self._api.outcomes.get(timeout=_SECONDS).error


class _RuntimeApi(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.events: queue.Queue[tuple[bytes, float] | None] = queue.Queue()
        self.outcomes: queue.Queue[Outcome] = queue.Queue()


class _Exchange(BaseHTTPRequestHandler):
    server: _RuntimeApi
    protocol_version = "HTTP/1.1"
    # Head and body go together: apart, the second would wait for the first to be acknowledged.
    wbufsize = -1

    def do_GET(self) -> None:
        """The next event; the function waits for it."""
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        body, seconds = event
        deadline = int((time.time() + seconds) * 1000)
        fields = {
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:built:live",
            "Content-Type": "application/json",
        }
        self._respond(200, fields, body)

    def do_POST(self) -> None:
        """A response, or an error of an event or of the start."""
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        failed = self.path.endswith("/error")
        self.server.outcomes.put(Outcome(error=said) if failed else Outcome(response=said))
        self._respond(202, {}, b"")

    def _respond(self, status: int, fields: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has above
        """Says nothing: a request is no news."""
