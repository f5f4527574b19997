"""The tasks table as it is stored: tasks, and what is beside them."""

from typing import Any

from msgspec.structs import replace

from tasksync.dynamodb.tasks.items import link_items, task_item, task_key
from tasksync.dynamodb.tasks.mapper import TASK, stored
from tasksync.model.entities import Assignment
from tests.support.aws import LOCK
from tests.support.product import Product

TABLE = "TasksTableV2"


def stored_tasks(product: Product) -> list[dict[str, Any]]:
    """The items of the tasks themselves, without links and long descriptions."""
    return [item for item in product.items(TABLE) if "title" in item]


def assignments(product: Product) -> int:
    """How many links to a person there are."""
    return sum("assignee_id" in item for item in product.items(TABLE))


def assign(product: Product, task_id: str, user_id: str) -> None:
    """Assign a task behind the product's back, by no membership."""
    dynamodb = product.aws.dynamodb
    with LOCK:
        raw: Any = dynamodb.get_item(TableName=TABLE, Key=dict(task_key(task_id)))["Item"]
        before = TASK.read(raw)
        after = replace(before, assignees=(Assignment(user_id),))
        for item in stored(before).links:
            dynamodb.delete_item(TableName=TABLE, Key={"owner_id": raw["owner_id"], "item": {"S": item}})
        for written in (task_item(after), *link_items(after)):
            dynamodb.put_item(TableName=TABLE, Item=written.serialize())
