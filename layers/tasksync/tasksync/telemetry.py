"""Structured logs: one JSON object a line on standard output, which Lambda hands to CloudWatch Logs.

Callers name each field; nothing is logged whole, so that no body, token or header slips in.
"""

import json
import sys
from typing import Any

from tasksync.settings import settings

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


def log(level: str, event: str, **fields: Any) -> None:
    """Write one line, if ``level`` is at or above the level set."""
    if _LEVELS[level] < _LEVELS[settings.log_level]:
        return
    # json escapes line breaks and control characters: a value cannot forge a second line.
    sys.stdout.write(json.dumps({"level": level, "event": event, **fields}, default=str) + "\n")
    sys.stdout.flush()
