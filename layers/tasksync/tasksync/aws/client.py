"""A client of one AWS service: encodes, signs and sends a request, retries it, and decodes the response.

botocore's own client interprets a description of each call, which would be most of the CPU time of a request
(docs/engineering-log.md). This client uses only parts of botocore: credentials, certificates, the partitions of AWS,
errors, and the hook ``before-send``. Its connections are in ``connections.py``.

Retries are those of botocore's standard mode:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

import hashlib
import hmac
import json
import time
import urllib.parse
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's own
    ConnectTimeoutError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
)
from botocore.parsers import create_parser
from botocore.retries.quota import RetryQuota

from tasksync.aws.connections import Connections, Response
from tasksync.aws.endpoints import endpoint, session_for
from tasksync.runtime import deadline, randomness

_LONGEST_PAUSE_SECONDS = 20
_RESPONSE_SECONDS = 0.5
"""Enough for the function's own response and its log line."""

_RETRIED_STATUSES = {500, 502, 503, 504}
RETRIED_CODES = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}

# Those of them after which the request may have been processed.
_UNDECIDED_CODES = {
    "PriorRequestNotComplete",
    "RequestTimeout",
    "RequestTimeoutException",
    "TransactionInProgressException",
}

# Retries consume a quota that refills as calls succeed: if most calls fail, they fail without retries.
_RETRY_COST, _TIMEOUT_RETRY_COST, _SUCCESS_REFUND = 5, 10, 1

_NAMES = "content-type;host;x-amz-date;x-amz-target"
_NAMES_IN_SESSION = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"

_DEFAULT_PORTS = {"http": 80, "https": 443}


class OutOfTime(BotoCoreError):
    """The function has no time left for another attempt."""

    fmt = "There is no time left for a request"


Result = dict[str, Any]
Observer = Callable[[Mapping[str, Any] | None], None]
"""Called after each attempt, with its response (also an error), or None if there was none."""


@dataclass(frozen=True, slots=True)
class Service:
    """The protocol details of a service."""

    name: str
    target: str
    """The prefix of the operation in X-Amz-Target."""
    media_type: str


DYNAMODB = Service("dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0")
SECRETS_MANAGER = Service("secretsmanager", "secretsmanager", "application/x-amz-json-1.1")
SQS = Service("sqs", "AmazonSQS", "application/x-amz-json-1.0")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Timeouts and attempts. The pauses between attempts are random, up to 1 s, 2 s, 4 s … 20 s."""

    connect_seconds: float
    read_seconds: float
    attempts: int

    @property
    def longest_seconds(self) -> float:
        """The maximum duration of a call."""
        pauses = sum(_longest_pause(attempt) for attempt in range(1, self.attempts))
        return self.attempts * (self.connect_seconds + self.read_seconds) + pauses


@dataclass(frozen=True, slots=True)
class Codec:
    """Encodes and decodes JSON. Bytes are encoded in base64, and stay so when decoded: see ``Client.call``."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


STANDARD_LIBRARY = Codec(lambda value: json.dumps(value).encode(), json.loads)


class Signer:
    """Signs requests to one service in one region (AWS Signature Version 4).

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """

    def __init__(self, service: str, region: str, url: str) -> None:
        """``url``: of the endpoint. Its path is not signed here."""
        parts = urllib.parse.urlsplit(url)
        host = str(parts.hostname)
        self._host = host if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"
        self._service = service
        self._region = region
        self._key: tuple[str, str, bytes] = ("", "", b"")

    def signed(self, credentials: ReadOnlyCredentials, media_type: str, target: str, body: bytes) -> dict[str, str]:
        """The headers of a signed POST to the root path, with this Content-Type and X-Amz-Target."""
        now = _now()
        token = credentials.token
        secured = f"x-amz-security-token:{token}\n" if token else ""
        # Sorted by name.
        listed = f"content-type:{media_type}\nhost:{self._host}\nx-amz-date:{now}\n{secured}x-amz-target:{target}\n"
        names = _NAMES_IN_SESSION if token else _NAMES
        headers = self._authorized(credentials, now, names, f"POST\n/\n\n{listed}", body)
        headers["Content-Type"] = media_type
        headers["X-Amz-Target"] = target
        return headers

    def signed_path(self, credentials: ReadOnlyCredentials, method: str, path: str, body: bytes) -> dict[str, str]:
        """The headers of a signed request to this path, which is quoted as it is sent."""
        now = _now()
        token = credentials.token
        secured = f"x-amz-security-token:{token}\n" if token else ""
        names = f"host;x-amz-date{';x-amz-security-token' if token else ''}"
        # All services but S3 sign the path quoted once more.
        request = f"{method}\n{urllib.parse.quote(path)}\n\nhost:{self._host}\nx-amz-date:{now}\n{secured}"
        return self._authorized(credentials, now, names, request, body)

    def _authorized(
        self, credentials: ReadOnlyCredentials, now: str, names: str, request: str, body: bytes
    ) -> dict[str, str]:
        """The headers that make a request a signed one. ``request``: its method, path, query and headers as they are
        signed, of which ``names`` are the names.
        """
        day = now[:8]
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        digest = hashlib.sha256(f"{request}\n{names}\n{hashlib.sha256(body).hexdigest()}".encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
        signature = hmac.digest(self._signing_key(str(credentials.secret_key), day), text.encode(), "sha256").hex()
        credential = f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        headers = {"X-Amz-Date": now, "Authorization": f"AWS4-HMAC-SHA256 {credential}"}
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
        return headers

    def _signing_key(self, secret: str, day: str) -> bytes:
        """The signing key of one day (in UTC), cached."""
        known_secret, known_day, key = self._key
        if (known_secret, known_day) != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = secret, day, key
        return key


def _now() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


class Client:
    """Calls operations of one service. Safe for threads."""

    def __init__(
        self,
        service: Service,
        retry_policy: RetryPolicy,
        codec: Codec = STANDARD_LIBRARY,
        observe: Observer = lambda _: None,
    ) -> None:
        session = session_for(service.name)
        region = session.get_config_variable("region")
        if region is None:
            raise NoRegionError
        self.retry_policy = retry_policy
        self.events = session.get_component("event_emitter")
        """botocore's event hooks. A handler of ``before-send.SERVICE.OPERATION`` may return a response, or raise."""
        self.url = endpoint(session, service.name, region)
        self._service = service
        self.codec = codec
        self._observe = observe
        self._credentials = session.get_credentials()
        self._signer = Signer(service.name, region, self.url)
        self._quota = RetryQuota()
        self._user_agent = session.user_agent()
        self._connections = Connections(
            self.url, session.get_config_variable("ca_bundle"), retry_policy.connect_seconds
        )

    def call(
        self, operation: str, parameters: Mapping[str, Any], decode: Callable[[bytes], Any] | None = None
    ) -> Result:
        """Call an operation, and return the decoded response; binary values stay in base64.

        ``decode`` replaces the codec's decoder, to decode values to other types.

        Raises botocore's ``ClientError`` for an error response, and a ``BotoCoreError`` if there is none. It is the
        error of the last attempt. Its cause is the error of an earlier attempt after which the request may have been
        processed (``may_be_carried_out``). No attempt takes longer than the function has left
        (``runtime/deadline.py``).
        """
        body = self.codec.encode(parameters)
        attempt, retry_cost = 1, 0
        undecided: Exception | None = None
        while True:
            left = seconds_left()
            if left <= 0:
                raise OutOfTime from undecided
            try:
                result = self._attempt(operation, body, decode or self.codec.decode, left)
            except (BotoCoreError, ClientError) as error:
                retry_cost = _retry_cost(error)
                longest_pause = _longest_pause(attempt)
                is_last = attempt == self.retry_policy.attempts or not self._has_time(longest_pause)
                if retry_cost == 0 or is_last or not self._quota.acquire(retry_cost):
                    if undecided is None:
                        raise
                    raise error from undecided
                if _is_undecided(error):
                    undecided = error
            else:
                self._quota.release(retry_cost or _SUCCESS_REFUND)
                return result
            randomness.pause(longest_pause)
            attempt += 1

    def _has_time(self, pause: float) -> bool:
        """Whether there is time for another attempt after a pause of this many seconds."""
        return seconds_left() >= pause + self.retry_policy.connect_seconds

    # The name that PynamoDB calls.
    _make_api_call = call

    def _attempt(self, operation: str, body: bytes, decode: Callable[[bytes], Any], seconds: float) -> Result:
        """One attempt. ``seconds``: its maximum duration."""
        try:
            response = self._send(operation, body, seconds)
            content = _verified_content(response)
            result = _error(response) if response.status_code >= 300 else _without_nulls(decode(content))
        except ValueError as error:  # not a JSON object
            self._observe(None)
            raise HTTPClientError(error=error) from error
        except Exception:  # Any other error counts as an attempt without a response.
            self._observe(None)
            raise
        self._observe(result)
        if response.status_code >= 300:
            raise ClientError(result, operation)  # type: ignore[arg-type]  # its type knows no reasons
        return result

    def _send(self, operation: str, body: bytes, seconds: float) -> AWSResponse | Response:
        if self._credentials is None:
            raise NoCredentialsError
        headers = self._signer.signed(
            self._credentials.get_frozen_credentials(),
            self._service.media_type,
            f"{self._service.target}.{operation}",
            body,
        )
        headers["User-Agent"] = self._user_agent
        headers["Content-Length"] = str(len(body))
        request = AWSPreparedRequest("POST", self.url, headers, body, False)  # type: ignore[arg-type]  # any mapping
        read_seconds = min(seconds, self.retry_policy.read_seconds)
        # Where botocore tells listeners.
        request.context = {"read_timeout": read_seconds}  # type: ignore[attr-defined]  # its types are older than it
        listeners = self.events.emit(f"before-send.{self._service.name}.{operation}", request=request)
        mocked: AWSResponse | None = next((mocked for _, mocked in listeners if mocked is not None), None)
        if mocked is not None:
            return mocked
        return self._connections.send(headers, body, read_seconds)


def seconds_left() -> float:
    """The maximum duration of a request that starts now. Infinite without a deadline."""
    return deadline.remaining.get()() / 1000 - _RESPONSE_SECONDS


def may_be_carried_out(error: BaseException) -> bool:
    """Whether the request that failed with this error of ``Client.call`` may have been processed, or may still be."""
    return _is_undecided(error) or (error.__cause__ is not None and may_be_carried_out(error.__cause__))


def _is_undecided(error: BaseException) -> bool:
    """Whether the attempt may have reached the service, and its outcome is unknown."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response["Error"]["Code"] in _UNDECIDED_CODES
    # These classes are timeouts of responses, broken connections and unreadable responses. Errors before anything is
    # sent,
    # such as a refused connection or missing credentials, have other classes.
    return isinstance(error, HTTPClientError | ChecksumError)


def _longest_pause(attempt: int) -> float:
    """The maximum pause before the next attempt, in seconds."""
    return min(2.0 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)


def _verified_content(response: AWSResponse | Response) -> bytes:
    """The body, after comparing it with DynamoDB's checksum. Raises ``ChecksumError``."""
    content: bytes = response.content
    expected = response.headers.get("x-amz-crc32")
    if expected is not None and zlib.crc32(content) != int(expected):
        raise ChecksumError(checksum_type="crc32", expected_checksum=expected, actual_checksum=str(zlib.crc32(content)))
    return content


def _without_nulls(members: Any) -> Result:
    """``members`` without nulls, as botocore has them. Raises ``ValueError`` for anything but a JSON object."""
    if not isinstance(members, dict):
        raise ValueError
    return {name: value for name, value in members.items() if value is not None}


def _error(response: AWSResponse | Response) -> Result:
    """An error as botocore parses it, with the cancellation reasons of a transaction."""
    parts = {"status_code": response.status_code, "headers": response.headers, "body": response.content}
    try:
        error: Result = create_parser("json").parse(parts, None)  # type: ignore[arg-type]  # it takes none
    except (AttributeError, TypeError):  # JSON that is no error document: botocore's parser fails.
        error = create_parser("json").parse({**parts, "body": b""}, None)  # type: ignore[arg-type]  # as above
    if b"CancellationReasons" in response.content:
        reasons = _cancellation_reasons(response.content)
        if reasons is not None:
            error["CancellationReasons"] = reasons
    return error


def _cancellation_reasons(content: bytes) -> list[dict[str, Any]] | None:
    """One for each item of the transaction; None if the body has no such list."""
    try:
        members = json.loads(content)
    except ValueError:
        return None
    reasons = members.get("CancellationReasons") if isinstance(members, dict) else None
    return reasons if isinstance(reasons, list) and all(isinstance(each, dict) for each in reasons) else None


def _retry_cost(error: Exception) -> int:
    """What another attempt takes from the retry quota; 0 if a retry would not help."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        is_transient = status in _RETRIED_STATUSES or error.response["Error"]["Code"] in RETRIED_CODES
        return _RETRY_COST if is_transient else 0
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return _TIMEOUT_RETRY_COST
    return _RETRY_COST if isinstance(error, HTTPClientError | ConnectionError | ChecksumError) else 0
