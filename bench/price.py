"""P7: what a million requests of a typical mix cost, and a month of so many people.

``python -m bench.price OUTPUT`` counts what requests take, a process of its own.

Reckoned from what ``bench.mix`` counts, with AWS's prices for us-east-1 in USD, without the free tier, as known when
this was written; look them up before you decide. But for the gateway, whose price falls most, those of the first tier:
https://aws.amazon.com/api-gateway/pricing/ https://aws.amazon.com/lambda/pricing/
https://aws.amazon.com/dynamodb/pricing/on-demand/ https://aws.amazon.com/cloudwatch/pricing/
https://aws.amazon.com/secrets-manager/pricing/
"""

import json
import math
import sys
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
    "GET /rooms/{room_id}/tasks": 150,
    "GET /rooms/{room_id}/tasks, one status": 60,
    "GET /rooms/{room_id}/tasks, of one person": 30,
    "GET /rooms/{room_id}/users": 40,
    "GET /rooms/{room_id}/activity": 20,
    "GET /users/{user_id}": 20,
    "POST /keys/resolve": 10,
    # A task is planned, changed not quite twice, and one of three is deleted.
    "POST /tasks": 30,
    "PATCH /tasks/{task_id}": 50,
    "DELETE /tasks/{task_id}": 10,
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

# REST requests of a month: up to so many more, each at so much.
GATEWAY = ((333e6, 3.50e-6), (667e6, 2.80e-6), (19e9, 2.38e-6), (math.inf, 1.51e-6))
CALL = 0.20e-6
GB_SECOND = 0.0000133334
WRITE = 0.625e-6
READ = 0.125e-6
LOG_BYTE = 0.50e-9
BYTE_OUT = 0.09e-9

# By the month. A byte that is stored may be restored to any second of 35 days.
STORED_BYTE = (0.25 + 0.20) * 1e-9
ALARM, DASHBOARD, SECRET, METRIC = 0.10, 3.00, 0.40, 0.30

# Assumed, since times on AWS were not measured: CPU of a whole vCPU, a round trip, and a password, in seconds.
CPU, ROUND_TRIP, PASSWORD = 0.004, 0.005, 0.3
VCPU = 1769
REQUESTS_FOR_EACH_AUTHORIZER_CALL = 4

# Assumed of a person: fifty requests a day, twenty tasks, and of each task three entries of the audit trail.
REQUESTS_A_MONTH = 50 * 30
TASKS, ENTRIES = 20, 60

# Of a route that is used in every hour: see docs/metrics.md.
METRICS_OF_ROUTE = 13

Row = dict[str, Any]


def of_a_million(found: Row, times: float = 1.0) -> dict[str, float]:
    """USD for a million requests, by what is paid. ``times``: that every billed time is so much longer."""
    parts = dict.fromkeys(("gateway", "calls", "time", "reads", "writes", "logs", "data out"), 0.0)
    for name, share in MIX.items():
        row = found["routes"][name]
        requests = share * 1000
        called: list[tuple[Row, float, float]] = [
            (row, requests, PASSWORD * (name in ("POST /auth/login", "POST /auth/register")))
        ]
        called.append((row["behind"] | {"memory": 512}, requests * bool(row["behind"]["calls"]), 0.0))
        if row["token"]:
            called.append((found["authorizer"], requests / REQUESTS_FOR_EACH_AUTHORIZER_CALL, 0.0))
        for each, calls, further in called:
            parts["calls"] += calls * CALL
            parts["time"] += calls * times * _seconds(each, further) * each["memory"] / 1024 * GB_SECOND
            parts["reads"] += calls * each["reads"] * READ
            parts["writes"] += calls * each.get("writes", 0) * WRITE
            parts["logs"] += calls * each["logged"] * LOG_BYTE
        parts["data out"] += requests * row["answered"] * BYTE_OUT
    parts["gateway"] = _gateway(1e6)
    return parts


def of_a_month(found: Row, people: int) -> dict[str, float]:
    """USD for a month of so many people: of requests, of what is stored, and of what is paid at any size."""
    requests = people * REQUESTS_A_MONTH
    parts = of_a_million(found)
    stored = found["stored"]
    kept = people * (stored["person"] + TASKS * stored["task"] + ENTRIES * stored["entry"])
    return {
        "requests": _gateway(requests) + (sum(parts.values()) - parts["gateway"]) * requests / 1e6,
        "storage": kept * STORED_BYTE,
        "always": _always(),
    }


def tables(found: Row) -> tuple[str, str]:
    """Of ``of_a_million`` and of ``of_a_month``, as the documents show them."""
    once, twice = of_a_million(found), of_a_million(found, 2.0)
    first = ["| paid for | USD | with every time doubled |", "|---|---|---|"]
    first += [f"| {name} | {usd:.2f} | {twice[name]:.2f} |" for name, usd in once.items()]
    first.append(f"| together | {sum(once.values()):.2f} | {sum(twice.values()):.2f} |")
    second = [
        "| people | requests a month | of requests | of storage | at any size | together |",
        "|---|---|---|---|---|---|",
    ]
    for people in (1_000, 100_000, 10_000_000):
        usd = of_a_month(found, people)
        cells = [f"{each:,.0f}" for each in (*usd.values(), sum(usd.values()))]
        second.append(f"| {people:,} | {people * REQUESTS_A_MONTH / 1e6:,.1f} million | {' | '.join(cells)} |")
    return "\n".join(first), "\n".join(second)


def _always() -> float:
    template = templates.load()
    kinds = [each["Type"] for each in template["Resources"].values()]
    events = [
        event
        for each in template["Resources"].values()
        for event in each.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "Api" and event["Properties"]["Method"].lower() != "options"
    ]
    alarms, secrets = kinds.count("AWS::CloudWatch::Alarm"), kinds.count("AWS::SecretsManager::Secret")
    return alarms * ALARM + DASHBOARD + secrets * SECRET + len(events) * METRICS_OF_ROUTE * METRIC


def _gateway(requests: float) -> float:
    usd = 0.0
    for most, price in GATEWAY:
        usd += min(requests, most) * price
        requests = max(0.0, requests - most)
    return usd


def _seconds(row: Row, further: float) -> float:
    share = min(1.0, float(row["memory"]) / VCPU)
    return (CPU + further) / share + float(row["in_sequence"]) * ROUND_TRIP


def main() -> None:
    # Here, and not above: what shows the price counts nothing.
    from tests.support import aws as aws_in_process  # noqa: PLC0415  # see above

    aws_in_process.prepare_environment()
    from bench.mix import counted  # noqa: PLC0415  # after the environment is set

    with aws_in_process.mocked():
        Path(sys.argv[1]).write_text(json.dumps(counted()), encoding="utf-8")


if __name__ == "__main__":
    main()
