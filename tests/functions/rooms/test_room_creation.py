"""POST /rooms, and what a room is right after it was opened."""

import re
from collections import Counter
from typing import Any

import pytest

from tests.support.problems import field_errors, problem
from tests.support.product import Product


def test_a_room_opens_with_the_caller_as_its_only_member_and_admin(product: Product) -> None:
    ann = product.register("ann")

    response = ann.post("/rooms", json={"name": "Move to the new office"})

    room = response.json()
    assert response.status == 201
    assert response.headers["Location"] == f"/rooms/{room['id']}"
    assert response.tagged_version == 1
    assert room == {
        "id": room["id"],
        "code": room["code"],
        "join_role": "member",
        "name": "Move to the new office",
        "user_ids": [ann.id],
        "member_count": 1,
        "tasks": {"open": 0, "completed": 0},
        "role": "admin",
        "created_by": ann.id,
        "created_at": room["created_at"],
        "updated_at": room["created_at"],
        "version": 1,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", room["created_at"])


def test_the_response_to_opening_a_room_equals_reading_it(product: Product) -> None:
    ann = product.register("ann")

    opened = ann.post("/rooms", json={"name": "Garden"})

    read = ann.get(opened.headers["Location"])
    assert (read.status, read.json()) == (200, opened.json())


def test_a_room_needs_no_name(product: Product) -> None:
    ann = product.register("ann")

    responses = [ann.post("/rooms", json={}), ann.post("/rooms"), ann.post("/rooms", json={"name": None})]

    assert [(response.status, response.json()["name"]) for response in responses] == [(201, None)] * 3


def test_a_generated_code_has_nine_capital_letters_or_digits_and_differs_each_time(product: Product) -> None:
    ann = product.register("ann")

    codes = [ann.open_room()["code"] for _ in range(10)]

    assert all(re.fullmatch("[A-Z0-9]{9}", code) for code in codes), codes
    assert Counter(codes).most_common(1)[0][1] == 1


@pytest.mark.parametrize(("code", "kept"), [("GARDEN", "GARDEN"), ("garden22", "GARDEN22"), ("123456789", "123456789")])
def test_a_chosen_code_is_upper_cased(product: Product, code: str, kept: str) -> None:
    ann = product.register("ann")

    response = ann.post("/rooms", json={"code": code})

    assert (response.status, response.json()["code"]) == (201, kept)


def test_a_code_of_another_room_is_taken_in_any_spelling(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    ann.open_room(code="GARDEN")

    responses = [bob.post("/rooms", json={"code": code}) for code in ("GARDEN", "garden", "GaRdEn")]

    assert [(response.status, response.json()["code"]) for response in responses] == [(409, "code_taken")] * 3
    assert [field_errors(response, 409) for response in responses] == [{"/code": "code_taken"}] * 3
    assert bob.list("/rooms") == []


def test_the_callers_own_id_is_accepted_and_no_other(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")

    own = ann.post("/rooms", json={"user_id": ann.id})
    others = ann.post("/rooms", json={"user_id": bob.id})

    assert (own.status, own.json()["user_ids"]) == (201, [ann.id])
    problem(others, 422, "validation_failed")
    assert [fault["pointer"] for fault in others.json()["errors"]] == ["/user_id"]
    assert [room["id"] for room in ann.list("/rooms")] == [own.json()["id"]]
    assert bob.list("/rooms") == []


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"code": "SHORT"}, {"/code"}),
        ({"code": "MUCHTOOLONG"}, {"/code"}),
        ({"code": "WITH-DASH"}, {"/code"}),
        ({"code": "GÄRTEN"}, {"/code"}),
        ({"code": "ROOM12\n"}, {"/code"}),
        ({"code": 123456}, {"/code"}),
        ({"name": ""}, {"/name"}),
        ({"name": "   "}, {"/name"}),
        ({"name": "x" * 256}, {"/name"}),
        ({"name": ["Garden"]}, {"/name"}),
        ({"user_id": "no id"}, {"/user_id"}),
        ({"user_id": 7}, {"/user_id"}),
        ({"member_count": 5}, {"/member_count"}),
        ({"role": "viewer", "version": 3, "created_by": "usr_1"}, {"/role", "/version", "/created_by"}),
        ({"name": 1, "code": "A", "user_id": "", "id": "room_1"}, {"/name", "/code", "/user_id", "/id"}),
    ],
)
def test_all_wrong_and_unknown_fields_are_named_at_once(
    product: Product, body: dict[str, Any], pointers: set[str]
) -> None:
    ann = product.register("ann")

    response = ann.post("/rooms", json=body)

    assert field_errors(response).keys() == pointers
    assert ann.list("/rooms") == []
