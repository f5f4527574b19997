"""CPU time of things done in turns, so that whatever else the machine does meets all of them alike."""

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Quartiles of what was measured."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, median, high)

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def in_turns(
    subjects: Mapping[str, Callable[[], object]], rounds: int, times: int, before: Callable[[str], None]
) -> dict[str, list[float]]:
    """CPU time of this process, in ns, that one call of each subject takes, for each round.

    In each round every subject is called ``times`` times in a row, in an order drawn anew. ``before`` is told which
    one comes.
    """
    for name, subject in subjects.items():
        before(name)
        for _ in range(times):
            subject()
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    order = list(subjects)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            before(name)
            subject = subjects[name]
            gc.collect()
            began = time.process_time_ns()
            for _ in range(times):
                subject()
            taken[name].append((time.process_time_ns() - began) / times)
    return taken


def ratio(taken: Mapping[str, list[float]], name: str, to: str) -> Spread:
    """How many times as much ``name`` took as ``to`` did in the same round."""
    return Spread.of([one / other for one, other in zip(taken[name], taken[to], strict=True)])
