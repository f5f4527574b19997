"""Whether the tables answer: one read of a key that nobody has, for each."""

from pynamodb.models import Model

from tasksync.errors import DependencyFailed
from tasksync.tables.limits import LimitItem
from tasksync.tables.receipts import ReceiptItem
from tasksync.tables.rooms import RoomItem
from tasksync.tables.sessions import SessionItem
from tasksync.tables.tasks import TaskItem
from tasksync.tables.users import UserItem

_NOBODY = "health"


def answering_tables() -> dict[str, bool]:
    """By table: whether it answered."""
    probes: dict[str, tuple[type[Model], str | None]] = {
        "users": (UserItem, None),
        "rooms": (RoomItem, _NOBODY),
        "tasks": (TaskItem, _NOBODY),
        "sessions": (SessionItem, None),
        "idempotency": (ReceiptItem, None),
        "rate_limits": (LimitItem, None),
    }
    return {table: _answers(model, range_key) for table, (model, range_key) in probes.items()}


def _answers(model: type[Model], range_key: str | None) -> bool:
    try:
        model.get(_NOBODY, range_key)
    except model.DoesNotExist:
        return True
    except DependencyFailed:
        return False
    return True
