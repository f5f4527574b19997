"""Two distributions held against each other."""

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_RESAMPLED = 2000


@dataclass(frozen=True, slots=True)
class Comparison:
    """``p``: of the Mann-Whitney U test, two-sided. ``likelier``: how often a value of the first is above one of the
    second, where 0.5 is never to be told from chance. ``interval``: 95 % of the difference of the medians."""

    p: float
    likelier: float
    difference: float
    interval: tuple[float, float]


def compare(first: Sequence[float], second: Sequence[float], seed: int = 1) -> Comparison:
    """Mann and Whitney (1947), by its normal approximation: for 20 values each and more."""
    above = sum((a > b) + (a == b) / 2 for a in first for b in second)
    pairs = len(first) * len(second)
    deviation = math.sqrt(pairs * (len(first) + len(second) + 1) / 12)
    z = (above - pairs / 2) / deviation
    return Comparison(
        p=math.erfc(abs(z) / math.sqrt(2)),
        likelier=above / pairs,
        difference=statistics.median(first) - statistics.median(second),
        interval=_interval(first, second, random.Random(seed)),
    )


def _interval(first: Sequence[float], second: Sequence[float], chance: random.Random) -> tuple[float, float]:
    """By the bootstrap (Efron 1979)."""
    differences = sorted(
        statistics.median(chance.choices(first, k=len(first)))
        - statistics.median(chance.choices(second, k=len(second)))
        for _ in range(_RESAMPLED)
    )
    return differences[_RESAMPLED // 40], differences[-_RESAMPLED // 40]


def quantiles(values: Sequence[float]) -> list[float]:
    """The 5th, 25th, 50th, 75th and 95th percentile."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return [cuts[0], cuts[4], cuts[9], cuts[14], cuts[18]]
