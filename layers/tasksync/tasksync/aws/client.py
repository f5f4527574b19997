"""A client of one service: a request is written, signed, sent, tried again if that helps, and its answer read.

botocore's own client does the same for four hundred services, by walking through a description of each call, and that
is most of what a request here would cost (docs/performance.md). What is left of botocore is what knows the world
outside: credentials, certificates, connections, the partitions of AWS, errors, and the hook ``before-send``.

Tried again is what botocore's standard mode would try again, and as often:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

import json
import socket
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
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
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser
from botocore.retries.quota import RetryQuota

from tasksync.aws.endpoints import endpoint, session_for
from tasksync.aws.signature import Signer
from tasksync.runtime import deadline, randomness

_LONGEST_PAUSE_SECONDS = 20

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

# Of those, the ones that leave open whether the request is carried out.
_UNDECIDED_CODES = {
    "PriorRequestNotComplete",
    "RequestTimeout",
    "RequestTimeoutException",
    "TransactionInProgressException",
}

# What trying again takes from the quota, which fills up as calls succeed: where most of them fail, they fail fast.
_RETRY_COST, _TIMEOUT_RETRY_COST, _SUCCESS_REFUND = 5, 10, 1


class OutOfTime(BotoCoreError):
    """The function must answer before another attempt could be made."""

    fmt = "There is no time left for a request"


Answer = dict[str, Any]
Observer = Callable[[Mapping[str, Any] | None], None]
"""Told of each attempt: its answer, an error's too, or None if there was none."""


@dataclass(frozen=True, slots=True)
class Service:
    """How a service wants to be spoken to."""

    name: str
    target: str
    """What stands before the operation in X-Amz-Target."""
    media_type: str


DYNAMODB = Service("dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0")
SECRETS_MANAGER = Service("secretsmanager", "secretsmanager", "application/x-amz-json-1.1")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long an answer is waited for. Pauses between attempts are drawn from up to 1 s, 2 s, 4 s … 20 s."""

    connect_seconds: float
    read_seconds: float
    attempts: int

    @property
    def longest_seconds(self) -> float:
        """What one call takes at most."""
        pauses = sum(_longest_pause(attempt) for attempt in range(1, self.attempts))
        return self.attempts * (self.connect_seconds + self.read_seconds) + pauses


@dataclass(frozen=True, slots=True)
class Codec:
    """Writes and reads JSON. Bytes are written in base64, and not read back: see ``Client.call``."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


STANDARD_LIBRARY = Codec(lambda value: json.dumps(value).encode(), json.loads)


class Client:
    """May be used by several threads at once."""

    def __init__(
        self,
        service: Service,
        retry_policy: RetryPolicy,
        codec: Codec = STANDARD_LIBRARY,
        observe: Observer = lambda _: None,
        connections: int = 10,
    ) -> None:
        """``connections``: how many are kept, so how many threads may wait for answers without making one anew."""
        session = session_for(service.name)
        region = session.get_config_variable("region")
        if region is None:
            raise NoRegionError
        self.retry_policy = retry_policy
        self.events = session.get_component("event_emitter")
        """botocore's. ``before-send.SERVICE.OPERATION`` may answer in the network's place, or raise."""
        self.url = endpoint(session, service.name, region)
        self._service = service
        self.codec = codec
        self._observe = observe
        self._credentials = session.get_credentials()
        self._signer = Signer(service.name, region, self.url)
        self._quota = RetryQuota()
        self._user_agent = session.user_agent()
        self._http = URLLib3Session(
            verify=session.get_config_variable("ca_bundle") or True,
            max_pool_connections=connections,
            timeout=(retry_policy.connect_seconds, retry_policy.read_seconds),  # type: ignore[arg-type]  # its clients do so
            # Head and body are sent one after the other: Nagle's algorithm would have the body wait for an
            # acknowledgement of the head, 40 ms where the other side puts it off.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # type: ignore[list-item]  # no texts in fact
        )

    def call(
        self, operation: str, parameters: Mapping[str, Any], decode: Callable[[bytes], Any] | None = None
    ) -> Answer:
        """What the service answers: AWS's names, JSON's values; binary values stay in base64.

        ``decode`` reads the answer instead of the codec, if values are to become something else.

        Raises botocore's ``ClientError`` for an answer that is an error, a ``BotoCoreError`` where there is none: that
        of the last attempt, from that of an earlier one after which the request may have been carried out, if there was
        one (``may_be_carried_out``). No attempt takes longer than the function has left (``runtime/deadline.py``).
        """
        body = self.codec.encode(parameters)
        attempt, retry_cost = 1, 0
        undecided: Exception | None = None
        while True:
            left = deadline.seconds_left()
            if left <= 0:
                raise OutOfTime from undecided
            try:
                answer = self._attempt(operation, body, decode or self.codec.decode, left)
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
                return answer
            randomness.pause(longest_pause)
            attempt += 1

    def _has_time(self, pause: float) -> bool:
        """Whether another attempt can be made after a pause of this many seconds."""
        return deadline.seconds_left() >= pause + self.retry_policy.connect_seconds

    # Under this name PynamoDB calls.
    _make_api_call = call

    def _attempt(self, operation: str, body: bytes, decode: Callable[[bytes], Any], seconds: float) -> Answer:
        """``seconds``: how long the answer is waited for at most."""
        try:
            response = self._send(operation, body, seconds)
            content = _verified_content(response)
            answer = _error(response) if response.status_code >= 300 else _without_nulls(decode(content))
        except ValueError as error:  # not a JSON object
            self._observe(None)
            raise HTTPClientError(error=error) from error
        except Exception:  # Whatever it was, the attempt counts as one without an answer.
            self._observe(None)
            raise
        self._observe(answer)
        if response.status_code >= 300:
            raise ClientError(answer, operation)  # type: ignore[arg-type]  # its type knows no reasons
        return answer

    def _send(self, operation: str, body: bytes, seconds: float) -> AWSResponse:
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
        if seconds < self.retry_policy.read_seconds:
            request.context = {"read_timeout": seconds}  # type: ignore[attr-defined]  # its types are older than it
        listeners = self.events.emit(f"before-send.{self._service.name}.{operation}", request=request)
        mocked: AWSResponse | None = next((mocked for _, mocked in listeners if mocked is not None), None)
        return self._http.send(request) if mocked is None else mocked


def may_be_carried_out(error: BaseException) -> bool:
    """Whether the request that ``Client.call`` raised this for may have been carried out, or may still be."""
    return _is_undecided(error) or (error.__cause__ is not None and may_be_carried_out(error.__cause__))


def _is_undecided(error: BaseException) -> bool:
    """An attempt that got to the service, which did not say what became of it."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response["Error"]["Code"] in _UNDECIDED_CODES
    # Of this class are an answer that did not come in time, a connection that broke, an answer that could not be read.
    # What fails before anything is sent, such as a connection refused or credentials that are not there, is of others.
    return isinstance(error, HTTPClientError | ChecksumError)


def _longest_pause(attempt: int) -> float:
    """In seconds, before the next attempt."""
    return min(2.0 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)


def _verified_content(response: AWSResponse) -> bytes:
    """The body, if it is what DynamoDB says it is. Raises ``ChecksumError``."""
    content: bytes = response.content
    expected = response.headers.get("x-amz-crc32")
    if expected is not None and zlib.crc32(content) != int(expected):
        raise ChecksumError(checksum_type="crc32", expected_checksum=expected, actual_checksum=str(zlib.crc32(content)))
    return content


def _without_nulls(members: Any) -> Answer:
    """``members`` without nulls, as botocore has them. Raises ``ValueError`` for anything but a JSON object."""
    if not isinstance(members, dict):
        raise ValueError
    return {name: value for name, value in members.items() if value is not None}


def _error(response: AWSResponse) -> Answer:
    """An error as botocore reads it, with the reasons for which a transaction was cancelled."""
    parts = {"status_code": response.status_code, "headers": response.headers, "body": response.content}
    try:
        error: Answer = create_parser("json").parse(parts, None)  # type: ignore[arg-type]  # it takes none
    except (AttributeError, TypeError):  # JSON, and not of an error: botocore's parser reads it as if it were.
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
    """What another attempt costs; 0 if none would help."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        passing = status in _RETRIED_STATUSES or error.response["Error"]["Code"] in RETRIED_CODES
        return _RETRY_COST if passing else 0
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return _TIMEOUT_RETRY_COST
    return _RETRY_COST if isinstance(error, HTTPClientError | ConnectionError | ChecksumError) else 0
