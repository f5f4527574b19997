"""The request schema of keys, and the rendering of overviews and resolved keys."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from overview_api import response_schemas
from tasksync.domain.keys import Found, Keys
from tasksync.domain.overview import Overview
from tasksync.http import responses
from tasksync.http.pagination.response_size import SizeBudget
from tasksync.http.schemas.binding import Checked
from tasksync.model.entities import Caller
from tasksync.model.errors import FieldError

MOST_KEYS = 100


class WantedKeys(Checked, frozen=True, kw_only=True):
    """At most 100 keys in all. Texts that cannot be ids are reported as `missing`, as unknown ids are."""

    users: Annotated[tuple[str, ...], Meta(description="Ids of users.")] = ()
    rooms: Annotated[tuple[str, ...], Meta(description="Ids of rooms.")] = ()
    tasks: Annotated[tuple[str, ...], Meta(description="Ids of tasks.")] = ()
    codes: Annotated[tuple[str, ...], Meta(description="Codes of rooms.")] = ()

    @classmethod
    def further_errors(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[FieldError]:
        count = sum(len(keys) for keys in values.values())
        return [] if count <= MOST_KEYS else [FieldError("", "too_many", f"At most {MOST_KEYS} keys in all.")]

    def keys(self) -> Keys:
        return Keys(**{name: tuple(dict.fromkeys(keys)) for name, keys in msgspec.structs.asdict(self).items()})


def overview(found: Overview, caller: Caller) -> response_schemas.Overview:
    """The overview, as far as one response can hold it: users and rooms before tasks."""
    budget = SizeBudget()
    users = budget.take_all(found.people, lambda user: responses.user(user, caller))
    rooms = budget.take_all(found.rooms, responses.room_in_list)
    tasks = budget.take_all(found.tasks, responses.task_in_list)
    cut = (len(users), len(rooms), len(tasks)) != (len(found.people), len(found.rooms), len(found.tasks))
    return {"users": users, "rooms": rooms, "tasks": tasks, "truncated": found.truncated or cut}


def resolved(found: Found, caller: Caller) -> response_schemas.ResolvedKeys:
    """The resolved keys, as far as one response can hold them. ``left_out`` names the others."""
    budget = SizeBudget()
    left_out: list[str] = []

    def filled(by_key: Mapping[str, Any], render: Callable[[Any], Any]) -> dict[str, Any]:
        taken = budget.take_all(by_key.values(), render)
        left_out.extend(list(by_key)[len(taken) :])
        return dict(zip(by_key, taken, strict=False))

    body: response_schemas.ResolvedKeys = {
        "users": filled(found.users, lambda user: responses.user(user, caller)),
        "rooms": filled(found.rooms, responses.room_in_list),
        "tasks": filled(found.tasks, responses.task_in_list),
        "codes": dict(found.codes),
        "missing": list(found.missing),
    }
    if left_out:
        body["left_out"] = left_out
    return body
