"""Runs machines: ``python -m tests.machines --machine rooms --seed 3``, or ``--soak 600`` one seed after the other."""

import argparse
import sys
import time
from collections import Counter

from tests.support.aws import mocked, prepare_environment

_EXAMPLES = 10


def main() -> int:
    """Exit status 1 if an example failed. It is then shown with no more steps than it needs."""
    prepare_environment()
    from tests.convergence.machine import ConvergenceMachine  # noqa: PLC0415  # after the environment is set
    from tests.machines.machine import Machine, run, summary  # noqa: PLC0415  # reads the environment
    from tests.machines.rooms_machine import RoomsMachine  # noqa: PLC0415  # after the environment is set
    from tests.machines.sessions_machine import SessionsMachine  # noqa: PLC0415  # after the environment is set
    from tests.machines.tasks_machine import TasksMachine  # noqa: PLC0415  # after the environment is set

    machines: dict[str, type[Machine]] = {
        "rooms": RoomsMachine,
        "tasks": TasksMachine,
        "sessions": SessionsMachine,
        "convergence": ConvergenceMachine,
    }
    parser = argparse.ArgumentParser(prog="python -m tests.machines", description=__doc__)
    parser.add_argument("--machine", choices=[*machines], help="only this one")
    parser.add_argument("--seed", type=int, default=1000, help="the first one (1000)")
    parser.add_argument("--soak", type=float, default=0, metavar="SECONDS", help="go on for so long (one seed)")
    parser.add_argument("--steps", type=int, default=30, help="in each example (30)")
    arguments = parser.parse_args()
    ends = time.monotonic() + arguments.soak
    number = arguments.seed
    figures: dict[str, Counter[str]] = {name: Counter() for name in machines if arguments.machine in (None, name)}
    with mocked():
        while True:
            for name, total in figures.items():
                print(f"{name}, seed {number}", flush=True)
                total.update(run(machines[name], number, _EXAMPLES, arguments.steps, shrink=True))
            number += 1
            if time.monotonic() >= ends:
                break
    for name, total in figures.items():
        print(summary(machines[name], total))
    print(f"seeds {arguments.seed} to {number - 1}: nothing broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
