"""Many seeds one after the other, and what they came to."""

import gc
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.simulation import Result, Simulation, Weaken, simulate


@dataclass
class Campaign:
    """Figures of all seeds that were run."""

    seeds: int = 0
    requests: int = 0
    """Requests to DynamoDB."""
    turns: int = 0
    """How often the scheduler chose who runs next."""
    commits: int = 0
    invocations: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[Result] = field(default_factory=list)
    seconds: float = 0.0
    of: str = ""
    """What the command that repeats a seed needs besides its number."""

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.requests += result.requests
        self.turns += result.turns
        self.commits += result.commits
        self.invocations += result.invocations
        self.faults += result.faults
        if result.failure is not None:
            self.failures.append(result)

    def __str__(self) -> str:
        lines = [
            f"{self.seeds:,} seeds in {self.seconds:.0f} s",
            f"requests to DynamoDB {self.requests:,}, commits {self.commits:,}, scheduling decisions {self.turns:,}",
            f"invocations ({self.invocations.total():,}): {_listed(self.invocations)}",
            f"faults ({self.faults.total():,}): {_listed(self.faults)}",
        ]
        lines += [
            f"seed {seed}: {each.failure!r}; repeat it with: python -m tests.simulation {self.of}--seed {seed}"
            for each in self.failures
            for seed in [each.seed]
        ]
        return "\n".join(lines)


def run(
    first: int,
    seeds: int,
    most_failures: int = 1,
    weaken: Weaken | None = None,
    world_of: type[Simulation] | None = None,
) -> Campaign:
    """Run ``seeds`` seeds from ``first`` on, until so many have failed. ``world_of``: another kind of world."""
    campaign = Campaign(of="--refreshes " if world_of else "")
    began = time.monotonic()
    gc.disable()  # A seed leaves much behind, all at once: collecting it in between costs a quarter of the time.
    gc.freeze()  # What there is already stays; not to look at it each time saves a tenth.
    try:
        for seed in range(first, first + seeds):
            campaign.add(simulate(seed, weaken, world_of))
            if len(campaign.failures) >= most_failures:
                break
            if seed % 10 == 0:
                gc.collect()
    finally:
        gc.unfreeze()
        gc.enable()
    campaign.seconds = time.monotonic() - began
    return campaign


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
