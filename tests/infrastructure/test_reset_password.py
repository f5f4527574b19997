"""`make reset-password` against the tables as the functions keep them."""

import json

import boto3
import pytest

from infrastructure.reset_password import issue, note
from infrastructure.users import UnknownUser
from tests.support.aws import LOCK
from tests.support.product import Product


def test_a_name_is_found_however_it_is_written(product: Product) -> None:
    ren = product.register("ren", username="Ren\u00e9 \u212bngstr\u00f6m")

    user_id, token = issue(product.aws.dynamodb, "UsersTable", "rene\u0301 \u00c5NGSTRO\u0308M")

    assert user_id == ren.id
    body = {"token": token, "new_password": "eleven quiet herons over Lake 47"}
    assert product.anonymous.post("/auth/recovery/complete", json=body).status == 204


def test_only_a_digest_is_stored(product: Product) -> None:
    ann = product.register("ann")

    _, token = issue(product.aws.dynamodb, "UsersTable", ann.username)

    assert token.partition(".")[2] not in repr(product.items("UsersTable"))


def test_a_name_that_nobody_has_is_refused(product: Product) -> None:
    with pytest.raises(UnknownUser):
        issue(product.aws.dynamodb, "UsersTable", "nobody")


def test_a_user_who_is_being_deleted_is_nobody(product: Product) -> None:
    ann = product.register("ann")
    assert ann.delete("/users/me").status == 204

    with pytest.raises(UnknownUser):
        issue(product.aws.dynamodb, "UsersTable", ann.username)


def test_the_security_log_says_for_whom_and_by_whom_and_not_the_token(product: Product) -> None:
    ann = product.register("ann")
    with LOCK:
        logs = boto3.client("logs")
        logs.create_log_group(logGroupName="/tasksync/AuthFunction")

        user_id, _ = issue(product.aws.dynamodb, "UsersTable", ann.username)
        note(logs, "/tasksync/AuthFunction", user_id, "arn:aws:iam::123456789012:user/operator")

        [event] = logs.filter_log_events(logGroupName="/tasksync/AuthFunction")["events"]
    assert json.loads(event["message"]) == {
        "level": "INFO",
        "event": "security",
        "kind": "recovery_issued",
        "user_id": ann.id,
        "by": "arn:aws:iam::123456789012:user/operator",
    }
