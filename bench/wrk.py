"""The load generator: Debian's wrk (https://github.com/wg/wrk), which sends a request as soon as one is answered."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_suffix(".lua")
_PATIENCE_SECONDS = 30


class RequestFailed(Exception):
    """Something was not answered, or with another status than it should have been."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request, the status of its response, and the caller's access token."""

    method: str
    path: str
    status: int
    token: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """``rate``: requests per second. ``mean``, ``p50``, ``p99``: of their times, in seconds."""

    requests: int
    rate: float
    mean: float
    p50: float
    p99: float


def found() -> bool:
    return shutil.which("wrk") is not None


def run(url: str, question: Question, connections: int, seconds: int) -> Load:
    """Ask the same for so long on so many connections at once. Raises RequestFailed if one response was another."""
    command = ["wrk", f"--connections={connections}", "--threads=1", f"--duration={seconds}s"]
    command += [
        f"--timeout={_PATIENCE_SECONDS}s",
        f"--script={_SCRIPT}",
        f"--header=Authorization: Bearer {question.token}",
    ]
    command += ["--header=Content-Type: application/json"] if question.body else []
    command += [url + question.path, "--", question.method, str(question.status)]
    command += [question.body] if question.body else []
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told = json.loads(output.splitlines()[-1])
    if told["failed"] or not told["requests"]:
        raise RequestFailed(f"{question.method} {url}{question.path}: {told}")
    rate = told["requests"] * 1e6 / told["duration"]
    return Load(told["requests"], rate, *(told[name] / 1e6 for name in ("mean", "p50", "p99")))
