"""What starts with a function is paid for at each cold start: the packages that each imports before it is called."""

import json
import subprocess
import sys

import pytest

from tests.support.stack import Stack

STACK = Stack()

# botocore comes with the others.
AWS = {"botocore", "dateutil", "jmespath", "six", "urllib3"}
SIGNATURES = {"_cffi_backend", "cryptography", "jwt"}
TABLES = AWS | {"msgspec", "pynamodb"}
API = TABLES | {"chalice"}

EXPECTED = {
    "AuthFunction": API | SIGNATURES | {"bcrypt"},
    "AuthorizerFunction": AWS | SIGNATURES,
    "HealthFunction": API - {"pynamodb"},
    "MetricsFunction": API | {"boto3", "s3transfer"},
    "OverviewFunction": API,
    "PagesFunction": {"chalice", "msgspec"},
    "RoomsFunction": API,
    "TasksFunction": API | {"fractional_indexing"},
    "SyncFunction": API,
    "TicketsFunction": API,
    "SweeperFunction": TABLES | {"fractional_indexing"},
    "UsersFunction": API | {"bcrypt"},
    "WebhookDeliveryFunction": TABLES | {"standardwebhooks"},
    "WebhooksFunction": API,
}

# Taken by the others where they are installed, as here; they are in no layer.
TAKEN_HERE = {"AuthorizerFunction": {"bcrypt"}}
# PynamoDB's signals take blinker where it is installed, as here for Flask.
OPTIONAL = {"_openssl", "blinker", "certifi", "typing_extensions", "__mp_main__"}

_PROGRAM = """
import importlib, json, sys
before = set(sys.modules)
importlib.import_module(sys.argv[1])
names = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
print(json.dumps(sorted(names)))
"""


def imported(module: str) -> set[str]:
    """Top-level packages, without the standard library."""
    command = [sys.executable, "-c", _PROGRAM, module]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  # this file's own
    return set(json.loads(found))


@pytest.mark.parametrize("function", STACK.functions)
def test_a_function_imports_only_what_it_needs_at_start(function: str) -> None:
    module = STACK.functions[function]["Handler"].rpartition(".")[0]

    packages = imported(module) - {"tasksync", module.partition(".")[0]} - OPTIONAL

    assert packages - TAKEN_HERE.get(function, set()) == EXPECTED.get(function, TABLES)
