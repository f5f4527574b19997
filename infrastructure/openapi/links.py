"""Links: which values of a response can be used in the path of which request (OpenAPI 3.1.1 §4.8.20).

None fills in a body: a part of a body is nothing that the specification has words for, and code generators refuse it.
"""

import re
from collections.abc import Mapping
from typing import Any

from infrastructure.openapi.routes import Declared
from infrastructure.openapi.schemas import Json, item_of

# By path parameter, where its value is found in which shape. For the rest, a shape's own ``id`` is that of its kind.
_FOUND_IN: dict[str, dict[str, str]] = {
    "user_id": {"User": "id", "VisibleUser": "id", "SignedIn": "user/id", "Member": "user_id"},
    "room_id": {"Room": "id", "RoomSummary": "id"},
    "task_id": {"Task": "id"},
    "session_id": {"Session": "id"},
}

# Of other lists there may be no first item.
_NEVER_EMPTY = {"Session", "Member"}


def links(declared: Declared, others: Mapping[str, Declared]) -> Json:
    """What can be called after a success of this route. ``others``: all routes by the names of their operations."""
    shape, prefix = _shape(declared.route.description.response)
    own = set(re.findall(r"\{(\w+)\}", declared.route.path))
    made: Json = {}
    for name, other in others.items():
        wanted = re.findall(r"\{(\w+)\}", other.route.path)
        values = {}
        for parameter in wanted:
            if shape in _FOUND_IN.get(parameter, {}):
                values[parameter] = f"$response.body#/{prefix}{_FOUND_IN[parameter][shape]}"
            elif parameter in own:
                values[parameter] = f"$request.path.{parameter}"
        from_answer = any(value.startswith("$response") for value in values.values())
        if from_answer and len(values) == len(wanted) and other is not declared:
            made[name] = {"operationId": name, "parameters": values}
    return made


def _shape(response: Any) -> tuple[str, str]:
    """The name of what is answered, and where in the body it is; of a list, its first item."""
    item = item_of(response)
    if item is None:
        return getattr(response, "__name__", ""), ""
    return (item.__name__ if item.__name__ in _NEVER_EMPTY else ""), "items/0/"
