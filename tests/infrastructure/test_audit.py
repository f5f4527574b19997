"""`make audit`: what it prints, and when it is content."""

import io
import json
from typing import Any

import pytest

from infrastructure.audit import audit, clean, lines
from infrastructure.deployed import FunctionFailed
from tests.support import tables
from tests.support.aws import Aws
from tests.support.function_calls import call
from tests.support.product import Product

NO_TIME = 1.0


class Functions:
    """Lambda's API as far as it is used, in front of the functions in process."""

    def __init__(self, aws: Aws, seconds: float = 60.0) -> None:
        self._aws = aws
        self._seconds = seconds

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  # as boto3 names them
        try:
            response = call(self._aws, FunctionName, json.loads(Payload), self._seconds)
        except KeyError as error:
            failure = {"errorMessage": str(error), "errorType": "KeyError"}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(failure).encode())}
        return {"Payload": io.BytesIO(json.dumps(response).encode())}


def test_each_invariant_is_a_line_with_its_count(product: Product) -> None:
    product.register().open_room()

    report = audit(Functions(product.aws), "AuditorFunction", {})

    assert clean(report)
    printed = list(lines(report))
    numbers = [*range(9), *range(10, 14), *range(15, 20)]
    assert [line.split()[0] for line in printed] == [f"I{number}" for number in numbers]
    assert "I1         1 checked  a room's member_count is the number of its memberships, and" in printed[1]
    assert printed[1].endswith(": holds")
    assert "not decided here" in printed[7]


def test_a_broken_invariant_is_named_with_its_item(product: Product) -> None:
    room = product.register().open_room()
    tables.change(product.aws, "RoomsTable", {"room_id": room["id"], "item": "ROOM"}, admin_count=0)

    report = audit(Functions(product.aws), "AuditorFunction", {})

    assert not clean(report)
    printed = "\n".join(lines(report))
    assert "BROKEN 1 times" in printed
    assert f"{room['id']} has admin_count 0, and 1 counted" in printed


def test_an_audit_that_did_not_finish_is_not_clean(product: Product) -> None:
    report = audit(Functions(product.aws, NO_TIME), "AuditorFunction", {})

    assert not clean(report)
    assert "did not come to an end" in list(lines(report))[-1]


def test_a_failed_audit_reports_the_cause(product: Product) -> None:
    with pytest.raises(FunctionFailed, match="NoSuchFunction"):
        audit(Functions(product.aws), "NoSuchFunction", {})
