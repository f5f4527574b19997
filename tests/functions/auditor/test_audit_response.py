"""What the auditor answers to who calls it."""

import json

import pytest

from tests.support import tables
from tests.support.function_calls import call
from tests.support.product import Product

INVARIANTS = [f"I{number}" for number in (*range(9), *range(10, 14), *range(15, 20))]


def test_the_response_has_each_invariant_with_its_counts(product: Product) -> None:
    product.register().open_room()

    response = call(product.aws, "AuditorFunction", {})

    assert response["complete"]
    assert [finding["invariant"] for finding in response["findings"]] == INVARIANTS
    assert all(finding["violations"] == 0 and finding["statement"] for finding in response["findings"])
    assert {finding["invariant"] for finding in response["findings"] if finding["elsewhere"]} == {"I7"}


def test_a_violation_is_returned_and_logged(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    room = product.register().open_room()
    tables.change(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, member_count=7)

    response = call(product.aws, "AuditorFunction", {})

    broken = {finding["invariant"]: finding for finding in response["findings"]}["I1"]
    assert broken["violations"] == 1
    assert broken["shown"] == [
        {"invariant": "I1", "item": room["id"], "fault": "has member_count 7, and 1 counted"},
    ]
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["item"] for line in logged if line["event"] == "invariant broken"] == [room["id"]]


def test_the_grace_period_for_unfinished_work_is_a_parameter(product: Product) -> None:
    ann = product.register()
    assert ann.delete(f"/rooms/{ann.open_room()['id']}").status == 204

    patient = call(product.aws, "AuditorFunction", {})
    strict = call(product.aws, "AuditorFunction", {"older_than_seconds": 0})

    found = [{each["invariant"]: each["violations"] for each in report["findings"]} for report in (patient, strict)]
    assert [violations["I11"] for violations in found] == [0, 1]


def test_the_response_says_when_time_ran_out(product: Product) -> None:
    product.register()

    response = call(product.aws, "AuditorFunction", {}, seconds=1)

    assert not response["complete"]
