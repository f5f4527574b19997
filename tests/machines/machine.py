"""What all machines have in common: an account of their own, requests held against a reference, and figures."""

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar

import httpx
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, get_state_machine_test

from tests.machines.reference import Refused
from tests.support.aws import Aws, environment
from tests.support.client import Person, Response
from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.stack import TEST_PARAMETERS, Stack

Json = dict[str, Any]

# Whether passwords are hashed slowly is not what is looked at here, and each example begins with people who register.
_PARAMETERS = {**TEST_PARAMETERS, "BcryptCost": "4"}


class Machine(RuleBasedStateMachine):
    """One example: an account, and what is done in it. Reads and writes are counted in ``figures``."""

    figures: ClassVar[Counter[str]]
    changed: ClassVar[set[tuple[str, str]]]
    """Fields of bodies with which a PUT or PATCH was carried out, each with the resource's kind: the last segment of
    the path that names one."""
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Of the deployment that the machine is for, where they are not those of all tests."""
    most_members: ClassVar[int] = 90
    """How many a room takes in the deployment that the machine is for."""

    def __init__(self) -> None:
        super().__init__()
        self._account = Aws(Stack({**_PARAMETERS, **self.parameters}))
        self.product = Product(self._account)
        self.figures["examples"] += 1
        self.product.anonymous.connection.event_hooks["response"].append(self._note_changes)

    def _note_changes(self, response: httpx.Response) -> None:
        if response.request.method in ("PUT", "PATCH") and response.status_code == 200:
            kind = response.request.url.path.split("/")[-2]
            self.changed.update((kind, name) for name in json.loads(response.request.content))

    def teardown(self) -> None:
        assert self._account.permissions.denied == [], self._account.permissions.denied
        report = call(self._account, "AuditorFunction", {})
        assert report["complete"]
        broken = [finding for finding in report["findings"] if finding["violations"]]
        assert broken == [], broken

    def expect(self, action: str, response: Response, success: int, reference: Callable[[], object]) -> bool:
        """Hold a response against what the reference says of the same request. Whether something was done."""
        refused = _refused(reference)
        if refused is None:
            assert response.status == success, response
            self.figures[action] += 1
            return True
        assert response.status == refused.status, (response, refused)
        assert response.json()["code"] == refused.code, (response, refused)
        self.figures[f"{action}: {refused.code}"] += 1
        return False

    def see(self, person: Person, path: str, **parameters: Any) -> Any:
        """What is read there."""
        self.figures["reads"] += 1
        response = person.get(path, params=parameters)
        assert response.status == 200, response
        return response.json()

    def see_nothing(self, person: Person, path: str) -> None:
        self.figures["reads"] += 1
        response = person.get(path)
        assert response.status == 404, response


def _refused(reference: Callable[[], object]) -> Refused | None:
    try:
        reference()
    except Refused as refused:
        return refused
    return None


def run(machine: type[Machine], number: int, examples: int, steps: int, *, shrink: bool = False) -> Counter[str]:
    """Examples made up from the seed ``number``, each of so many steps: the same ones each time. What was done in them.

    Raises what an example fails with. To ``shrink`` it to the steps that matter takes minutes.
    """
    machine.figures, machine.changed = Counter(), set()
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with _rooms_of(machine.most_members):
        seed(number)(get_state_machine_test(machine, settings=chosen))()
    return machine.figures


@contextmanager
def _rooms_of(most_members: int) -> Iterator[None]:
    """A deployment in which a room takes so many members."""
    everything = Stack().all_variables()
    with environment(everything):
        routes = importlib.import_module("rooms_api.routes")
    try:
        with environment({**everything, "MAX_ROOM_MEMBERS": str(most_members)}):
            importlib.reload(routes)  # what a cold start does
        yield
    finally:
        with environment(everything):
            importlib.reload(routes)


def summary(machine: type[Machine], figures: Counter[str]) -> str:
    """One line of what was done, and one of what was refused."""
    done = {name: count for name, count in sorted(figures.items()) if ": " not in name}
    refused = {name: count for name, count in sorted(figures.items()) if ": " in name}
    return f"{machine.__name__}: {_listed(done)}\n    refused: {_listed(refused)}"


def _listed(figures: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in figures.items())
