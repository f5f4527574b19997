"""The people who ask, once for all questions of a worker."""

from collections.abc import Iterator

import pytest

from tests.functions.authorization.callers import Scene
from tests.support.aws import Aws, environment
from tests.support.product import Product


@pytest.fixture(scope="module")
def scene(_mocked_aws: None) -> Iterator[Scene]:
    """Each test leaves it as it was."""
    account = Aws()
    with environment(account.stack.all_variables()):
        yield Scene(Product(account))
    assert account.permissions.denied == []
