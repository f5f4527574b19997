"""The first reads of a cold container, when several are made at the same time."""

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute

from tasksync.dynamodb.core.connection import SharedModel

THREADS = 8
TABLES = 50


@pytest.fixture
def _restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def model(table: str) -> type[SharedModel]:
    """A kind of item of this table that nobody has used yet."""
    attributes = {"Meta": type("Meta", (), {"table_name": table}), "key": UnicodeAttribute(hash_key=True)}
    return type("Kind", (SharedModel,), attributes)


@pytest.mark.usefixtures("aws", "_restless")
def test_several_threads_may_be_the_first_to_use_a_table() -> None:
    failures: list[BaseException] = []

    def use(kind: Any, start: threading.Barrier) -> None:
        start.wait()
        try:
            kind._get_connection()  # noqa: SLF001  # what each call of PynamoDB begins with
        except Exception as error:
            failures.append(error)

    for number in range(TABLES):
        start = threading.Barrier(THREADS)
        threads = [threading.Thread(target=use, args=(model(f"first-{number}"), start)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert failures == []
