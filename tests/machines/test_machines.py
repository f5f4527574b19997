"""The product does what the references say; and a reference that says something else is found out."""

from collections import Counter
from collections.abc import Collection

import pytest

from infrastructure.openapi.routes import declared_routes
from tests.conftest import Figures
from tests.machines.machine import Json, Machine, run, summary
from tests.machines.rooms_machine import RoomsMachine
from tests.machines.rooms_reference import Room as RoomOfMembers
from tests.machines.rooms_reference import Rooms
from tests.machines.sessions_machine import SessionsMachine
from tests.machines.sessions_reference import Session, Sessions
from tests.machines.tasks_machine import TasksMachine
from tests.machines.tasks_reference import Tasks

EXAMPLES, STEPS = 14, 20
# What they make depends on the constants in our code, too, which Hypothesis tries: where an action is missing, another
# round follows. `python -m tests.machines` takes any other seed.
ROUNDS = 4
SEEDS: dict[type[Machine], int] = {RoomsMachine: 5, TasksMachine: 2, SessionsMachine: 1}

pytestmark = pytest.mark.usefixtures("_mocked_aws")

ROOM_ACTIONS = {
    "open",
    "join",
    "add",
    "leave",
    "remove",
    "change role",
    "change",
    "new code",
    "close",
    "delete user",
    "say who may add",
    "set up webhook",
    "change webhook",
    "delete webhook",
}
TASK_ACTIONS = {"create", "see", "update", "delete", "list", "move", "restore", "purge"}
SESSION_ACTIONS = {"sign in", "refresh", "sign out", "end one", "end all", "change password", "show password"}
SESSION_ACTIONS |= {"recover", "change address", "change address: reauthentication_required"}
ROOM_FIELDS = {("rooms", "name"), ("rooms", "join_role"), ("users", "role"), ("users", "added_by")}
ROOM_FIELDS |= {("webhooks", "url"), ("webhooks", "events")}
TASK_FIELDS = {
    ("tasks", name) for name in ("title", "description", "status", "priority", "deadline", "user_id", "assignee_ids")
}
TASK_FIELDS |= {("users", "role")}
SESSION_FIELDS = {("users", "username"), ("users", "email")}
REFRESHES = {"answered again", *(f"refresh: {code}" for code in ("invalid_token", "idempotency_key_reused"))}
AROUND_TASKS = {"let in", "put out", "role changed", "person deleted", "room closed", "streams read"}


@pytest.mark.parametrize(
    ("machine", "actions", "fields"),
    [
        (RoomsMachine, ROOM_ACTIONS | {"answered again", "key of another request", "streams read"}, ROOM_FIELDS),
        (TasksMachine, TASK_ACTIONS | AROUND_TASKS, TASK_FIELDS),
        (SessionsMachine, SESSION_ACTIONS | REFRESHES | {"refresh: refresh_in_progress"}, SESSION_FIELDS),
    ],
)
def test_the_product_agrees_with_the_reference(
    machine: type[Machine], actions: set[str], fields: set[tuple[str, str]], figures: Figures
) -> None:
    done, changed = Counter[str](), set[tuple[str, str]]()

    for number in range(SEEDS[machine], SEEDS[machine] + ROUNDS):
        done += run(machine, number, EXAMPLES, STEPS)
        changed |= machine.changed
        if actions <= done.keys() and fields <= changed:
            break

    figures(summary(machine, done))
    assert actions - done.keys() == set()
    assert changed == fields


def test_every_changeable_field_is_changed_by_a_machine() -> None:
    """A new one belongs in the rules of its machine, and in its reference."""
    declared = {
        (each.route.path.split("/")[-2], field)
        for each in declared_routes()
        if each.route.method == "PATCH" and each.route.body is not None
        for field in each.route.body.__struct_fields__
    }

    assert declared == ROOM_FIELDS | TASK_FIELDS | SESSION_FIELDS


class TheLastAdminIsAnyAdmin(Rooms):
    def is_last_admin(self, room: RoomOfMembers, person: str) -> bool:
        return person in room.admins


class JoiningIsNoNewVersion(Rooms):
    def _enter(self, room: RoomOfMembers, person: str, role: str) -> None:
        super()._enter(room, person, role)
        room.version -= 1


class ChangesAreNoNewVersions(Tasks):
    def update(self, actor: str, task_id: str, fields: Json, if_match: int | None) -> None:
        super().update(actor, task_id, fields, if_match)
        self.all[task_id].shown["version"] = 1


class AnybodyIsAssigned(Tasks):
    def _require_assignees(self, owner: str, actor: str, people: list[str], before: Collection[str] = ()) -> None:
        """Whoever it is."""


class AnOldTokenIsOnlyRefused(Sessions):
    def refresh(self, session: Session, token: str, key: str | None, at: float) -> bool:
        alive = session.alive
        try:
            return super().refresh(session, token, key, at)
        finally:
            session.alive = alive


class PasswordsEndNoSessions(Sessions):
    def change_password(self, caller: Session, current: str, new: str) -> None:
        others = [session for session in self.of(caller.person) if session is not caller]
        super().change_password(caller, current, new)
        for session in others:
            session.alive = True


class RoomsOfManyLastAdmins(RoomsMachine):
    reference = TheLastAdminIsAnyAdmin


class RoomsOfOneVersion(RoomsMachine):
    reference = JoiningIsNoNewVersion


class TasksOfOneVersion(TasksMachine):
    reference = ChangesAreNoNewVersions


class TasksOfAnybody(TasksMachine):
    reference = AnybodyIsAssigned


class SessionsOfOldTokens(SessionsMachine):
    reference = AnOldTokenIsOnlyRefused


class SessionsOfOldPasswords(SessionsMachine):
    reference = PasswordsEndNoSessions


@pytest.mark.parametrize(
    ("machine", "seed"),
    [
        (RoomsOfManyLastAdmins, 1),
        (RoomsOfOneVersion, 1),
        (TasksOfOneVersion, 2),
        (TasksOfAnybody, 2),
        (SessionsOfOldTokens, 2),
        (SessionsOfOldPasswords, 1),
    ],
)
def test_a_wrong_reference_is_detected(machine: type[Machine], seed: int) -> None:
    with pytest.raises(AssertionError):  # noqa: PT012  # the first round that finds it out
        for number in range(seed, seed + ROUNDS):
            run(machine, number, EXAMPLES, STEPS)
