"""Changes what is in the tables behind the product's back: time that has passed, an admin, a corrupt item."""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from tests.support.aws import LOCK, Aws


def change(aws: Aws, table: str, key: Mapping[str, Any], **values: Any) -> None:
    """Set attributes of an item that exists."""
    write = TypeSerializer().serialize
    with LOCK:
        aws.dynamodb.update_item(
            TableName=table,
            Key={name: write(value) for name, value in key.items()},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ConditionExpression=" AND ".join(f"attribute_exists(#{name})" for name in key),
            ExpressionAttributeNames={f"#{name}": name for name in [*key, *values]},
            ExpressionAttributeValues={f":{name}": write(value) for name, value in values.items()},
        )


def forget(aws: Aws, table: str, key: Mapping[str, Any], attribute: str) -> None:
    """Take an attribute from an item, as it was before there was such an attribute."""
    write = TypeSerializer().serialize
    with LOCK:
        aws.dynamodb.update_item(
            TableName=table,
            Key={name: write(value) for name, value in key.items()},
            UpdateExpression="REMOVE #attribute",
            ConditionExpression="attribute_exists(#attribute)",
            ExpressionAttributeNames={"#attribute": attribute},
        )


def drop(aws: Aws, table: str) -> None:
    """Take a whole table away, as an outage would."""
    with LOCK:
        aws.dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        aws.dynamodb.delete_table(TableName=table)


def put(aws: Aws, table: str, **item: Any) -> None:
    """Add an item, or replace it."""
    write = TypeSerializer().serialize
    with LOCK:
        aws.dynamodb.put_item(TableName=table, Item={name: write(value) for name, value in item.items()})
