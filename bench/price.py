"""What a million requests of a typical mix cost: ``python -m bench.price`` reckons it from what ``bench.mix`` counts.

Prices are AWS's for us-east-1 in USD, first tier, without the free tier, as published in November 2025:
https://aws.amazon.com/api-gateway/pricing/ https://aws.amazon.com/lambda/pricing/
https://aws.amazon.com/dynamodb/pricing/on-demand/ https://aws.amazon.com/cloudwatch/pricing/
"""

from typing import Any

from tests.support import aws as aws_in_process

aws_in_process.prepare_environment()

from bench.mix import MIX, counted  # noqa: E402  # after the environment is set

GATEWAY = 3.50e-6
CALL = 0.20e-6
GB_SECOND = 0.0000133334
WRITE = 0.625e-6
READ = 0.125e-6
LOG_BYTE = 0.50e-9
BYTE_OUT = 0.09e-9

# Assumed, since times on AWS were not measured: CPU of a whole vCPU, a round trip, and a password, in seconds.
CPU, ROUND_TRIP, PASSWORD = 0.004, 0.005, 0.3
VCPU = 1769
REQUESTS_FOR_EACH_AUTHORIZER_CALL = 4

Row = dict[str, Any]


def measure(times: float = 1.0) -> dict[str, float]:
    """USD for a million requests, by what is paid. ``times``: that every billed time is so much longer."""
    found = counted()
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
        parts["gateway"] += requests * GATEWAY
        parts["data out"] += requests * row["answered"] * BYTE_OUT
    return {name: round(usd, 2) for name, usd in parts.items()}


def _seconds(row: Row, further: float) -> float:
    share = min(1.0, float(row["memory"]) / VCPU)
    return (CPU + further) / share + float(row["in_sequence"]) * ROUND_TRIP


def main() -> None:
    once, twice = measure(), measure(2.0)
    for name, usd in once.items():
        print(f"{name:10}{usd:8.2f}")
    print(f"{'together':10}{sum(once.values()):8.2f}; with every time doubled {sum(twice.values()):.2f}")


if __name__ == "__main__":
    with aws_in_process.mocked():
        main()
