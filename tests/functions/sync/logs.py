"""What happens to change logs behind the product's back."""

from typing import Any

from boto3.dynamodb.types import TypeSerializer

from tests.support import tables
from tests.support.aws import LOCK
from tests.support.product import Product


def expire_entry(product: Product, log: Any, seq: int) -> None:
    """DynamoDB has deleted this entry of the log of a room, or person: maybe before older ones."""
    _delete(product, log["id"], f"c#{seq:012}")


def lose(product: Product, *logs: Any) -> None:
    """These logs are empty; all of them, if none is named."""
    ids = {log["id"] for log in logs}
    for item in product.items("LogTable"):
        if not logs or item["owner_id"] in ids:
            _delete(product, item["owner_id"], item["item"])


def set_head(product: Product, log: Any, seq: int) -> None:
    tables.change(product.aws, "LogTable", {"owner_id": log["id"], "item": "head"}, seq=seq)


def next_epoch(product: Product, epoch: int) -> None:
    """As `make restore` does."""
    tables.put(product.aws, "LogTable", owner_id="epoch", item="head", epoch=epoch)


def _delete(product: Product, log_id: str, item: str) -> None:
    write = TypeSerializer().serialize
    with LOCK:
        product.aws.dynamodb.delete_item(TableName="LogTable", Key={"owner_id": write(log_id), "item": write(item)})
