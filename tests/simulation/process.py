"""The edge of the process: time and chance of the standard library, and botocore's way out, handed to a simulation.

Only threads that have entered a simulation see its clock, its random numbers and its AWS; all others the real ones.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any, Protocol

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.handlers import BUILTIN_HANDLERS

from tests.simulation.scheduler import EPOCH_SECONDS, Scheduler


class World(Protocol):
    """What stands behind the clock and behind the network."""

    entropy: Random

    def now(self) -> float:
        """Seconds since 1970."""

    def clock(self) -> float:
        """The same, as the clock of the running function has it."""

    def sleep(self, seconds: float) -> None: ...

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """What AWS answers."""


_inside = threading.local()


@contextmanager
def inside(world: World) -> Iterator[None]:
    """Let this thread live in ``world`` for the block."""
    _inside.world = world
    try:
        yield
    finally:
        _inside.world = None


def run_in(world: World, scheduler: Scheduler, *actors: Callable[[], None]) -> None:
    """Run these at once in ``world``, as the scheduler has it, to the end of all."""

    def live(body: Callable[[], None]) -> None:
        with inside(world):
            body()

    for number, body in enumerate(actors):
        scheduler.spawn(str(number), partial(live, body))
    scheduler.run()


@contextmanager
def virtual_time_and_chance() -> Iterator[None]:
    """Replace what the standard library knows of time and of the system's random numbers, for the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", _either(time.sleep, lambda world, seconds: world.sleep(seconds)))
        patch.setattr(time, "time", _either(time.time, lambda world: world.clock()))
        patch.setattr(time, "time_ns", _either(time.time_ns, lambda world: int(world.clock() * 1e9)))
        for name in ("monotonic", "perf_counter"):
            patch.setattr(time, name, _either(getattr(time, name), lambda world: world.now() - EPOCH_SECONDS))
        urandom = _either(os.urandom, lambda world, size: world.entropy.randbytes(size))
        patch.setattr(os, "urandom", urandom)
        patch.setattr(random, "_urandom", urandom)  # what `secrets` reads
        yield


def _either(real: Callable[..., Any], simulated: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*arguments: Any) -> Any:
        world = getattr(_inside, "world", None)
        return real(*arguments) if world is None else simulated(world, *arguments)

    return chosen


def _send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    world: World | None = getattr(_inside, "world", None)
    return None if world is None else world.send(request)


# Asked first by all botocore clients made from now on; a response is taken for what the network would have given.
BUILTIN_HANDLERS.insert(0, ("before-send", _send))
