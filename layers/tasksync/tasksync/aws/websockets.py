"""Sends messages to open WebSockets, and closes them: the ``@connections`` API of a WebSocket API in API Gateway.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

import urllib.parse

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import BotoCoreError, NoCredentialsError, NoRegionError
from botocore.session import Session

from tasksync.aws.client import OutOfTime, Signer, seconds_left
from tasksync.aws.connections import Connections, Response
from tasksync.model.errors import DependencyFailed

SECONDS = 2
"""The maximum duration of a call. There is one attempt: a client that misses a message asks again within a minute."""

_CONNECT_SECONDS = 1
_GONE = 410


class WebSockets:
    """The open WebSockets of an API. Safe for threads."""

    def __init__(self, endpoint: str) -> None:
        """``endpoint``: the URL of the stage."""
        session = Session()
        region = session.get_config_variable("region")
        if region is None:
            raise NoRegionError
        parts = urllib.parse.urlsplit(endpoint)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._stage = parts.path.rstrip("/")
        self._signer = Signer("execute-api", region, endpoint)
        self._credentials = session.get_credentials()
        self._events = session.get_component("event_emitter")
        self._connections = Connections(endpoint, session.get_config_variable("ca_bundle"), _CONNECT_SECONDS)

    def send(self, connection_id: str, message: bytes) -> bool:
        """Send a message; False if the connection is not there. Raises ``DependencyFailed``."""
        return self._call("POST", connection_id, message)

    def close(self, connection_id: str) -> bool:
        """Close a connection; False if it is not there. Raises ``DependencyFailed``."""
        return self._call("DELETE", connection_id, b"")

    def _call(self, method: str, connection_id: str, body: bytes) -> bool:
        # Ids contain characters of base64.
        path = f"{self._stage}/@connections/{urllib.parse.quote(connection_id, safe='')}"
        try:
            response = self._send(method, path, body)
        except BotoCoreError as error:
            raise DependencyFailed from error
        if response.status_code == _GONE:
            return False
        if response.status_code >= 300:
            raise DependencyFailed
        return True

    def _send(self, method: str, path: str, body: bytes) -> AWSResponse | Response:
        if self._credentials is None:
            raise NoCredentialsError
        if seconds_left() <= SECONDS:
            raise OutOfTime
        headers = self._signer.signed_path(self._credentials.get_frozen_credentials(), method, path, body)
        request = AWSPreparedRequest(method, self._origin + path, headers, body, False)  # type: ignore[arg-type]  # any mapping
        listeners = self._events.emit(f"before-send.execute-api.{method}", request=request)
        mocked: AWSResponse | None = next((mocked for _, mocked in listeners if mocked is not None), None)
        return self._connections.send(headers, body, SECONDS, method, path) if mocked is None else mocked
