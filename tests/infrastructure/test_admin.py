"""`make admin` against the tables as the functions keep them."""

import json

import boto3
import pytest

from infrastructure.admin import make_admin, note
from infrastructure.users import UnknownUser
from tests.support.aws import LOCK
from tests.support.product import Product


def test_an_admin_sees_people_they_share_no_room_with(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    assert ann.get(f"/users/{bob.id}").status == 404

    make_admin(product.aws.dynamodb, "UsersTable", ann.username.upper())

    assert ann.get(f"/users/{bob.id}").status == 200


def test_a_name_is_found_however_it_is_written(product: Product) -> None:
    ren = product.register("ren", username="Ren\u00e9 \u212bngstr\u00f6m")

    make_admin(product.aws.dynamodb, "UsersTable", "rene\u0301 \u00c5NGSTRO\u0308M")

    assert ren.get("/users/me").json()["role"] == "admin"


def test_the_new_role_is_a_new_version_of_the_profile(product: Product) -> None:
    ann = product.register("ann")
    before = ann.get("/users/me").json()

    make_admin(product.aws.dynamodb, "UsersTable", ann.username)

    after = ann.get("/users/me").json()
    assert after["version"] == before["version"] + 1
    assert after == before | {"role": "admin", "version": after["version"], "updated_at": after["updated_at"]}


def test_a_name_that_nobody_has_is_refused(product: Product) -> None:
    with pytest.raises(UnknownUser):
        make_admin(product.aws.dynamodb, "UsersTable", "nobody")


def test_a_user_who_is_being_deleted_is_nobody(product: Product) -> None:
    ann = product.register("ann")
    assert ann.delete("/users/me").status == 204

    with pytest.raises(UnknownUser):
        make_admin(product.aws.dynamodb, "UsersTable", ann.username)


def test_the_security_log_says_who_was_given_the_role_and_by_whom(product: Product) -> None:
    ann = product.register("ann")
    with LOCK:
        logs = boto3.client("logs")
        logs.create_log_group(logGroupName="/tasksync/AuthFunction")

        user_id = make_admin(product.aws.dynamodb, "UsersTable", ann.username)
        note(logs, "/tasksync/AuthFunction", user_id, "arn:aws:iam::123456789012:user/operator")

        [event] = logs.filter_log_events(logGroupName="/tasksync/AuthFunction")["events"]
    assert json.loads(event["message"]) == {
        "level": "INFO",
        "event": "security",
        "kind": "role_given",
        "user_id": ann.id,
        "role": "admin",
        "by": "arn:aws:iam::123456789012:user/operator",
    }
