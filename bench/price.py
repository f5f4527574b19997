"""P7: what a million requests of a typical mix cost, and a month of so many people.

``python -m bench.price OUTPUT`` counts what requests take, a process of its own.

Reckoned from what ``bench.mix`` counts, with AWS's prices for us-east-1 in USD, without the free tier, as known on
2026-11-28; look them up before you decide. But for the gateway and for bytes that are sent, whose prices fall most,
those of the first tier. Under https://aws.amazon.com/: api-gateway/pricing, lambda/pricing (arm64, SnapStart),
dynamodb/pricing/on-demand, cloudwatch/pricing, secrets-manager/pricing, kms/pricing, waf/pricing, xray/pricing,
ec2/pricing/on-demand (data out).
"""

import functools
import json
import math
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from infrastructure import template as templates

MIX = {
    # Ten times of fifty somebody looks at the application anew, most of them with a token that has run out.
    "GET /": 90,
    "POST /auth/refresh": 60,
    "POST /auth/login": 4,
    "POST /auth/register": 1,
    # Lists and what is opened from them are most of the use.
    "GET /tasks": 100,
    "GET /tasks, one status": 40,
    "GET /tasks/{task_id}": 130,
    "GET /rooms": 60,
    "GET /rooms/{room_id}": 80,
    "GET /rooms/{room_id}/tasks": 140,
    "GET /rooms/{room_id}/tasks, one status": 60,
    "GET /rooms/{room_id}/tasks, of one person": 30,
    "GET /rooms/{room_id}/tasks, in manual order": 10,
    "GET /rooms/{room_id}/users": 40,
    "GET /rooms/{room_id}/activity": 18,
    "GET /users/{user_id}": 20,
    "POST /keys/resolve": 10,
    # A task is planned, one of eight for two people, and changed or moved not quite twice. One of three is deleted; one
    # of ten of these is restored.
    "POST /tasks": 26,
    "POST /tasks, for two people": 4,
    "PATCH /tasks/{task_id}": 44,
    "POST /tasks/{task_id}/move": 6,
    "DELETE /tasks/{task_id}": 10,
    "GET /rooms/{room_id}/trash": 1,
    "POST /tasks/{task_id}/restore": 1,
    # Teams change seldom.
    "POST /rooms": 2,
    "POST /rooms/join": 4,
    "PATCH /rooms/{room_id}": 3,
    "POST /rooms/{room_id}/users": 1,
    "PATCH /rooms/{room_id}/users/{user_id}": 1,
    "DELETE /rooms/{room_id}/users/{user_id}": 2,
    "PATCH /users/{user_id}": 2,
}
"""How many requests of a thousand are of which kind. An assumption, with ten reads to a change of a task or room."""

# Of a thousand requests: what is deleted and not restored, a sweep deletes for good.
_PURGED = MIX["DELETE /tasks/{task_id}"] - MIX["POST /tasks/{task_id}/restore"]

# Up to so many more of a month, each at so much: REST requests, and bytes that are sent.
Tiers = tuple[tuple[float, float], ...]
GATEWAY: Tiers = ((333e6, 3.50e-6), (667e6, 2.80e-6), (19e9, 2.38e-6), (math.inf, 1.51e-6))
OUT: Tiers = ((10e12, 0.09e-9), (40e12, 0.085e-9), (100e12, 0.07e-9), (math.inf, 0.05e-9))
MESSAGE = 1.00e-6
CALL = 0.20e-6
GB_SECOND = 0.0000133334
WRITE = 0.625e-6
READ = 0.125e-6
LOG_BYTE = 0.50e-9
# Logs are stored compressed, at about a sixth of their size, for a month.
STORED_LOG_BYTE = 0.03e-9 / 6
# A byte that is stored may be restored to any second of 35 days.
STORED_BYTE = (0.25 + 0.20) * 1e-9
ALARM, DASHBOARD, SECRET, METRIC = 0.10, 3.00, 0.40, 0.30
SECRET_CALL, KEY_CALL = 0.05e-4, 0.03e-4
FIREWALL, FIREWALL_RULE, FIREWALL_REQUEST = 5.00, 1.00, 0.60e-6
TRACE = 5.00e-6
METRIC_READ = 0.01e-3
QUEUE_REQUEST = 0.40e-6
SNAPSHOT_GB_SECOND, RESTORED_GB = 0.0000015046, 0.0001397998

# Assumed, since times on AWS were not measured: CPU of a whole vCPU, a round trip, and a password, in seconds.
CPU, ROUND_TRIP, PASSWORD = 0.004, 0.005, 0.3
VCPU = 1769
REQUESTS_FOR_EACH_AUTHORIZER_CALL = 4

# Assumed of people: of those with an account 40 % come on a day, and send fifty requests then. Each keeps twenty tasks,
# and of each task three entries of the audit trail.
PEOPLE = (0, 1_000, 100_000, 10_000_000)
DAYS, ACTIVE, REQUESTS_A_DAY = 30, 0.4, 50
TASKS, ENTRIES = 20, 60
HOURS = DAYS * 24
SWEEPS = HOURS * 6

# Assumed of requests: which shares of those of a route are answered by its usual status and by others, and fall into
# which buckets of the histogram; which share is the first of a container, and how long that takes to start.
STATUSES = (0.96, 0.03, 0.01)
BUCKETS = (0.6, 0.3, 0.08, 0.02)
COLD, STARTING, SECRETS_READ = 0.002, 0.6, 2
# DynamoDB asks for the key of a table in use every five minutes, for each connection.
KEY_CALLS_AN_HOUR = 12
# X-Ray records the first request of each second, and one of twenty others.
TRACED = 0.05
SCRAPES = HOURS * 12
VERSIONS_KEPT = 3
# Lambda looks into the queue of a function by five requests at the same time, each of which waits for 20 s.
POLLERS, POLL_SECONDS = 5, 20

Row = dict[str, Any]


def of_a_million(found: Row, times: float = 1.0) -> dict[str, float]:
    """USD for a million requests, by what is paid. ``times``: that every billed time is so much longer."""
    parts = dict.fromkeys(("gateway", "calls", "time", "reads", "writes", "logs", "data out"), 0.0)
    for name, lease in MIX.items():
        row = found["routes"][name]
        requests = lease * 1000
        further = PASSWORD * (name in ("POST /auth/login", "POST /auth/register"))
        _add(parts, row, requests, times, further)
        _add_behind(parts, row, requests, times)
        if row["token"]:
            _add(parts, found["authorizer"], requests / REQUESTS_FOR_EACH_AUTHORIZER_CALL, times)
        parts["data out"] += requests * row["answered"] * OUT[0][1]
    purged = _PURGED * 1000
    _add(parts, found["purge"], purged, times)
    parts["calls"] -= purged * CALL  # the sweep takes place anyway
    _add_behind(parts, found["purge"], purged, times)
    parts["gateway"] = _tiered(GATEWAY, 1e6)
    return parts


def _add(parts: dict[str, float], row: Row, calls: float, times: float, further: float = 0.0) -> None:
    """So many calls. ``further``: seconds of CPU that each takes more than others."""
    parts["calls"] += calls * CALL
    parts["time"] += calls * times * _seconds(row, further) * row["memory"] / 1024 * GB_SECOND
    parts["reads"] += calls * row["reads"] * READ
    parts["writes"] += calls * row.get("writes", 0) * WRITE
    parts["logs"] += calls * row["logged"] * LOG_BYTE


def _add_behind(parts: dict[str, float], row: Row, requests: float, times: float) -> None:
    """What functions behind the streams do then."""
    _add(parts, row["behind"] | {"memory": 512}, requests * bool(row["behind"]["calls"]), times)


def of_live_updates(calls: int, reads: float, writes: float, messages: int, logged: int) -> float:
    """USD of what these calls of functions take: three round trips each, the messages to WebSockets among them."""
    time = calls * _seconds({"memory": 512, "in_sequence": 3}, 0.0) * 512 / 1024 * GB_SECOND
    return time + calls * CALL + reads * READ + writes * WRITE + messages * MESSAGE + logged * LOG_BYTE


def of_a_month(found: Row, people: int) -> dict[str, float]:
    """USD for a month with so many people, by what is paid. Nobody: a stack that is only there."""
    requests = float(people * ACTIVE * REQUESTS_A_DAY * DAYS)
    millions = requests / 1e6
    parts = of_a_million(found)
    stored, sweep = found["stored"], found["sweep"]
    kept = people * (stored["person"] + TASKS * stored["task"] + ENTRIES * stored["entry"])
    sweeps = SWEEPS * (CALL + _seconds(sweep, 0.0) * sweep["memory"] / 1024 * GB_SECOND + sweep["reads"] * READ)
    logged = parts["logs"] / LOG_BYTE * millions + SWEEPS * sweep["logged"]
    return {
        "gateway": _tiered(GATEWAY, requests),
        "functions": (parts["calls"] + parts["time"] + _cold_starts(found)) * millions,
        "DynamoDB, reads and writes": (parts["reads"] + parts["writes"]) * millions,
        "DynamoDB, storage and restoring": kept * STORED_BYTE,
        "sweeps": sweeps,
        "polling of queues": _polled() * POLLERS * HOURS * 3600 / POLL_SECONDS * QUEUE_REQUEST,
        "logs": logged * (LOG_BYTE + STORED_LOG_BYTE),
        "metrics": metrics_of(found, requests) * METRIC,
        "alarms and dashboard": _count("AWS::CloudWatch::Alarm") * ALARM
        + _count("AWS::CloudWatch::Dashboard") * DASHBOARD,
        "secrets and keys": _count("AWS::SecretsManager::Secret") * SECRET + _keys(parts, requests),
        "data out": _tiered(OUT, parts["data out"] / OUT[0][1] * millions),
    }


def of_what_is_off(found: Row, people: int) -> dict[str, float]:
    """USD for a month of what the template has parameters for, and is not on by itself."""
    requests = float(people * ACTIVE * REQUESTS_A_DAY * DAYS)
    resources = _template()["Resources"]
    functions = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Serverless::Function"]
    gigabytes = sum(_memory(each) for each in functions) / 1024
    rules = len(resources["Firewall"]["Properties"]["Rules"])
    listed = metrics_of(found, max(requests, 1e6)) if people else 0.0
    return {
        "`AccessLogs`": requests * found["access"] * (LOG_BYTE + STORED_LOG_BYTE),
        "`Tracing`": min(requests, HOURS * 3600 + TRACED * requests) * TRACE,
        "`EnableWaf`": FIREWALL + rules * FIREWALL_RULE + requests * FIREWALL_REQUEST,
        "`SnapStart`, three versions kept": VERSIONS_KEPT * gigabytes * HOURS * 3600 * SNAPSHOT_GB_SECOND
        + requests * COLD * gigabytes / len(functions) * RESTORED_GB,
        "`GET /metrics` every five minutes": SCRAPES * listed * METRIC_READ,
    }


def metrics_of(found: Row, requests: float) -> float:
    """How many metrics have a value in an hour of a month with so many requests, which come at random.

    A metric is paid for the hours in which it has one.
    """
    rates: defaultdict[str, float] = defaultdict(float)
    kinds: dict[str, Row] = {}
    behind: defaultdict[tuple[str, int], float] = defaultdict(float)
    for name, lease in MIX.items():
        row = found["routes"][name]
        rate = requests / HOURS * lease / 1000
        rates[row["route"]] += rate
        kinds[row["route"]] = row["metrics"]
        for function, metrics in row["behind"]["metrics"].items():
            behind[function, metrics["function"]] += rate
    of_routes: float = sum(
        number * sum(_present(rates[route] * lease) for lease in _SHARES[dimensions])
        for route, metrics in kinds.items()
        for dimensions, number in metrics.items()
    )
    cold = sum(_present(rate * COLD) for rate in rates.values())
    of_streams = sum(number * _present(rate) for (_, number), rate in behind.items())
    of_purges = float(found["purge"]["metrics"]) * _present(requests / HOURS * _PURGED / 1000)
    return of_routes + cold + of_streams + float(found["sweep"]["metrics"]) + of_purges


_SHARES = {"method, route": (1.0,), "method, route, status": STATUSES, "method, route, le": BUCKETS}


def _present(rate: float) -> float:
    """The share of hours in which something happens that happens so often in an hour, on average."""
    return 1 - math.exp(-rate)


def _cold_starts(found: Row) -> float:
    """Of a million requests."""
    memory: float = sum(lease * found["routes"][name]["memory"] for name, lease in MIX.items()) / 1000
    return 1e6 * COLD * (STARTING * memory / 1024 * GB_SECOND + SECRETS_READ * SECRET_CALL)


def _keys(parts: dict[str, float], requests: float) -> float:
    """Of KMS. Nobody: the sweeper alone uses two tables, every ten minutes."""
    tables = _count("AWS::DynamoDB::Table")
    seconds = parts["time"] / GB_SECOND / 1e6 * 2  # of half a GB
    busy = requests / (HOURS * 3600) * seconds
    connections = max(1.0, busy) * _present(requests / HOURS / KEY_CALLS_AN_HOUR)
    return (SWEEPS * 2 + connections * tables * KEY_CALLS_AN_HOUR * HOURS) * KEY_CALL


def _memory(function: Row) -> int:
    """In MB, as the template has it if nobody says otherwise."""
    template = _template()
    memory = function.get("MemorySize", template["Globals"]["Function"]["MemorySize"])
    return int(template["Parameters"][memory["Ref"]]["Default"] if isinstance(memory, dict) else memory)


def _count(kind: str) -> int:
    return sum(each["Type"] == kind for each in _template()["Resources"].values())


def _polled() -> int:
    """How many queues have a function that handles their messages."""
    functions = [each for each in _template()["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
    return sum(event["Type"] == "SQS" for each in functions for event in each["Properties"].get("Events", {}).values())


def tables(found: Row) -> tuple[str, str, str]:
    """Of ``of_a_million``, ``of_a_month`` and ``of_what_is_off``, as the documents show them."""
    once, twice = of_a_million(found), of_a_million(found, 2.0)
    first = ["| paid for | USD | with every time doubled |", "|---|---|---|"]
    first += [f"| {name} | {usd:.2f} | {twice[name]:.2f} |" for name, usd in once.items()]
    first.append(f"| together | {sum(once.values()):.2f} | {sum(twice.values()):.2f} |")
    months = [of_a_month(found, people) for people in PEOPLE]
    second = _by_people("USD a month", months)
    second.append(_row("together", [sum(month.values()) for month in months]))
    third = _by_people("USD a month, if on", [of_what_is_off(found, people) for people in PEOPLE])
    return "\n".join(first), "\n".join(second), "\n".join(third)


@functools.cache
def _template() -> Row:
    """It takes a second to be read."""
    return templates.load()


def _by_people(heading: str, months: list[dict[str, float]]) -> list[str]:
    sizes = ["nobody" if not people else f"{people:,} people" for people in PEOPLE]
    lines = [f"| {heading} | {' | '.join(sizes)} |", "|---" * (len(sizes) + 1) + "|"]
    return lines + [_row(name, [month[name] for month in months]) for name in months[0]]


def _row(name: str, amounts: list[float]) -> str:
    return f"| {name} | {' | '.join(f'{usd:,.2f}' if usd < 100 else f'{usd:,.0f}' for usd in amounts)} |"


def _tiered(tiers: Tiers, amount: float) -> float:
    usd = 0.0
    for most, price in tiers:
        usd += min(amount, most) * price
        amount = max(0.0, amount - most)
    return usd


def _seconds(row: Row, further: float) -> float:
    lease = min(1.0, float(row["memory"]) / VCPU)
    return (CPU + further) / lease + float(row["in_sequence"]) * ROUND_TRIP


def main() -> None:
    # Here, and not above: what shows the price counts nothing.
    from tests.support import aws as aws_in_process  # noqa: PLC0415  # see above

    aws_in_process.prepare_environment()
    from bench.mix import counted  # noqa: PLC0415  # after the environment is set

    with aws_in_process.mocked():
        Path(sys.argv[1]).write_text(json.dumps(counted()), encoding="utf-8")


if __name__ == "__main__":
    main()
