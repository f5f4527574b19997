"""Fixtures of the tests of rooms."""

import importlib
from collections.abc import Iterator

import pytest

from tests.support.aws import Aws, environment


@pytest.fixture
def small_limits(aws: Aws) -> Iterator[None]:
    """A deployment in which a room takes three members, and a person is in at most two rooms."""
    routes = importlib.import_module("rooms_api.routes")
    everything = aws.stack.all_variables()
    with environment({**everything, "MAX_ROOM_MEMBERS": "3", "MAX_ROOMS_PER_USER": "2"}):
        importlib.reload(routes)  # what a cold start does
    yield
    importlib.reload(routes)
