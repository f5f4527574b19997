"""Processes of this machine, from /proc: who descends from whom, and the CPU that they have taken."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(ancestor: int) -> set[int]:
    """A process and all that descend from it."""
    children = defaultdict(list)
    for pid, fields in _processes():
        children[int(fields[1])].append(pid)
    found, new = set[int](), [ancestor]
    while new:
        pid = new.pop()
        found.add(pid)
        new += children[pid]
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """That these have taken so far, in themselves and in the system's calls for them. One that has ended took none."""
    wanted = set(pids)
    return sum(_ticks(fields[11:13]) for pid, fields in _processes() if pid in wanted) / _TICKS


def cpu_seconds_of_family(ancestor: int) -> float:
    """The same, those included that have ended: what they took is then counted with their parent."""
    wanted = family(ancestor)
    return sum(_ticks(fields[11:15]) for pid, fields in _processes() if pid in wanted) / _TICKS


def running(pid: int, module: str, *arguments: str) -> bool:
    """Whether a process runs this module, by ``python -m``, and these are among its arguments."""
    try:
        return {module, *arguments} <= set(Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0"))
    except OSError:
        return False


def _ticks(fields: list[str]) -> int:
    return sum(map(int, fields))


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Each with the fields of its ``stat`` behind the name: state, parent …"""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            yield int(file.parent.name), file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
