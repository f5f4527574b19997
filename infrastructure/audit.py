"""`make audit`: has the auditor check the invariants, in the running local stack or in a stack on AWS, and prints each.

Ends with 1 if an invariant is broken or the audit did not come to an end. Nothing is changed.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from infrastructure import deployed

Report = Mapping[str, Any]


def audit(functions: Any, auditor: str, event: Mapping[str, Any]) -> Report:
    """What the auditor answers. ``functions``: a boto3 client of Lambda. Raises ``deployed.FunctionFailed``."""
    report: Report = deployed.invoke(functions, auditor, event)
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
    parser = deployed.arguments(__doc__)
    arguments = parser.parse_args()
    try:
        stack = deployed.find(arguments.stack)
        report = audit(deployed.functions(stack.client), stack.outputs["AuditorFunction"], {})
    except deployed.Failure as error:
        print(f"The audit did not come to an end: {error}", file=sys.stderr)
        return 1
    for line in lines(report):
        print(line)
    return 0 if clean(report) else 1


if __name__ == "__main__":
    sys.exit(main())
