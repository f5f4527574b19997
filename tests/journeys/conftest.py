"""One stack for all journeys, as each brings people of its own; and one apart, for who judges everything stored."""

from collections.abc import Iterator

import pytest

from tests.journeys.service import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The product on a port and with data of its own, never the developer's; nothing is left of it afterwards."""
    running = Service(tmp_path_factory.mktemp("stack"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same, on which no other file's journeys have left anything."""
    running = Service(tmp_path_factory.mktemp("fresh"))
    yield running
    running.stop()
