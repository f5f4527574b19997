"""`make audit`: has the auditor check the invariants, in the running local stack or in a stack on AWS, and prints each.

Ends with 1 if an invariant is broken or the audit did not come to an end. Nothing is changed.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infrastructure import deployed
from infrastructure.local.errors import LocalStackError

# As long as Lambda lets a function run; a call that is cut off must not begin a second audit.
_PATIENT = Config(read_timeout=910, retries={"total_max_attempts": 1})

Report = Mapping[str, Any]


class AuditFailed(Exception):
    """The auditor ended with an error of its own. The message says with which."""


def audit(functions: Any, auditor: str, event: Mapping[str, Any]) -> Report:
    """What the auditor answers. ``functions``: a boto3 client of Lambda. Raises AuditFailed."""
    answer = functions.invoke(FunctionName=auditor, Payload=json.dumps(event).encode())
    report: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise AuditFailed(f"The audit failed: {report.get('errorMessage', report)}")
    return report


def lines(report: Report) -> Iterator[str]:
    """The report for the person at the terminal."""
    for finding in report["findings"]:
        outcome = "holds"
        if finding["violations"]:
            outcome = f"BROKEN {finding['violations']} times"
        elif finding["elsewhere"]:
            outcome = f"not decided here: {finding['elsewhere']}"
        yield f"{finding['invariant']:>3}  {finding['checked']:>8} checked  {finding['statement']}: {outcome}"
        for violation in finding["shown"]:
            yield f"{'':20}{violation['item']} {violation['fault']}"
    if not report["complete"]:
        yield "The audit did not come to an end: there was too little time to read all tables."


def clean(report: Report) -> bool:
    """Whether everything was read and nothing is broken."""
    return bool(report["complete"]) and not any(finding["violations"] for finding in report["findings"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", default="", help="name of a stack on AWS; the running local stack without it")
    arguments = parser.parse_args()
    try:
        stack = deployed.find(arguments.stack)
        report = audit(stack.client("lambda", config=_PATIENT), stack.outputs["AuditorFunction"], {})
    except (AuditFailed, LocalStackError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    for line in lines(report):
        print(line)
    return 0 if clean(report) else 1


if __name__ == "__main__":
    sys.exit(main())
