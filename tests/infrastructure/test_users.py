"""What the commands about one user have in common: whom they find, and their line of the security log."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from infrastructure import admin, reset_password
from infrastructure.users import UnknownUser
from tests.support.aws import LOCK
from tests.support.product import Product

# By name: carries it out and returns the user's id; writes its line; what of the line is its own.
Command = tuple[Callable[[Any, str, str], str], Callable[[Any, str, str, str], None], dict[str, str]]

COMMANDS: dict[str, Command] = {
    "make admin": (admin.make_admin, admin.note, {"kind": "role_given", "role": "admin"}),
    "make reset-password": (
        lambda *arguments: reset_password.issue(*arguments)[0],
        reset_password.note,
        {"kind": "recovery_issued"},
    ),
}

pytestmark = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


def test_a_name_is_found_in_any_spelling(product: Product, command: Command) -> None:
    ren = product.register("ren", username="Ren\u00e9 \u212bngstr\u00f6m")

    user_id = command[0](product.aws.dynamodb, "UsersTable", "rene\u0301 \u00c5NGSTRO\u0308M")

    assert user_id == ren.id


def test_an_unknown_name_is_refused(product: Product, command: Command) -> None:
    with pytest.raises(UnknownUser):
        command[0](product.aws.dynamodb, "UsersTable", "nobody")


def test_a_user_being_deleted_is_not_found(product: Product, command: Command) -> None:
    ann = product.register("ann")
    assert ann.delete("/users/me").status == 204

    with pytest.raises(UnknownUser):
        command[0](product.aws.dynamodb, "UsersTable", ann.username)


def test_the_security_log_names_the_user_and_the_operator_only(product: Product, command: Command) -> None:
    carry_out, note, own = command
    ann = product.register("ann")
    with LOCK:
        logs = boto3.client("logs")
        logs.create_log_group(logGroupName="/tasksync/AuthFunction")

        user_id = carry_out(product.aws.dynamodb, "UsersTable", ann.username)
        note(logs, "/tasksync/AuthFunction", user_id, "arn:aws:iam::123456789012:user/operator")

        [event] = logs.filter_log_events(logGroupName="/tasksync/AuthFunction")["events"]
    assert json.loads(event["message"]) == {
        "level": "INFO",
        "event": "security",
        "user_id": ann.id,
        "by": "arn:aws:iam::123456789012:user/operator",
        **own,
    }
