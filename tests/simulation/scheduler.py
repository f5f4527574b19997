"""Actors that run one at a time, and a clock that only they move.

Each actor is a thread, but only the one whose turn it is runs. It gives its turn away in ``pause``, and a seeded
choice says who is next. No time passes while an actor computes; a pause takes as long as it says.
"""

import threading
from collections.abc import Callable
from random import Random

EPOCH_SECONDS = 1_800_000_000.0


class Stopped(BaseException):
    """The simulation has ended under an actor. Not an ``Exception``: the product must not catch it."""


class Actor:
    """One thread of control: a client, or an invocation of a function."""

    def __init__(self, name: str, wakes: float) -> None:
        self.name = name
        self.wakes = wakes
        self.turn = threading.Semaphore(0)


class Scheduler:
    """Runs actors in an order that ``choices`` decides."""

    def __init__(self, choices: Random) -> None:
        self._choices = choices
        self._actors: list[Actor] = []
        self._current: Actor | None = None
        self._over = threading.Event()
        self._stopping = False
        self.failure: BaseException | None = None
        self.now = EPOCH_SECONDS
        self.turns = 0

    @property
    def current(self) -> Actor:
        """Whose turn it is."""
        assert self._current is not None
        return self._current

    def spawn(self, name: str, body: Callable[[], None], delay: float = 0.0) -> None:
        """Add an actor that begins ``delay`` seconds from now."""
        actor = Actor(name, self.now + delay)
        self._actors.append(actor)
        threading.Thread(target=self._live, args=(actor, body), daemon=True).start()

    def run(self) -> None:
        """Let the actors run until none is left. Raises what made one fail."""
        if not self._actors:
            return
        self._over.clear()
        self._hand_over()
        self._over.wait()
        if self.failure is not None:
            raise self.failure

    def pause(self, seconds: float) -> None:
        """Let others run for ``seconds`` at least. Called by the actor whose turn it is."""
        actor = self.current
        actor.wakes = self.now + seconds
        chosen = self._choose()
        if chosen is not actor:
            self._current = chosen
            chosen.turn.release()
            actor.turn.acquire()
        if self._stopping:
            raise Stopped

    def fail(self, failure: BaseException) -> None:
        """End the simulation with ``failure``: the first one counts. Does not return."""
        self.failure = self.failure or failure
        self._stopping = True
        raise Stopped

    def _live(self, actor: Actor, body: Callable[[], None]) -> None:
        actor.turn.acquire()
        try:
            if not self._stopping:
                body()
        except Stopped:
            pass
        except BaseException as error:  # A defect of the simulation itself, or of what it runs.
            self.failure = self.failure or error
            self._stopping = True
        self._actors.remove(actor)
        self._hand_over()

    def _hand_over(self) -> None:
        if not self._actors:
            self._current = None
            self._over.set()
            return
        chosen = self._current = self._choose()
        chosen.turn.release()

    def _choose(self) -> Actor:
        """One of those who are ready now, or nearly so; otherwise who is ready first."""
        self.turns += 1
        actors = self._actors
        if self._stopping or len(actors) == 1:
            chosen = actors[0]
        else:
            horizon = max(self.now, min(actor.wakes for actor in actors)) + 0.02
            ready = [actor for actor in actors if actor.wakes <= horizon]
            chosen = ready[int(self._choices.random() * len(ready))]
        self.now = max(self.now, chosen.wakes)
        return chosen
