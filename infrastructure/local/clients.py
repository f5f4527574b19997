"""AWS clients of the local stack, which reach this machine alone."""

import os
from typing import Any

from botocore.config import Config
from botocore.session import Session

REGION = "us-east-1"

# Of the local account's root user, who may do everything: ministack is told them when it is started.
ACCESS_KEY = "local"
SECRET_KEY = "local"  # noqa: S105  # no secret: the endpoint is reachable from this machine alone

# Neither the developer's profile nor their files count: a local command must not depend on, or reach, real AWS.
_ISOLATED = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def local_client(service: str, endpoint: str, access_key: str = ACCESS_KEY, config: Config | None = None) -> Any:
    """A client of the local stack. ``endpoint``: its AWS endpoint, such as ``http://127.0.0.1:8001``."""
    isolated = Config(proxies={}, retries={"total_max_attempts": 2})
    return Session(session_vars=_ISOLATED).create_client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=SECRET_KEY,
        config=isolated.merge(config) if config else isolated,
    )
