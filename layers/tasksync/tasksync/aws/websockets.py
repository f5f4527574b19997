"""Sends messages to open WebSockets, and closes them: the ``@connections`` API of a WebSocket API in API Gateway.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import BotoCoreError, NoCredentialsError, NoRegionError
from botocore.httpsession import URLLib3Session
from botocore.session import Session

from tasksync.aws.client import OutOfTime, seconds_left
from tasksync.model.errors import DependencyFailed

SECONDS = 2
"""The maximum duration of a call. There is one attempt: a client that misses a message asks again within a minute."""

_GONE = 410


class WebSockets:
    """The open WebSockets of an API. Safe for threads."""

    def __init__(self, endpoint: str, connections: int) -> None:
        """``endpoint``: the URL of the stage. ``connections``: how many threads can reuse HTTP connections."""
        session = Session()
        region = session.get_config_variable("region")
        if region is None:
            raise NoRegionError
        self._endpoint = endpoint.rstrip("/")
        self._region = region
        self._credentials = session.get_credentials()
        self._events = session.get_component("event_emitter")
        self._http = URLLib3Session(
            verify=session.get_config_variable("ca_bundle") or True,
            max_pool_connections=connections,
            timeout=(1, SECONDS),  # type: ignore[arg-type]  # botocore's own clients do so
        )

    def send(self, connection_id: str, message: bytes) -> bool:
        """Send a message; False if the connection is not there. Raises ``DependencyFailed``."""
        return self._call("POST", connection_id, message)

    def close(self, connection_id: str) -> bool:
        """Close a connection; False if it is not there. Raises ``DependencyFailed``."""
        return self._call("DELETE", connection_id, b"")

    def _call(self, method: str, connection_id: str, body: bytes) -> bool:
        # Ids contain characters of base64.
        url = f"{self._endpoint}/@connections/{urllib.parse.quote(connection_id, safe='')}"
        try:
            response = self._send(method, url, body)
        except BotoCoreError as error:
            raise DependencyFailed from error
        if response.status_code == _GONE:
            return False
        if response.status_code >= 300:
            raise DependencyFailed
        return True

    def _send(self, method: str, url: str, body: bytes) -> AWSResponse:
        if self._credentials is None:
            raise NoCredentialsError
        if seconds_left() <= SECONDS:
            raise OutOfTime
        request = AWSRequest(method, url, data=body)
        SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(request)
        prepared = request.prepare()
        listeners = self._events.emit(f"before-send.execute-api.{method}", request=prepared)
        mocked: AWSResponse | None = next((mocked for _, mocked in listeners if mocked is not None), None)
        return self._http.send(prepared) if mocked is None else mocked
