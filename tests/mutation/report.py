"""Plays every scenario with every mutant that it could notice, until one does."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutation.conditions import Condition, Mutant
from tests.mutation.environment import play, theatre
from tests.mutation.equivalent import reason_for
from tests.mutation.recording import Recording, Seen
from tests.mutation.webhook_scenarios import SCENARIOS


@dataclass(frozen=True, slots=True)
class Results:
    """``caught``: by which scenario, or None."""

    seen: Seen
    broken: dict[str, BaseException]
    """Scenarios that fail without any mutant."""
    caught: dict[Mutant, str | None]
    plays: int
    seconds: float

    @property
    def survivors(self) -> list[Mutant]:
        """Those that nothing caught, and that nobody has said anything about."""
        return [each for each, by in self.caught.items() if by is None and reason_for(each) is None]


def measure(wanted: str = "") -> Results:
    """``wanted``: only conditions of operations whose name has this in it."""
    began = time.monotonic()
    seen, broken = Seen(), {}
    sends: dict[Condition, list[str]] = defaultdict(list)
    recordings: dict[str, Recording] = {}
    plays = 0
    caught: dict[Mutant, str | None] = {}
    with theatre():
        for name, scenario in SCENARIOS.items():
            recording = Recording()
            failure = play(scenario, recording)
            plays += 1
            if failure is not None:
                broken[name] = failure
                continue
            seen.merge(recording.seen)
            recordings[name] = recording
            for condition in recording.seen.conditions:
                sends[condition].append(name)
        for condition in sorted(sends):
            if wanted not in condition.operation:
                continue
            for mutant in seen.of(condition):
                caught[mutant] = None
                # Scenarios about this very operation notice it first; of what is said to be no mutant, they would.
                about = [name for name in sends[condition] if condition.operation in recordings[name].seen.raced]
                others = [name for name in sends[condition] if name not in about]
                for name in about if reason_for(mutant) else about + others:
                    plays += 1
                    if play(SCENARIOS[name], recordings[name], mutant) is not None:
                        caught[mutant] = name
                        break
    return Results(seen, broken, caught, plays, time.monotonic() - began)


def table(results: Results) -> Iterator[str]:
    """The results, line by line."""
    last = None
    for mutant, by in results.caught.items():
        if mutant.condition != last:
            last = mutant.condition
            yield str(last)
        reason = reason_for(mutant)
        yield f"    {mutant.change:60}  {by or (f'equivalent: {reason}' if reason else 'NOT CAUGHT')}"
    for name, failure in results.broken.items():
        yield f"fails without a mutant: {name}: {type(failure).__name__}: {failure}"
    yield summary(results)


def figures(results: Results) -> dict[str, int]:
    """By their names in ``docs/reliability.md``."""
    return {
        "conditions": len({mutant.condition for mutant in results.caught}),
        "mutants": len(results.caught),
        "caught": sum(by is not None for by in results.caught.values()),
        "equivalent": sum(by is None for by in results.caught.values()) - len(results.survivors),
        "not caught": len(results.survivors),
        "scenarios": len(SCENARIOS),
    }


def summary(results: Results) -> str:
    counted = ", ".join(f"{figure} {name}" for name, figure in figures(results).items())
    return f"{counted} played {results.plays} times in {results.seconds:.0f} s"
