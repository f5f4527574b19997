"""One stack for all journeys, as each brings people of its own; and one apart, for who judges everything stored."""

from collections.abc import Iterator

import pytest

from tests.journeys.service import Service

# Those that take longest. None of them is to begin when the others have ended.
_LONG = {
    "test_pipeline",
    "test_upgrades",
    "test_crash_recovery",
    "test_local_stack",
    "test_outage",
    "test_failure_queue",
    "test_webhooks",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first; of the others, any order is as good."""
    items.sort(key=lambda item: item.path.stem not in _LONG)


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
