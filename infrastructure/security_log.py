"""Writes lines of the security log for operator commands, which do not use the API.

``tasksync.http.security_log`` writes those of requests; ``docs/security.md`` lists the kinds.
"""

import json
import time
from typing import Any


def note(logs: Any, log_group: str, command: str, by: str, kind: str, **fields: Any) -> None:
    """Writes a line to a stream of its own. ``logs``: a boto3 client; ``by``: the ARN of whoever called the command."""
    now = time.time_ns()
    line = {"level": "INFO", "event": "security", "kind": kind, **fields, "by": by}
    stream = f"{command}/{now}"
    logs.create_log_stream(logGroupName=log_group, logStreamName=stream)
    event = {"timestamp": now // 1_000_000, "message": json.dumps(line)}
    logs.put_log_events(logGroupName=log_group, logStreamName=stream, logEvents=[event])
