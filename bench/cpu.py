"""P1: CPU of a warm request, from the event Lambda hands over to the response it takes back.

``python -m bench.cpu RECORDING OUTPUT [ROUNDS [TIMES]]``: a process of its own, in which nothing but what is measured
was imported.
"""

import contextlib
import copy
import functools
import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import floors, steps
from bench.exchanges import Call, Exchange, Recording
from bench.first_request import Context
from bench.measuring import Spread, in_turns, ratio
from bench.network import recorded

# A lease of a rate limit is taken every 15th request: that call is in each round.
_TIMES = 30
_ROUNDS = 20

_LISTS = {"list 50 tasks", "open a room of 20", "sync, nothing new", "sync, 50 changes"}


def measure(recording: Recording, rounds: int = _ROUNDS, times: int = _TIMES) -> dict[str, Any]:
    """By request: the floors, the rival, ours and steps on the way to it, as ratios."""
    os.environ.update(recording.variables)
    found = {}
    with recorded() as network, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        for name, exchanges in recording.exchanges.items():
            ours, plain = exchanges["ours"], exchanges.get("plain")
            subjects: dict[str, Callable[[], object]] = {
                "ours": _invoking(ours),
                **({"plain": _invoking(plain)} if plain else {}),
                "by hand": floors.by_hand(ours),
                "on boto3": floors.on_boto3(ours),
                "Chalice": steps.chalice(ours),
                "Chalice by hand": steps.chalice(ours, floors.by_hand(ours)),
                "calls": steps.calls(ours),
            }
            asked = {subject: plain if plain and subject == "plain" else ours for subject in subjects}
            before = functools.partial(_begin, network.respond_with, asked, recording.now_and_then)
            with contextlib.redirect_stdout(nowhere):
                taken = in_turns(subjects, rounds, times, before)
            found[name] = _ratios(name, taken)
    return found


def _begin(
    respond_with: Callable[[list[Call]], None], exchanges: dict[str, Exchange], now_and_then: list[Call], name: str
) -> None:
    respond_with([*exchanges[name].calls, *now_and_then])


def _ratios(name: str, taken: dict[str, list[float]]) -> dict[str, Any]:
    floor = "by hand" if name in _LISTS else "on boto3"
    spreads: dict[str, Spread] = {
        "to the floor": ratio(taken, "ours", floor),
        "to by hand": ratio(taken, "ours", "by hand"),
        "to boto3": ratio(taken, "ours", "on boto3"),
        **({"to the plain way": ratio(taken, "ours", "plain")} if "plain" in taken else {}),
        **{f"{step} to by hand": ratio(taken, step, "by hand") for step in ("Chalice", "Chalice by hand", "calls")},
    }
    return {"floor": floor, **{key: asdict(spread) for key, spread in spreads.items()}}


def _invoking(exchange: Exchange) -> Callable[[], object]:
    module, _, name = exchange.handler.rpartition(".")
    handler, context = getattr(importlib.import_module(module), name), Context()
    event = exchange.event

    def request() -> object:
        response = handler(copy.copy(event), context)
        if response["statusCode"] != exchange.response["statusCode"]:
            raise RuntimeError(f"{exchange.handler} answered {response}")
        return response

    return request


if __name__ == "__main__":
    found = measure(Recording.read(Path(sys.argv[1])), *map(int, sys.argv[3:]))
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")
