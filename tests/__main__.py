"""Runs the parts of the tests side by side: ``python -m tests``, those named, or all ``--without`` those named.

Says at the start what runs and how long that takes, and at the end how long each part took. A part's own output is
printed whole when it has ended, so that parts do not run into each other.

There are two lanes. What computes keeps all cores busy; what waits (for servers, browsers, clocks) leaves them idle
most of the time. Side by side they take as long as the longer of them. What computes has the lower priority: what
waits is then served at once whenever it wakes, and does not run into its own timeouts.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Part:
    """``seconds``: how long it takes beside the other lane, on two cores with nothing else to do."""

    name: str
    computes: bool
    seconds: int
    what: str


class Result(NamedTuple):
    passed: bool
    seconds: float
    cpu_seconds: float
    """Of its processes that were waited for: not of those that were killed or left behind."""


PARTS = [
    Part("contracts", True, 15, "that template, code and documents agree; part of make check"),
    Part("units", True, 560, "each function in process, on a fake AWS"),
    Part("reliability", True, 190, "the model, the simulation, conditions taken away, state machines"),
    Part("journeys", False, 300, "the deployed template over HTTP"),
    Part("fuzz", False, 80, "requests and clients made from the API's description"),
    Part("pages", False, 100, "the pages in a browser, where there is one"),
    Part("numbers", False, 65, "what Prometheus counts, where there is one"),
    Part("sam", False, 60, "the functions in containers under sam local, where there is Docker"),
    Part("storm", False, 85, "16 clients while workers are killed"),
]

_OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}

_printing = threading.Lock()


def main(arguments: list[str]) -> int:
    """The exit code: 0 if all parts passed."""
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(prog="python -m tests", description="Runs parts of the tests side by side.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(names)}; without any, all")
    parser.add_argument("--without", action="append", default=[], choices=names, help="a part to leave out")
    given = parser.parse_args(arguments)
    unknown = set(given.parts) - set(names)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    wanted = [part for part in PARTS if part.name in (given.parts or names) and part.name not in given.without]
    lanes = [lane for lane in ([p for p in wanted if p.computes], [p for p in wanted if not p.computes]) if lane]
    _announce(wanted, lanes)
    started = time.monotonic()
    with ThreadPoolExecutor(len(lanes)) as side_by_side:
        results = {name: result for found in side_by_side.map(_run_lane, lanes) for name, result in found.items()}
    _report(results, time.monotonic() - started)
    return 0 if all(result.passed for result in results.values()) else 1


def _announce(wanted: list[Part], lanes: list[list[Part]]) -> None:
    longest = max(sum(part.seconds for part in lane) for lane in lanes)
    print(f"Tests: about {_minutes(longest)} minutes on two cores with nothing else to do")
    for part in wanted:
        print(f"  {part.name:12} {_minutes(part.seconds):>6}  {part.what}")
    sys.stdout.flush()


def _run_lane(parts: list[Part]) -> dict[str, Result]:
    return {part.name: _run(part) for part in parts}


def _run(part: Part) -> Result:
    command = ["make", "--no-print-directory", f"test-{part.name}"]
    # The make that started this hands its own flags down, which are not meant for these.
    environment = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
    started = time.monotonic()
    process = subprocess.Popen(
        ["nice", "-n", "10", *command] if part.computes else command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    result = Result(process.returncode == 0, time.monotonic() - started, used.ru_utime + used.ru_stime)
    with _printing:
        print(f"\n--- {part.name}: {_outcome(result)} after {_minutes(result.seconds)} minutes\n{output}", flush=True)
    return result


def _report(results: dict[str, Result], seconds: float) -> None:
    print(f"\n{'part':12} {'':8} {'minutes':>8} {'CPU-minutes':>12}")
    for name, result in results.items():
        print(f"{name:12} {_outcome(result):8} {_minutes(result.seconds):>8} {_minutes(result.cpu_seconds):>12}")
    cpu_seconds = sum(result.cpu_seconds for result in results.values())
    print(f"{'total':12} {'':8} {_minutes(seconds):>8} {_minutes(cpu_seconds):>12}", flush=True)


def _outcome(result: Result) -> str:
    return "passed" if result.passed else "FAILED"


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
