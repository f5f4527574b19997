"""People who work while something is done to the service, and remember what was acknowledged."""

import random
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from tests.support.client import Answer, Client, Person


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
                answer = self._ask("POST", "/tasks", 201, json={"title": title, "room_id": self._room["id"]})
            else:
                path = f"/tasks/{self._dice.choice([*self.titles])}"
                self._ask("GET", path, 200)
                answer = self._ask("PATCH", path, 200, json={"title": title})
            if answer is not None:
                self.titles[answer.json()["id"]] = title
        self._person.connection.close()

    def _ask(self, method: str, path: str, expected: int, **options: Any) -> Answer | None:
        self.requests += 1
        try:
            answer = self._person.request(method, path, **options)
        except httpx.TransportError as error:
            self.failures.append(f"{method} {path}: {error!r}")
            return None
        if answer.status != expected:
            self.failures.append(f"{method} {path}: {answer}")
            return None
        return answer


@contextmanager
def working(workers: list[Worker]) -> Iterator[None]:
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
    return {item["task_id"]["S"]: item["title"]["S"] for item in items}
