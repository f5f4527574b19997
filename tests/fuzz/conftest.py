"""One stack for all that is sent to it."""

from collections.abc import Iterator

import pytest

from tests.journeys.service import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The product on a port and with data of its own."""
    running = Service(tmp_path_factory.mktemp("stack"))
    yield running
    running.stop()
