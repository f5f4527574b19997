"""Items are read as PynamoDB reads them."""

from typing import Any

import pytest
from pynamodb.attributes import Attribute, DiscriminatorAttribute
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.models import Model

from tasksync.dynamodb.activity.repository import ActivityItem
from tasksync.dynamodb.core.decoder import item_of
from tasksync.dynamodb.idempotency.items import IdempotencyItem
from tasksync.dynamodb.limits.repository import LimitItem
from tasksync.dynamodb.rooms.items import CodeItem, RoomItem, RoomsItem
from tasksync.dynamodb.rooms.memberships import MembershipItem
from tasksync.dynamodb.sessions.items import SessionItem
from tasksync.dynamodb.tasks.items import DescriptionItem, LinkItem, TaskItem
from tasksync.dynamodb.users.items import ClaimItem, UserItem, UsersItem

KINDS: list[type[Model]] = [
    ActivityItem,
    ClaimItem,
    CodeItem,
    DescriptionItem,
    LimitItem,
    LinkItem,
    MembershipItem,
    IdempotencyItem,
    RoomItem,
    SessionItem,
    TaskItem,
    UserItem,
]
VALUES: dict[str, Any] = {"S": "text", "N": "17", "SS": ["a", "b"], "L": [{"S": "a"}]}

Raw = dict[str, dict[str, Any]]


def raw_of(kind: type[Model]) -> Raw:
    """An item as DynamoDB answers it, with a value in each attribute."""
    return {each.attr_name: _value(each, kind) for each in kind.get_attributes().values()}


def _value(attribute: Attribute[Any], kind: type[Model]) -> dict[str, Any]:
    if isinstance(attribute, DiscriminatorAttribute):
        return {"S": attribute.serialize(kind)}
    return {attribute.attr_type: VALUES[attribute.attr_type]}


def read_by_pynamodb(kind: type[Model], raw: Raw) -> Model:
    found: Model = Model.from_raw_data.__func__(kind, raw)  # type: ignore[attr-defined]  # a class method has it
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_item_is_decoded(kind: type[Model]) -> None:
    raw = raw_of(kind)

    read = item_of(kind, raw)

    assert type(read) is kind
    assert read.attribute_values == read_by_pynamodb(kind, raw).attribute_values
    assert read.to_dynamodb_dict() == read_by_pynamodb(kind, raw).to_dynamodb_dict()


@pytest.mark.parametrize("kind", KINDS)
def test_missing_and_null_attributes_are_omitted(kind: type[Model]) -> None:
    names = sorted(set(raw_of(kind)) - {"kind"})
    raw = {name: value for name, value in raw_of(kind).items() if name not in names[::3]}
    raw |= {names[1]: {"NULL": True}, "unknown": {"S": "to this version"}}

    assert item_of(kind, raw).attribute_values == read_by_pynamodb(kind, raw).attribute_values


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_another_type_is_refused(kind: type[Model]) -> None:
    name = next(each.attr_name for each in kind.get_attributes().values() if each.attr_type == "S")
    raw = {**raw_of(kind), name: {"N": "1"}}

    with pytest.raises(AttributeDeserializationError):
        item_of(kind, raw)
    with pytest.raises(AttributeDeserializationError):
        read_by_pynamodb(kind, raw)


@pytest.mark.parametrize(("table", "kind"), [(RoomsItem, RoomItem), (RoomsItem, CodeItem), (UsersItem, UserItem)])
def test_an_item_has_the_kind_it_names(table: type[Model], kind: type[Model]) -> None:
    assert type(item_of(table, raw_of(kind))) is kind


@pytest.mark.parametrize("kind", ["membership", "of no kind"])
def test_an_item_of_another_kind_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"MembershipItem|Unknown"):
        item_of(RoomItem, {**raw_of(RoomItem), "kind": {"S": kind}})
