"""`python -m tests.timing`: refused sign-ins on a local stack of their own, those to be compared in random order.

Names that exist with a wrong password, against names that nobody has. Attempts are spread over accounts, so that none
meets its limit.
"""

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from infrastructure.local.stack import LocalStack
from tests.support.client import Client
from tests.timing.comparison import compare, quantiles

_ATTEMPTS_PER_ACCOUNT = 5
_WARM_UP = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=300, help="of each kind")
    parser.add_argument("--cost", type=int, default=12, help="of bcrypt")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as data, LocalStack(0, Path(data), {"BcryptCost": str(arguments.cost)}) as at:
        client = Client.over_http(at.api_url)
        names = [_registered(client) for _ in range(-(-(arguments.attempts + _WARM_UP) // _ATTEMPTS_PER_ACCOUNT))]
        known = [name for name in names for _ in range(_ATTEMPTS_PER_ACCOUNT)]
        kinds: dict[str, Callable[[], str]] = {"wrong password": known.pop, "unknown name": _name}
        for _ in range(_WARM_UP):
            _refused(client, known.pop())
        found = _measured(client, kinds, arguments.attempts)
    _report(found)
    return 0


def _name() -> str:
    return f"person-{secrets.token_hex(6)}"


def _registered(client: Client) -> str:
    return client.register(username=_name(), email=None).username


def _refused(client: Client, name: str) -> float:
    """Milliseconds until the refusal is here."""
    body = {"username": name, "password": "not the password of anybody"}
    began = time.perf_counter()
    response = client.post("/auth/login", json=body)
    taken = (time.perf_counter() - began) * 1000
    assert response.status == 401, response
    return taken


def _measured(client: Client, kinds: Mapping[str, Callable[[], str]], attempts: int) -> dict[str, list[float]]:
    order = [kind for kind in kinds for _ in range(attempts)]
    random.Random(1).shuffle(order)
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for kind in order:
        found[kind].append(_refused(client, kinds[kind]()))
    return found


def _report(found: Mapping[str, list[float]]) -> None:
    print(f"{'milliseconds':16}{'n':>5}" + "".join(f"{name:>9}" for name in ("5 %", "25 %", "50 %", "75 %", "95 %")))
    for kind, values in found.items():
        print(f"{kind:16}{len(values):>5}" + "".join(f"{each:9.2f}" for each in quantiles(values)))
    wrong, unknown = found.values()
    result = compare(wrong, unknown)
    low, high = result.interval
    print(f"Mann-Whitney: p = {result.p:.3f}; a wrong password takes longer in {result.likelier:.1%} of all pairs")
    print(f"medians differ by {result.difference:+.2f} ms, 95 % interval {low:+.2f} to {high:+.2f}")


if __name__ == "__main__":
    sys.exit(main())
