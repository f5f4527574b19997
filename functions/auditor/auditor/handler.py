"""The auditor function: reads all tables and reports which invariants hold. Called manually (`make audit`)."""

import re
import time
from datetime import timedelta
from typing import Any

from tasksync.dynamodb.integrity.snapshots import AuditRepository
from tasksync.integrity.checks import ELSEWHERE, STATEMENTS, Auditor, Check, Finding
from tasksync.observability.logs import log
from tasksync.runtime import deadline
from tasksync.runtime.settings import settings
from tasksync.streams.records import Context

# The sweeper finds what the streams lost after ten minutes, and runs every ten minutes.
_OLDER_THAN_SECONDS = 1200

# A claim's key contains an address, a name or a room code. They may have spaces, so the rest of the text is removed.
_CLAIMS = re.compile(r"\b(EMAIL#|NAME#|CODE#).*", re.DOTALL)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns a finding for each invariant; ``complete`` is False if time ran out.

    ``older_than_seconds`` in the event: the age at which an unfinished removal is a violation; 1200 by default.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    older_than = timedelta(seconds=event.get("older_than_seconds", _OLDER_THAN_SECONDS))
    retention = timedelta(days=settings.activity_retention_days)
    in_trash = timedelta(days=settings.trash_days)
    report = Auditor(AuditRepository(), older_than, time.sleep, retention, in_trash).run(deadline.has_time)
    for finding in report.findings:
        for violation in finding.shown:
            log("ERROR", "invariant broken", request_id=context.aws_request_id, **_logged(violation))
    return {"complete": report.complete, "findings": [_finding(finding) for finding in report.findings]}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "invariant": finding.invariant,
        "statement": STATEMENTS[finding.invariant],
        "checked": finding.checked,
        "elsewhere": ELSEWHERE.get(finding.invariant),
        "violations": finding.violations,
        "shown": [_violation(violation) for violation in finding.shown],
    }


def _logged(violation: Check) -> dict[str, Any]:
    """A violation without names, addresses and room codes, which must not be logged."""
    return {name: _CLAIMS.sub(r"\1", str(value)) for name, value in _violation(violation).items()}


def _violation(violation: Check) -> dict[str, Any]:
    return {"invariant": violation.invariant, "item": violation.item, "fault": violation.fault}
