"""What comes in and goes out."""

from collections.abc import Mapping
from typing import Any

import msgspec

from overview_api import answers
from tasksync.domain.keys import Found, Keys
from tasksync.domain.overview import Overview
from tasksync.entities import Caller
from tasksync.errors import Fault
from tasksync.http import representations
from tasksync.http.schema import Checked

MOST_KEYS = 100


class WantedKeys(Checked, frozen=True, kw_only=True):
    """At most 100 keys in all. What cannot be an id is missing, as what does not exist is."""

    users: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    @classmethod
    def further_faults(cls, data: Mapping[str, Any], values: Mapping[str, Any]) -> list[Fault]:
        asked = sum(len(keys) for keys in values.values())
        return [] if asked <= MOST_KEYS else [Fault("", "too_many", f"At most {MOST_KEYS} keys in all.")]

    def keys(self) -> Keys:
        return Keys(**{name: tuple(dict.fromkeys(keys)) for name, keys in msgspec.structs.asdict(self).items()})


def overview(found: Overview, caller: Caller) -> answers.Overview:
    return {
        "users": [representations.user(user, caller) for user in found.people],
        "rooms": [representations.room_in_list(view) for view in found.rooms],
        "tasks": [representations.task(task) for task in found.tasks],
        "truncated": found.truncated,
    }


def resolved(found: Found, caller: Caller) -> answers.Resolved:
    return {
        "users": {key: representations.user(user, caller) for key, user in found.users.items()},
        "rooms": {key: representations.room_in_list(view) for key, view in found.rooms.items()},
        "tasks": {key: representations.task(task) for key, task in found.tasks.items()},
        "codes": dict(found.codes),
        "missing": list(found.missing),
    }
