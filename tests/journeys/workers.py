"""People who work while something is done to the service, and remember what was acknowledged."""

import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

from tests.support.client import Client, Person, Response

# The authorizer's patience for one response (functions/authorizer/authorizer/store.py), which it asks for twice.
_AUTHORIZER_WAITS_SECONDS = 1.0


class Runs(Protocol):
    def run(self, over: threading.Event) -> None:
        """Until told to stop."""


class Worker:
    """Somebody who plans tasks, changes and reads them until told to stop, and remembers what was acknowledged.

    ``pause``: seconds between two of their changes.
    """

    def __init__(self, url: str, seed: int, pause: float = 0) -> None:
        self._person: Person = Client.over_http(url).register(f"worker-{seed}")
        self._room = self._person.open_room()
        self._dice = random.Random(seed)
        self._pause = pause
        self.titles: dict[str, str] = {}
        self.failures: list[str] = []
        self.requests = 0

    def run(self, over: threading.Event) -> None:
        while not over.wait(self._pause):
            title = uuid.uuid4().hex
            if not self.titles or self._dice.random() < 0.4:
                response = self._ask("POST", "/tasks", 201, json={"title": title, "room_id": self._room["id"]})
            else:
                path = f"/tasks/{self._dice.choice([*self.titles])}"
                self._ask("GET", path, 200)
                response = self._ask("PATCH", path, 200, json={"title": title})
            if response is not None:
                self.titles[response.json()["id"]] = title
        self._person.connection.close()

    def _ask(self, method: str, path: str, expected: int, **options: Any) -> Response | None:
        self.requests += 1
        try:
            response = self._person.request(method, path, **options)
        except httpx.TransportError as error:
            self.failures.append(f"{method} {path}: {error!r}")
            return None
        if response.status != expected:
            self.failures.append(f"{method} {path}: {response}")
            return None
        return response


class Watch:
    """Asks the local AWS all the time, and remembers the longest that it took to answer.

    It is one process, and answers nobody while it translates a template: for 0.6 s where the machine has nothing else
    to do. ``dynamodb``: a client of it.
    """

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self.longest = 0.0

    def run(self, over: threading.Event) -> None:
        while not over.wait(0.05):
            asked = time.monotonic()
            self._dynamodb.list_tables()
            self.longest = max(self.longest, time.monotonic() - asked)


def failures(workers: Sequence[Worker], watch: Watch) -> list[str]:
    """What the local AWS is not to blame for: where it was silent for longer than the authorizer waits, on a busy
    machine, the API may say that it is unavailable, and nothing else.
    """
    found = [failure for worker in workers for failure in worker.failures]
    if watch.longest < _AUTHORIZER_WAITS_SECONDS:
        return found
    return [failure for failure in found if '"code": "dependency_failed"' not in failure]


@contextmanager
def working(workers: Sequence[Runs]) -> Iterator[None]:
    """They work, each in a thread, while the block runs."""
    over = threading.Event()
    with ThreadPoolExecutor(len(workers)) as threads:
        running = [threads.submit(worker.run, over) for worker in workers]
        try:
            yield
        finally:
            over.set()
        for each in running:
            each.result()


def titles(items: list[dict[str, Any]]) -> dict[str, str]:
    """Of the items of the tasks table, in DynamoDB's own form: by task."""
    return {item["item"]["S"]: item["title"]["S"] for item in items if "title" in item}
