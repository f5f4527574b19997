"""DynamoDB's expressions, as its manual describes them."""

import pytest

from tests.simulation import expressions
from tests.simulation.expressions import Placeholders

GIVEN = Placeholders(
    {"#count": "count", "#gone": "gone", "#name": "name"},
    {":zero": {"N": "0"}, ":two": {"N": "2"}, ":ten": {"N": "10"}, ":ann": {"S": "ann"}, ":an": {"S": "an"}},
)
ITEM = {"count": {"N": "2"}, "name": {"S": "ann"}}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("#count = :two", True),
        ("#count <> :two", False),
        ("#count < :ten", True),  # as numbers: as texts, "10" comes first
        ("#count >= :two AND #name = :ann", True),
        ("#count = :ten OR #name = :ann AND #count = :two", True),
        ("(#count = :ten OR #name = :ann) AND #count = :ten", False),
        ("NOT #count = :ten", True),
        ("#count BETWEEN :zero AND :two", True),
        ("#count IN (:zero, :ten)", False),
        ("begins_with (#name, :an)", True),
        ("attribute_exists (#name)", True),
        ("attribute_not_exists (#gone)", True),
        ("#gone = :two", False),
        ("#gone < :two", False),
        ("#gone <> :two", True),
        ("#name < :two", False),  # no order between a text and a number
        ("#name <> :two", True),
    ],
)
def test_conditions(text: str, holds: bool) -> None:
    assert expressions.condition(text)(ITEM, GIVEN) is holds


@pytest.mark.parametrize("text", ["#count ==", "size(#name) > :two", "#count = :two #name", "%", "#count"])
def test_an_unsupported_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        expressions.condition(text)


def test_an_update_reads_all_its_operands_from_the_old_item() -> None:
    text = "SET #name = :an, total = #count + :ten REMOVE #gone ADD #count :two, fresh :ten"

    updated = expressions.update(text)({**ITEM, "gone": {"S": "x"}}, GIVEN)

    assert updated == {"name": {"S": "an"}, "total": {"N": "12"}, "count": {"N": "4"}, "fresh": {"N": "10"}}


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("ADD people :bob", ["ann", "bob"]),
        ("ADD people :ann", ["ann"]),
        ("DELETE people :bob", ["ann"]),
        ("DELETE people :ann", None),  # a set without elements is none
        ("ADD others :bob", ["ann"]),
    ],
)
def test_sets_grow_and_shrink_by_elements(text: str, people: list[str] | None) -> None:
    given = Placeholders({}, {":ann": {"SS": ["ann"]}, ":bob": {"SS": ["bob"]}})

    updated = expressions.update(text)({"people": {"SS": ["ann"]}}, given)

    assert updated.get("people") == (None if people is None else {"SS": people})


def test_elements_are_not_removed_from_a_string() -> None:
    with pytest.raises(expressions.WrongType):
        expressions.update("DELETE #name :ann")(ITEM, Placeholders({"#name": "name"}, {":ann": {"SS": ["ann"]}}))


def test_a_number_is_not_added_to_a_string() -> None:
    with pytest.raises(expressions.WrongType):
        expressions.update("ADD #name :two")(ITEM, GIVEN)
