"""Runs seeds: ``python -m tests.simulation --seed 17``, or ``--first 5000 --seeds 1000``, or ``--soak 600``."""

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING

from tests.support.aws import prepare_environment

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation, Weaken

_SEEDS_AT_ONCE = 500


def main() -> int:
    """Exit status 1 if a seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone, and print its interleaving")
    parser.add_argument("--first", type=int, default=0, help="the first of several seeds (0)")
    parser.add_argument("--seeds", type=int, default=1000, help="how many (1000)")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="as many as there is time for, instead")
    parser.add_argument("--without", metavar="GUARD", help="take this guard away: see tests/simulation/weakened.py")
    parser.add_argument("--refreshes", action="store_true", help="clients that share refresh tokens, and nothing else")
    parser.add_argument("--webhooks", action="store_true", help="webhooks, and nothing else; without --without")
    parser.add_argument("--live", action="store_true", help="live updates, and nothing else; without --without")
    parser.add_argument("--failures", type=int, default=1, help="go on until so many have failed (1)")
    arguments = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets is a part of what happens, and differs between processes unless it is fixed.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]], environment)
    prepare_environment()
    from tests.simulation.weakened import without  # noqa: PLC0415  # not before the environment is prepared

    weaken = without(arguments.without) if arguments.without else None
    if arguments.webhooks or arguments.live:
        return _of_its_own(arguments.first if arguments.seed is None else arguments.seed, arguments)
    world_of = _refreshing() if arguments.refreshes else None
    if arguments.seed is not None:
        return _one(arguments.seed, weaken, world_of)
    if arguments.soak is not None:
        return _soak(arguments.first, arguments.soak, arguments.failures, weaken, world_of)
    return _several(arguments.first, arguments.seeds, arguments.failures, weaken, world_of)


def _refreshing() -> "type[Simulation]":
    from tests.simulation.refreshes import Refreshing  # noqa: PLC0415  # after the environment is set

    return Refreshing


def _of_its_own(first: int, arguments: argparse.Namespace) -> int:
    """The worlds of webhooks and of live updates."""
    from tests.simulation import live, webhooks  # noqa: PLC0415  # after the environment is set
    from tests.simulation.process import virtual_time_and_chance  # noqa: PLC0415  # as above

    name = "live updates" if arguments.live else "webhooks"
    seeds = 1 if arguments.seed is not None else arguments.seeds
    ends = None if arguments.soak is None else time.monotonic() + arguments.soak
    seed = first
    with virtual_time_and_chance():
        while seed < first + seeds if ends is None else time.monotonic() < ends:
            try:
                if arguments.live:
                    live.LiveSimulation(seed).run(live.STEPS)
                else:
                    webhooks.WebhooksSimulation(seed).run(webhooks.STEPS)
            except (live.Broken, webhooks.Broken) as broken:
                _say(f"seed {seed}: {broken}")
                return 1
            seed += 1
    _say(f"{name}: no failure from seed {first} to {seed - 1}")
    return 0


def _one(seed: int, weaken: "Weaken | None", world_of: "type[Simulation] | None") -> int:
    from tests.simulation.simulation import simulate  # noqa: PLC0415  # after the environment is set

    result = simulate(seed, weaken, world_of)
    _say(str(result.trace))
    _say(f"seed {seed}: {result.failure or 'nothing broken'}")
    return int(result.failure is not None)


def _several(
    first: int, seeds: int, failures: int, weaken: "Weaken | None", world_of: "type[Simulation] | None"
) -> int:
    from tests.simulation import campaign  # noqa: PLC0415  # after the environment is set

    figures = campaign.run(first, seeds, failures, weaken, world_of)
    _say(str(figures))
    return int(bool(figures.failures))


def _soak(
    first: int, seconds: float, failures: int, weaken: "Weaken | None", world_of: "type[Simulation] | None"
) -> int:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if status := _several(first, _SEEDS_AT_ONCE, failures, weaken, world_of):
            return status
        first += _SEEDS_AT_ONCE
    _say(f"no failure up to seed {first - 1}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
