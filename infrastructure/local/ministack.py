"""The server process: started on bound sockets, awaited, stopped with its state saved, or killed."""

import contextlib
import fcntl
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from infrastructure.local.clients import ACCESS_KEY, REGION, SECRET_KEY
from infrastructure.local.errors import LocalStackError, PortTaken, ServerFailed
from infrastructure.local.state import State
from infrastructure.template import REPOSITORY

HOST = "127.0.0.1"
_START_SECONDS = 60
_STOP_SECONDS = 60


class Server:
    """One server process, and the directory that keeps its data.

    ``port``: of the API; 0 for any free one. The AWS endpoint gets the next free port. ``dynamodb_endpoint``: where the
    functions find DynamoDB, if not at the AWS endpoint.
    """

    def __init__(self, port: int, data_directory: Path, dynamodb_endpoint: str | None = None) -> None:
        self.port = port
        self._dynamodb_endpoint = dynamodb_endpoint
        self.aws_port = 0
        self.route = data_directory / "route.json"
        self.log = data_directory / "logs" / "ministack.log"
        self._state = data_directory / "state"
        self._reports: IO[bytes] | None = None
        self._data = data_directory
        self._temporary = data_directory / "tmp"
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def aws_endpoint(self) -> str:
        return f"http://{HOST}:{self.aws_port}"

    def start(self) -> str | None:
        """Returns a sentence if what was saved was damaged and its copy is used.

        Raises PortTaken, ServerFailed, StateDamaged, DiskFull, or LocalStackError if the data is in use.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self._data / "lock")
        try:
            with _listen(self.port) as api, _listen_near(api.getsockname()[1] + 1) as aws:
                self.port, self.aws_port = api.getsockname()[1], aws.getsockname()[1]
                replaced = State(self._state).prepare()
                self._spawn(api, aws, self._lock)
            self._await_readiness()
        except BaseException:
            self.kill()
            raise
        return replaced

    def keep(self) -> None:
        """From now on what changes is saved, and what functions had yet to process before the start is handed on."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()

    @property
    def holds_data(self) -> bool:
        """Whether the data directory is this server's, and not that of another one that runs."""
        return self._lock is not None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def reports(self) -> list[str]:
        """Sentences for the person at the terminal that have come since the last call."""
        read = self._reports.read() if self._reports is not None else None
        return (read or b"").decode().splitlines()

    def stop(self) -> None:
        """Ends the process and its workers in order: what they keep is written. Raises ServerFailed if it is not."""
        if self._process is not None and self.alive():
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                raise ServerFailed(
                    f"The server did not stop within {_STOP_SECONDS} s and was killed; "
                    f"what changed in the last seconds may be lost, see {self.log}."
                ) from None
            if self._process.returncode:
                unsaved = self.reports()[-1:] or [f"The server did not end in order; its log is {self.log}."]
                self.kill()
                raise ServerFailed(*unsaved)
        self.kill()

    def kill(self) -> None:
        """Ends the process and its workers at once: what changed in the last two seconds may be lost."""
        if self._process is not None:
            # It leads a process group, to which the workers of the functions belong.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
            self._process = None
        if self._reports is not None:
            self._reports.close()
            self._reports = None
        if self._lock is not None:
            self.route.unlink(missing_ok=True)
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._lock.close()
            self._lock = None

    def _spawn(self, api: socket.socket, aws: socket.socket, lock: IO[str]) -> None:
        self.route.unlink(missing_ok=True)
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._reports = os.fdopen(reading, "rb")
        with self.log.open("wb") as log, os.fdopen(writing, "wb") as reports:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "infrastructure.local.server", "--route", str(self.route)),
                    *("--api-socket", str(api.fileno()), "--aws-socket", str(aws.fileno())),
                    *("--logs", str(self.log.parent), "--state", str(self._state)),
                    *("--reports", str(reports.fileno())),
                ],
                cwd=REPOSITORY,
                env=self._environment(),
                # Open for as long as this program lives, and no longer; see keep().
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                # The lock goes with it, so that no other start uses the data before the last of the two has ended.
                pass_fds=(api.fileno(), aws.fileno(), reports.fileno(), lock.fileno()),
                # Ctrl-C at the terminal is for the program that started it, which then stops it in order.
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        """Of the server and of the functions' workers, which inherit it: nothing of the developer's AWS settings."""
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL")}
        if self._dynamodb_endpoint is not None:
            inherited["AWS_ENDPOINT_URL_DYNAMODB"] = self._dynamodb_endpoint
        return inherited | {
            # Every call is held against the policies of whoever makes it; our own clients are the account's root.
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.aws_endpoint,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.aws_port),
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "PYTHONUNBUFFERED": "1",
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(self._state),
            "TMPDIR": str(self._temporary),
        }

    def _await_readiness(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.alive():
                raise ServerFailed(f"The server ended while it started; its log is {self.log}.")
            connection = http.client.HTTPConnection(HOST, self.aws_port, timeout=5)
            try:
                connection.request("GET", "/_ministack/ready")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            time.sleep(0.05)
        raise ServerFailed(f"The server was not ready after {_START_SECONDS} s; its log is {self.log}.")


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(128)
    except PermissionError:
        listening.close()
        raise LocalStackError(f"Port {port} needs rights that you do not have; choose another with PORT=.") from None
    except OSError:
        listening.close()
        raise PortTaken(port) from None
    return listening


def _listen_near(port: int) -> socket.socket:
    try:
        return _listen(port)
    except (LocalStackError, OverflowError):
        return _listen(0)


def _lock(path: Path) -> IO[str]:
    """The lock on the data. Waits for a server whose starter has gone and that is still saving its state."""
    file = path.open("a+", encoding="utf-8")
    deadline = time.monotonic() + _STOP_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            file.seek(0)
            if _running(file.read()) or time.monotonic() > deadline:
                file.close()
                raise LocalStackError(
                    f"Another local stack is running with the data in {path.parent}; stop it first."
                ) from None
            time.sleep(0.1)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
