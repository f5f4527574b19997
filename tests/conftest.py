"""Fixtures of all tests: a fresh account, and the product in it."""

from collections.abc import Callable, Iterator

import pytest

from tests.support import aws as aws_in_process
from tests.support import live
from tests.support.aws import Aws
from tests.support.product import Product

# Before any test module, and so anything of ours, is imported.
aws_in_process.prepare_environment()
live.install()


Figures = Callable[[str], None]


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their number: their content may differ each time (gzip writes the time into it), a name must not.

    All workers have to collect the same names, or none of their tests are run.
    """
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Takes what a test has measured, to be printed at the end of the run, whichever process the test ran in."""
    return lambda text: record_property("figures", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    finished = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    taken = [(report.nodeid, text) for report in finished for name, text in report.user_properties if name == "figures"]
    if taken:
        terminalreporter.section("figures")
    for _, text in sorted(taken):
        terminalreporter.write_line(str(text))


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
