"""The product does what the references say; and a reference that says something else is found out."""

import sys

import pytest

from tests.machines.machine import Json, Machine, run, summary
from tests.machines.rooms_machine import RoomsMachine
from tests.machines.rooms_reference import Room as RoomOfMembers
from tests.machines.rooms_reference import Rooms
from tests.machines.tasks_machine import TasksMachine
from tests.machines.tasks_reference import Tasks

# Chosen so that each action is carried out, and most are refused for each reason: see `python -m tests.machines`.
SEED, EXAMPLES, STEPS = 2, 14, 20

pytestmark = pytest.mark.usefixtures("_mocked_aws")

ROOM_ACTIONS = {"open", "join", "add", "leave", "remove", "change role", "rename", "new code", "close", "delete user"}
TASK_ACTIONS = {"create", "see", "update", "delete", "list"}
AROUND_TASKS = {"let in", "put out", "role changed", "person deleted", "room closed", "streams read"}


@pytest.mark.parametrize(
    ("machine", "actions"),
    [
        (RoomsMachine, ROOM_ACTIONS | {"answered again", "key of another request", "streams read"}),
        (TasksMachine, TASK_ACTIONS | AROUND_TASKS),
    ],
)
def test_the_product_does_what_the_reference_says(
    machine: type[Machine], actions: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(machine, SEED, EXAMPLES, STEPS)

    with capsys.disabled():
        sys.stdout.write(f"\n{summary(machine, figures)}\n")
    assert actions - figures.keys() == set()


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
    def _require_assignee(self, owner: str, actor: str, assignee: str | None) -> None:
        """Whoever it is."""


class RoomsOfManyLastAdmins(RoomsMachine):
    reference = TheLastAdminIsAnyAdmin


class RoomsOfOneVersion(RoomsMachine):
    reference = JoiningIsNoNewVersion


class TasksOfOneVersion(TasksMachine):
    reference = ChangesAreNoNewVersions


class TasksOfAnybody(TasksMachine):
    reference = AnybodyIsAssigned


@pytest.mark.parametrize("machine", [RoomsOfManyLastAdmins, RoomsOfOneVersion, TasksOfOneVersion, TasksOfAnybody])
def test_a_wrong_reference_is_found_out(machine: type[Machine]) -> None:
    with pytest.raises(AssertionError):
        run(machine, SEED, EXAMPLES, STEPS)
