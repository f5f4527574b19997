"""Where a running local stack is: written down for the commands that work on it."""

import http.client
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config

from infrastructure import template as templates
from infrastructure.local.clients import ACCESS_KEY, local_client
from infrastructure.local.errors import NotRunning

DATA = templates.REPOSITORY / ".local"


@dataclass(frozen=True)
class Addresses:
    """Where a running stack is. ``outputs``: those of the CloudFormation stack, by name."""

    api_url: str
    aws_endpoint: str
    outputs: dict[str, str]

    def client(self, service: str, access_key: str = ACCESS_KEY, *, config: Config | None = None) -> Any:
        """An AWS client of this stack, such as ``client("dynamodb")``; its root user's, if not said otherwise."""
        return local_client(service, self.aws_endpoint, access_key, config)


def running_addresses(data_directory: Path = DATA) -> Addresses:
    """Where the stack with this data runs. Raises NotRunning."""
    try:
        content = json.loads(_addresses_file(data_directory).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotRunning from None
    addresses = Addresses(**content)
    connection = http.client.HTTPConnection(addresses.api_url.removeprefix("http://"), timeout=5)
    try:
        connection.connect()
    except OSError:
        # Left behind by a stack that was killed.
        raise NotRunning from None
    finally:
        connection.close()
    return addresses


def _addresses_file(data_directory: Path) -> Path:
    return data_directory / "stack.json"


def write(data_directory: Path, addresses: Addresses) -> None:
    file = _addresses_file(data_directory)
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(addresses), indent=2), encoding="utf-8")
    temporary.replace(file)


def forget(data_directory: Path) -> None:
    _addresses_file(data_directory).unlink(missing_ok=True)
