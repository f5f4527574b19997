"""Items of the old tasks table in the form of the new one. Imports no PynamoDB: a stream function uses it, too."""

from tasksync.dynamodb.core.mapper import Raw, without_null
from tasksync.model import times
from tasksync.model.times import rank_of


def in_new_form(item: Raw) -> Raw:
    """The task's own item, with its whole description. Raises KeyError or ValueError if it has no task.

    The manual order begins as the order of creation. The version stays, and with it entity tags and the audit trail.
    """
    found = without_null(item)
    assignment = [found[name] for name in ("assignee_id", "join_id") if name in found]
    further = {
        "item": found["task_id"],
        "revision": found["version"],
        "rank": {"S": rank_of(times.parse(found["created_at"]["S"]))},
    }
    if assignment:
        further["assignees"] = {"L": [{"S": " ".join(each["S"] for each in assignment)}]}
    return found | further
