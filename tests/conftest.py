"""Fixtures of all tests: a fresh account, and the product in it."""

from collections.abc import Iterator

import pytest

from tests.support import aws as aws_in_process
from tests.support.aws import Aws
from tests.support.product import Product

# Before any test module, and so anything of ours, is imported.
aws_in_process.prepare_environment()


@pytest.fixture(scope="session")
def _mocked_aws() -> Iterator[None]:
    with aws_in_process.mocked():
        yield


@pytest.fixture
def aws(_mocked_aws: None) -> Iterator[Aws]:
    """A fresh account with the template's tables and secrets, and the variables of all functions set."""
    account = Aws()
    with aws_in_process.environment(account.stack.all_variables()):
        yield account
    assert account.permissions.denied == [], "a function did what its policies in template.yaml do not allow"


@pytest.fixture
def product(aws: Aws) -> Product:
    """The product in a fresh account."""
    return Product(aws)
