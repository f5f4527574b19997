"""The client of those services that speak AWS JSON: what it sends, what it makes of responses, when it tries again.

Where botocore does the same, botocore is what it is held against, so a new release that does it otherwise shows here.
"""

import json
import re
import time
import zlib
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import create_parser
from botocore.retries import standard

from tasksync.aws import client as aws
from tasksync.aws.client import DYNAMODB, SECRETS_MANAGER, Client, RetryPolicy, Signer
from tasksync.dynamodb.core.connection import shared_connection
from tests.layers.aws.replies import OPERATION, Replies, Reply, failed, found, within

SERVICES = [DYNAMODB, SECRETS_MANAGER]
ENDPOINT = "https://dynamodb.us-east-1.amazonaws.com/"
ITEM = {"task_id": {"S": "t1"}, "version": {"N": "3"}, "member_ids": {"SS": ["a", "b"]}, "gone": {"NULL": True}}
REASONS = [{"Code": "ConditionalCheckFailed", "Message": "no", "Item": {"version": {"N": "4"}}}, {"Code": "None"}]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Those made between attempts, in seconds; nobody waits for them."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@pytest.fixture
def observed() -> list[Any]:
    return []


@pytest.fixture
def made(observed: list[Any]) -> Callable[..., tuple[Client, Replies]]:
    """A client with three attempts, and the service that it reaches."""

    def make(*replies: Reply) -> tuple[Client, Replies]:
        client, service = Client(DYNAMODB, RetryPolicy(1, 3, 3), observe=observed.append), Replies(*replies)
        client.events = service.events
        return client, service

    return make


def test_a_response_is_parsed_as_by_botocore(made: Callable[..., tuple[Client, Replies]]) -> None:
    body = json.dumps({"Item": ITEM, "ConsumedCapacity": {"CapacityUnits": 0.5}, "LastEvaluatedKey": None}).encode()
    client, _ = made((200, body, {}))
    shape: Any = botocore.session.Session().get_service_model("dynamodb").operation_model(OPERATION).output_shape
    expected = create_parser("json").parse({"status_code": 200, "headers": {}, "body": body}, shape)

    response = client.call(OPERATION, {})

    assert {**response, "ResponseMetadata": expected["ResponseMetadata"]} == expected


def test_an_error_is_the_one_botocore_raises(made: Callable[..., tuple[Client, Replies]]) -> None:
    reply = failed(400, "TransactionCanceledException", CancellationReasons=REASONS)
    client, _ = made(reply)
    session: Any = botocore.session.Session(event_hooks=Replies(reply).events, include_builtin_handlers=False)
    theirs = session.create_client("dynamodb", config=Config(parameter_validation=False))

    with pytest.raises(ClientError) as expected:
        theirs.transact_write_items(TransactItems=[])
    with pytest.raises(ClientError) as raised:
        client.call("TransactWriteItems", {})

    assert raised.value.response["Error"] == expected.value.response["Error"]
    assert raised.value.response["CancellationReasons"] == REASONS
    assert str(raised.value) == str(expected.value)


@pytest.mark.parametrize("token", [None, "a session token"])
@pytest.mark.parametrize("url", [ENDPOINT, "http://localhost:4566/", "https://example.org:443/"])
def test_a_request_is_signed_as_botocore_signs_it(token: str | None, url: str) -> None:
    key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    credentials = ReadOnlyCredentials("AKIDEXAMPLE", key, token, None)
    body = b'{"TableName": "tasks"}'
    media_type, target = "application/x-amz-json-1.0", "DynamoDB_20120810.GetItem"
    fields = {"Content-Type": media_type, "X-Amz-Target": target}
    signer = Signer("dynamodb", "us-east-1", url)
    while True:  # all in the same second, as they themselves tell it
        ours = [signer.signed(credentials, media_type, target, body) for _ in range(2)]
        request = AWSRequest("POST", url, headers=fields, data=body)
        SigV4Auth(Credentials("AKIDEXAMPLE", key, token), "dynamodb", "us-east-1").add_auth(request)
        if {headers["X-Amz-Date"] for headers in ours} == {request.headers["X-Amz-Date"]}:
            break

    assert [headers["Authorization"] for headers in ours] == [request.headers["Authorization"]] * 2


def test_another_secret_key_makes_another_signature() -> None:
    signer = Signer("dynamodb", "us-east-1", ENDPOINT)

    both = [ReadOnlyCredentials("id", key, None, None) for key in "ab"]
    signatures = {signer.signed(each, "", "", b"")["Authorization"] for each in both}

    assert len({re.sub(".*Signature=", "", signature) for signature in signatures}) == 2


@pytest.mark.parametrize("service", SERVICES)
def test_a_request_follows_the_service_model(service: aws.Service) -> None:
    metadata = botocore.session.Session().get_service_model(service.name).metadata

    assert metadata["targetPrefix"] == service.target
    assert f"application/x-amz-json-{metadata['jsonVersion']}" == service.media_type
    assert "json" in metadata["protocols"]
    assert metadata["endpointPrefix"] == service.name


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "mx-central-1"])
@pytest.mark.parametrize("service", SERVICES)
def test_an_endpoint_is_resolved_as_by_botocore(
    service: aws.Service, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    theirs = botocore.session.Session().create_client(service.name)

    assert Client(service, RetryPolicy(1, 3, 1)).url == theirs.meta.endpoint_url + "/"


@pytest.mark.parametrize("service", SERVICES)
def test_the_environment_may_override_one_endpoint_or_all(
    service: aws.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier = botocore.session.Session().get_service_model(service.name).service_id
    [other] = [each for each in SERVICES if each != service]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{identifier.replace(' ', '_').upper()}", "http://localhost:4566")

    assert Client(service, RetryPolicy(1, 3, 1)).url == "http://localhost:4566/"
    assert Client(other, RetryPolicy(1, 3, 1)).url == "http://localhost:1/"


@pytest.mark.parametrize(
    "passing",
    [
        failed(500, "InternalServerError"),
        failed(503, "ServiceUnavailable"),
        (502, b"<html>no JSON</html>", {}),
        (502, b"null", {}),
        (503, b"[]", {}),
        (500, b'{"__type": null}', {}),
        (500, b'{"__type": 1}', {}),
        (500, b"\xff\xfe", {}),
        (500, b'"CancellationReasons"', {}),
        (500, b'{"message": "CancellationReasons"}', {}),
        (500, b'{"CancellationReasons": [null]}', {}),
        (500, b'{"CancellationReasons": ', {}),
        failed(400, "ThrottlingException"),
        failed(400, "ProvisionedThroughputExceededException"),
        failed(400, "TransactionInProgressException"),
        ConnectTimeoutError(endpoint_url=ENDPOINT),
        ReadTimeoutError(endpoint_url=ENDPOINT),
        HTTPClientError(error=OSError()),
        (200, b'{"Item": {}}', {"x-amz-crc32": "1"}),
        (200, b'{"Item": {', {}),
        (200, b"null", {}),
        (200, b"[]", {}),
    ],
)
def test_transient_errors_are_retried(
    passing: Reply, made: Callable[..., tuple[Client, Replies]], pauses: list[float], observed: list[Any]
) -> None:
    client, service = made(passing, passing, found(task_id={"S": "t1"}))

    assert client.call(OPERATION, {}) == {"Item": {"task_id": {"S": "t1"}}}

    assert len(service.sent) == len(observed) == 3
    assert len({request.body for request in service.sent}) == 1
    assert 0 <= pauses[0] <= 1
    assert 0 <= pauses[1] <= 2


@pytest.mark.parametrize(
    "lasting",
    [
        failed(400, "ConditionalCheckFailedException"),
        failed(400, "TransactionCanceledException", CancellationReasons=REASONS),
        failed(400, "ValidationException"),
        failed(400, "AccessDeniedException"),
        NoCredentialsError(),
    ],
)
def test_permanent_errors_are_not_retried(
    lasting: Reply, made: Callable[..., tuple[Client, Replies]], pauses: list[float], observed: list[Any]
) -> None:
    client, service = made(lasting)

    with pytest.raises((ClientError, BotoCoreError)):
        client.call(OPERATION, {})

    assert len(service.sent) == len(observed) == 1
    assert pauses == []


def test_the_last_error_is_raised(made: Callable[..., tuple[Client, Replies]], pauses: list[float]) -> None:
    client, service = made(*[(200, b"{}", {"x-amz-crc32": "1"})] * 3)

    with pytest.raises(ChecksumError, match=str(zlib.crc32(b"{}"))):
        client.call(OPERATION, {})

    assert len(service.sent) == 3
    assert len(pauses) == 2


def test_while_nearly_all_calls_fail_retries_stop(
    made: Callable[..., tuple[Client, Replies]], pauses: list[float]
) -> None:
    client, service = made(*[failed(500, "InternalServerError")] * 1000)

    for _ in range(100):
        with pytest.raises(ClientError):
            client.call(OPERATION, {})

    assert len(service.sent) == 200  # two more attempts each, until 500 are spent at 5 a time
    assert len(pauses) == 100


def test_without_time_nothing_is_sent_or_retried(
    made: Callable[..., tuple[Client, Replies]], pauses: list[float]
) -> None:
    client, service = made(failed(500, "InternalServerError"), found())

    with pytest.raises(aws.OutOfTime):
        within(500, lambda: client.call(OPERATION, {}))
    sent = len(service.sent)
    with pytest.raises(ClientError):
        within(1_400, lambda: client.call(OPERATION, {}))

    assert (sent, len(service.sent), pauses) == (0, 1, [])


def test_the_retried_error_codes_are_those_of_botocore() -> None:
    transient, throttled = vars(standard.TransientRetryableChecker), vars(standard.ThrottledRetryableChecker)

    assert {*transient["_TRANSIENT_ERROR_CODES"], *throttled["_THROTTLED_ERROR_CODES"]} == aws.RETRIED_CODES


def test_both_codecs_encode_and_decode_the_same() -> None:
    msgspec = shared_connection().client.codec
    value = {
        "Item": {"a": {"S": 'ü "quoted" \u2028'}, "b": {"N": "1E+2"}, "c": {"L": [{"BOOL": True}, {"NULL": True}]}}
    }

    assert json.loads(msgspec.encode(value)) == json.loads(aws.STANDARD_LIBRARY.encode(value)) == value
    assert msgspec.decode(json.dumps(value).encode()) == value
