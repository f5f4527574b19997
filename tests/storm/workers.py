"""The processes in which a local stack runs its functions: found, and killed as a fault of the machine would."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PS = ["ps", "-A", "-ww", "-o", "pid=,etime=,time=,state=,args="]
_STARTED_CPU_SECONDS = 3
_STARTED_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Worker:
    """One process. ``function`` is the function's name in the template, ``age`` how many seconds ago it was started.

    ``cpu_seconds``: the processor time that it has used; ``waits``: for a request, or for DynamoDB.
    """

    pid: int
    function: str
    age: int
    cpu_seconds: int
    waits: bool

    @property
    def started(self) -> bool:
        """Whether it takes requests. Starting takes a second of processor time: on a busy machine, half a minute.

        ministack takes the death of a worker that is still starting for a broken function, and ends all its others.
        """
        return self.cpu_seconds >= _STARTED_CPU_SECONDS or (self.age >= _STARTED_SECONDS and self.waits)

    def kill(self) -> bool:
        """Whether it was still there to be killed."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True


def workers(data_directory: Path) -> list[Worker]:
    """Those of the stack with this data, and of no other."""
    # A worker runs a file in a folder of its own, which ministack makes in the stack's folder for temporary files.
    folder = re.escape(str(data_directory / "tmp" / "ministack-lambda-"))
    started = re.compile(folder + r"[^/]*?([A-Z][A-Za-z]+Function)[^/]*/")
    listed = subprocess.run(_PS, capture_output=True, text=True, check=True)  # noqa: S603  # our own
    found = []
    for line in listed.stdout.splitlines():
        pid, elapsed, used, state, command = line.split(maxsplit=4)
        if match := started.search(command):
            found.append(Worker(int(pid), match[1], _seconds(elapsed), _seconds(used), state.startswith("S")))
    return found


def _seconds(elapsed: str) -> int:
    """Of a time as ps writes it: [[days-]hours:]minutes:seconds."""
    days, _, clock = elapsed.rpartition("-")
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(float(part))
    return int(days or 0) * 86400 + seconds
