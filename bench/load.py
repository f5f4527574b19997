"""P5: requests per second through the whole local stack, and what others make of the same requests.

``python -m bench.load OUTPUT [ROUNDS [SECONDS]]``. In turns, in an order drawn anew in each round, for so many seconds
each: the local stack as ``make run`` starts it; the plain way under Chalice's local server, on the same local DynamoDB;
FastAPI with SQLAlchemy on PostgreSQL. Needs wrk, and PostgreSQL for the last: what is missing is said and left out.
"""

import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

from bench import systems, wrk
from bench.measuring import Spread
from bench.recording import task_fields
from bench.systems import System
from bench.wrk import Load, Question
from infrastructure.local.addresses import Addresses
from tests.support.client import Client, Person

_ROUNDS, _SECONDS = 5, 3

# As many as two cores keep busy without a queue that would be most of each request's time.
_CONNECTIONS = 4

_PARAMETERS = {"AccessTokenSeconds": "3600", "BcryptCost": "10"}

# What a stream hands on is done after the response: the next turn begins when the local AWS has been quiet.
_QUIET_SHARE, _QUIET_SECONDS, _QUIET_DEADLINE = 0.1, 0.5, 120

# A line of a function reaches its file about a second after it was written.
_LINES_SECONDS = 1.5

_RIVALS = {"plain": "Chalice, PynamoDB", "relational": "FastAPI, PostgreSQL"}

Json = dict[str, Any]


def measure(folder: Path, rounds: int, seconds: int) -> Json:
    """``ratios``: by request and rival, of rates and times to the local stack's, and of CPU to that of its functions.

    ``shares``: by request, see ``_shares``.
    """
    with ExitStack() as running:
        stack, addresses = running.enter_context(systems.local_stack(folder, _PARAMETERS))
        key, content, questions = _stage(addresses)
        responding = {"ours": stack, "plain": running.enter_context(systems.plain(addresses, key))}
        if systems.postgresql_programs() and systems.FURTHER.exists():
            responding["relational"] = running.enter_context(systems.relational(key, content))
        else:
            print("FastAPI with PostgreSQL is left out: it needs .venv-bench and postgresql.", file=sys.stderr)
        _check_shapes(responding, questions)
        for question in questions.values():  # until all have started whatever they start for so many connections
            for system in responding.values():
                wrk.run(system.url, question, _CONNECTIONS, 1)
        taken = _in_turns(responding, questions, rounds, seconds)
        shares = {name: _shares(stack, folder, question, seconds) for name, question in questions.items()}
    return {"ratios": {name: _ratios(taken[name]) for name in questions}, "shares": shares}


def _stage(addresses: Addresses) -> tuple[str, Json, dict[str, Question]]:
    """A room of 51 tasks that are asked for, and one in which new ones are planned: for all who answer."""
    anonymous = Client.over_http(addresses.api_url)
    ann: Person = anonymous.register("ann")
    room, other = (ann.open_room()["id"] for _ in range(2))
    tasks = [ann.plan(**task_fields(number, room)) for number in range(51)]
    [key] = anonymous.get("/.well-known/jwks.json").json()["keys"]
    anonymous.connection.close()
    content = {"rooms": {room: [ann.id], other: [ann.id]}, "tasks": tasks}
    token = str(ann.access_token)
    questions = {
        "get a task": Question("GET", f"/tasks/{tasks[0]['id']}", 200, token),
        "list 50 tasks": Question("GET", f"/rooms/{room}/tasks?limit=50", 200, token),
        "create a task": Question("POST", "/tasks", 201, token, json.dumps(task_fields(51, other))),
    }
    return json.dumps(key), content, questions


def _check_shapes(responding: dict[str, System], questions: dict[str, Question]) -> None:
    """The same fields and as many tasks from each, or what they do is not the same."""
    for name, question in questions.items():
        shapes = {}
        for who, system in responding.items():
            client = Client.over_http(system.url)
            headers = {"Authorization": f"Bearer {question.token}", "Content-Type": "application/json"}
            response = client.connection.request(question.method, question.path, content=question.body, headers=headers)
            client.connection.close()
            body = response.json()
            items = body.get("items", [body])
            shapes[who] = (response.status_code, sorted(body), len(items), sorted(items[0]))
        if any(shape != shapes["ours"] for shape in shapes.values()):
            raise RuntimeError(f"{name}: {shapes}")


def _in_turns(
    responding: dict[str, System], questions: dict[str, Question], rounds: int, seconds: int
) -> dict[str, dict[str, list[Json]]]:
    """By request and by who answers it, what each turn gave."""
    taken: dict[str, dict[str, list[Json]]] = {name: defaultdict(list) for name in questions}
    order = list(responding)
    for _ in range(rounds):
        for name, question in questions.items():
            random.shuffle(order)
            for who in order:
                _await_quiet(responding["ours"])
                load, cpu = _turn(responding[who], question, _CONNECTIONS, seconds)
                taken[name][who].append({**asdict(load), "cpu": cpu})
    return taken


def _turn(system: System, question: Question, connections: int, seconds: int) -> tuple[Load, dict[str, float]]:
    """Beside the load, the CPU of a request in seconds, by what the processes do."""
    before = {name: taken() for name, taken in system.cpu.items()}
    load = wrk.run(system.url, question, connections, seconds)
    after = {name: taken() for name, taken in system.cpu.items()}
    return load, {name: (after[name] - before[name]) / load.requests for name in before}


def _await_quiet(stack: System) -> None:
    """Raises TimeoutError if the local AWS is still busy after two minutes."""
    deadline = time.monotonic() + _QUIET_DEADLINE
    while time.monotonic() < deadline:
        before = stack.cpu["local AWS"]()
        time.sleep(_QUIET_SECONDS)
        if stack.cpu["local AWS"]() - before < _QUIET_SHARE * _QUIET_SECONDS:
            return
    raise TimeoutError("the local AWS does not become quiet")


def _ratios(taken: dict[str, list[Json]]) -> dict[str, Json]:
    ours = taken["ours"]
    found = {}
    for who in (who for who in _RIVALS if who in taken):
        pairs = list(zip(taken[who], ours, strict=True))
        row: Json = {
            measure: asdict(Spread.of([his[measure] / our[measure] for his, our in pairs]))
            for measure in ("rate", "p50", "p99")
        }
        functions = [our["cpu"]["functions"] for _, our in pairs]
        row["cpu"] = {
            group: asdict(Spread.of([his["cpu"][group] / own for (his, _), own in zip(pairs, functions, strict=True)]))
            for group in taken[who][0]["cpu"]
        }
        found[_RIVALS[who]] = row
    return found


def _shares(stack: System, folder: Path, question: Question, seconds: int) -> Json:
    """Of the time of one request at a time: the function's CPU, its waiting, and all that is not in the function.

    The whole is the generator's time, the function's is in its log lines, and its CPU the system counts, ministack's
    part of that process included. Beside it the CPU of the local AWS, and how often the authorizer was asked.
    """
    _await_quiet(stack)
    time.sleep(_LINES_SECONDS)
    logs = {name: folder / "logs" / f"{name}.log" for name in ("TasksFunction", "AuthorizerFunction")}
    seen = {name: _lines(file) for name, file in logs.items()}
    load, cpu = _turn(stack, question, 1, seconds)
    time.sleep(_LINES_SECONDS)
    new = {name: _lines(file)[len(seen[name]) :] for name, file in logs.items()}
    inside = mean(line["milliseconds"] for line in new["TasksFunction"]) / 1000
    wall = 1 / load.rate
    own = min(cpu["functions"], inside)
    return {
        "function": own / wall,
        "waiting": (inside - own) / wall,
        "outside": 1 - inside / wall,
        "local AWS": cpu["local AWS"] / wall,
        "authorizer": len(new["AuthorizerFunction"]) / load.requests,
    }


def _lines(file: Path) -> list[Json]:
    lines = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] in ("request", "access allowed")]


def main() -> None:
    if not wrk.found():
        print("Requests per second are left out: they need wrk on the PATH (apt-get install wrk).", file=sys.stderr)
        return
    rounds, seconds = [*map(int, sys.argv[2:]), *(_ROUNDS, _SECONDS)[len(sys.argv) - 2 :]]
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), rounds, seconds)
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
