"""A load of known size: what was asked of each route, and how it was answered."""

import re
import threading
from collections import Counter
from types import TracebackType
from typing import Self

import httpx

from tests.support.client import Client
from tests.support.stack import Stack


class Tally:
    """Counts the responses that functions gave, by method, route and status."""

    def __init__(self, url: str) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self._lock = threading.Lock()
        self._routes = _routes()
        hooks = {"response": [self._count]}
        self.client = Client(httpx.Client(base_url=url, timeout=60, trust_env=False, event_hooks=hooks))
        """Whose requests are counted, and those of everybody who registers or signs in with it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.client.connection.close()

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def by_route(self) -> dict[tuple[str, str], int]:
        totals: Counter[tuple[str, str]] = Counter()
        for (method, route, _), count in self.counts.items():
            totals[method, route] += count
        return dict(totals)

    def _count(self, response: httpx.Response) -> None:
        method, path = response.request.method, response.request.url.path
        route = next(route for pattern, route in self._routes if pattern.fullmatch(path))
        with self._lock:
            self.counts[method, route, str(response.status_code)] += 1


def _routes() -> list[tuple[re.Pattern[str], str]]:
    """The routes of the template, those without parameters first."""
    stack = Stack()
    paths = {event["Path"] for function in stack.functions for event in stack.events(function, "Api")}
    return [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in sorted(paths, key=lambda each: "{" in each)
    ]
