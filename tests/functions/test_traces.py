"""How many of our files a request passes, and how often a reader who follows its calls has to change the file.

Two counts: calls that go from one of our files into another; and changes of the file in the order of all calls, which
also has those that come back through a library or a loop.
Somebody who reads the code follows a request by these files and calls. The authorizer, which is another function, does
not count.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from infrastructure.template import REPOSITORY
from tests.support.client import Response
from tests.support.product import Product

_OURS = (str(REPOSITORY / "layers" / "tasksync"), str(REPOSITORY / "functions"))
_AUTHORIZER = str(REPOSITORY / "functions" / "authorizer")


class Trace:
    """A profiler that notes our files with the calls into them, properties included."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.hops: list[str] = []
        self.changes = 0
        self._last = ""
        self._authorizer: FrameType | None = None

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        called = frame.f_code.co_filename
        if event == "call" and self._authorizer is None and called.startswith(_AUTHORIZER):
            self._authorizer = frame
        elif event == "return" and frame is self._authorizer:
            self._authorizer = None
        if event != "call" or self._authorizer is not None or not called.startswith(_OURS):
            return
        self.files.add(called)
        self.changes += called != self._last
        self._last = called
        caller = frame.f_back.f_code.co_filename if frame.f_back else ""
        if caller != called and caller.startswith(_OURS):
            self.hops.append(f"{caller} -> {called}: {frame.f_code.co_qualname}")


def traced(send: Callable[[], Response]) -> Trace:
    """What a warm request passes: it is sent twice, and the second one counts."""
    assert send().status < 300
    trace = Trace()
    before = sys.getprofile()
    sys.setprofile(trace)
    try:
        response = send()
    finally:
        sys.setprofile(before)
    assert response.status < 300, response
    return trace


def keyed_post(product: Product) -> Callable[[], Response]:
    ann = product.register("ann")
    room = ann.open_room()
    keys = iter(("first", "second"))
    return lambda: ann.post(
        "/tasks", json={"title": "Chairs", "room_id": room["id"]}, headers={"Idempotency-Key": next(keys)}
    )


def list_of_a_room(product: Product) -> Callable[[], Response]:
    ann = product.register("ann")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    return lambda: ann.get(f"/rooms/{room['id']}/tasks")


def leaving(product: Product) -> Callable[[], Response]:
    ann, bob = product.register("ann"), product.register("bob")
    rooms = [ann.open_room(), ann.open_room()]
    for room in rooms:
        bob.join(room)
    return lambda: bob.delete(f"/rooms/{rooms.pop()['id']}/users/me")


@pytest.mark.parametrize(
    ("request_of", "files", "hops", "changes"),
    [(keyed_post, 18, 47, 50), (list_of_a_room, 23, 56, 68), (leaving, 20, 44, 57)],
)
def test_a_request_passes_few_files(
    product: Product, request_of: Callable[[Product], Callable[[], Response]], files: int, hops: int, changes: int
) -> None:
    trace = traced(request_of(product))

    assert len(trace.files) <= files, sorted(trace.files)
    assert len(trace.hops) <= hops, trace.hops
    assert trace.changes <= changes
