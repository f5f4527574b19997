"""The processes in which a local stack runs its functions: found, and killed as a fault of the machine would."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Worker:
    """One process. ``function`` is the function's name in the template, ``age`` how many seconds it has run."""

    pid: int
    function: str
    age: int

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
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,etime=,args="], capture_output=True, text=True, check=True)  # noqa: S607  # as a pipeline calls it
    found = []
    for line in listed.stdout.splitlines():
        pid, elapsed, command = line.split(maxsplit=2)
        if match := started.search(command):
            found.append(Worker(int(pid), match[1], _seconds(elapsed)))
    return found


def _seconds(elapsed: str) -> int:
    """Of a time as ps writes it: [[days-]hours:]minutes:seconds."""
    days, _, clock = elapsed.rpartition("-")
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return int(days or 0) * 86400 + seconds
