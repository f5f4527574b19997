"""Prints the table of all conditions."""

import sys

from tests.support.aws import prepare_environment

prepare_environment()

from tests.mutation.report import measure, table  # noqa: E402  # what is imported here reads the environment

results = measure(sys.argv[1] if len(sys.argv) > 1 else "")
print("\n".join(table(results)))
