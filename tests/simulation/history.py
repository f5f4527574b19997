"""What clients were told, held against what was committed (I6, I7, I8, I16)."""

import json
from dataclasses import dataclass, field

from tests.simulation.expressions import Item
from tests.simulation.functions import Call, Invocation, Response
from tests.simulation.invariants import Violation
from tests.simulation.tables import Change, Key
from tests.simulation.task_items import assignments, is_change_of_task
from tests.simulation.task_writes import OF_EVERY_WRITE

_RANKS = {"none": -1, "removed": -1, "viewer": 0, "member": 1, "admin": 2}


@dataclass(eq=False)
class Operation:
    """One thing a client wanted, and the requests it sent for it: the first one, and retries of the same."""

    call: Call
    attempts: list[Invocation] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    @property
    def commits(self) -> list[list[Change]]:
        """What was written for it, transaction by transaction."""
        return [commit for attempt in self.attempts for commit in attempt.commits]

    def carried_out_before(self, invocation: Invocation) -> bool:
        """Whether one of the requests had been carried out when this one looked at the tables for the last time."""
        return any(
            each.first_commit is not None and each.first_commit <= invocation.looked_at for each in self.attempts
        )

    @property
    def keyed(self) -> bool:
        return "Idempotency-Key" in self.call.headers


class History:
    """All operations of one seed, and the chain of versions of each task."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._chains: dict[Key, dict[int, Item]] = {}
        """By task, and by version how it was when it got that version."""
        self._acknowledged: dict[tuple[str, int], Operation] = {}
        self._undone: list[tuple[Operation, Invocation]] = []
        """What was answered with a 503 that says that nothing was written."""
        self._left_as: dict[tuple[str, str], str] = {}
        """By room and person: the role in which they left, or that they were removed."""

    def committed(self, changes: list[Change], invocation: Invocation | None) -> None:
        """Note a commit, and which invocation it is of."""
        for change in changes:
            if change.table == "RoomsTable" and change.key[1].startswith("MEMBER#"):
                self._check_membership(change, changes, invocation)
            if is_change_of_task(change):
                self._check_chain(change)

    def answered(self, operation: Operation, invocation: Invocation, response: Response) -> None:
        """Note a response and judge it. ``invocation`` gave it."""
        operation.responses.append(response)
        call = operation.call
        if response.status == 500:
            raise Violation(f"{call.method} {call.resource} was answered with 500")
        if response.status == 503 and response.body["code"] != "outcome_unknown":
            self._undone.append((operation, invocation))
        if _is_removal(operation):
            return
        if 400 <= response.status < 500:
            if invocation.commits or (operation.keyed and operation.carried_out_before(invocation)):
                raise Violation(
                    f"I6: {call.method} {call.resource} was carried out, and answered with {response.status}"
                )
            return
        if response.status >= 500 or call.method == "GET":
            return
        if not operation.commits and not _may_change_nothing(operation):
            raise Violation(f"I6: {call.method} {call.resource} was acknowledged, and nothing was written")
        self._check_replay(operation, response)
        if call.resource.startswith("/tasks"):
            self._check_task(operation, response)

    def finish(self) -> None:
        """Judge what only the end shows: a request that nobody waited for may have been carried out late."""
        for operation, invocation in self._undone:
            if invocation.commits:
                call = operation.call
                raise Violation(f"I6: {call.method} {call.resource} was carried out, and said to be lost")
        for operation in self.operations:
            if operation.keyed and len(operation.commits) > 1 and not _is_removal(operation):
                call = operation.call
                raise Violation(f"I8: {call.method} {call.resource} was carried out {len(operation.commits)} times")

    def _check_replay(self, operation: Operation, response: Response) -> None:
        acknowledged = [each for each in operation.responses if each.status < 300]
        if operation.keyed and any(not _same(each, acknowledged[0]) for each in acknowledged):
            raise Violation(f"I8: one key, and two responses: {acknowledged[0]}, {response}")

    def _check_membership(self, change: Change, changes: list[Change], invocation: Invocation | None) -> None:
        """Nobody gains a role by leaving and joining again, nor more than the room gives to who joins."""
        room_id, user_id = change.key[0], change.key[1].removeprefix("MEMBER#")
        what = invocation.what if invocation else ""
        if change.new is None:
            if invocation is not None and what == "DELETE /rooms/{room_id}/users/{user_id}":
                oneself = invocation.user_id == user_id
                self._left_as[room_id, user_id] = str((change.old or {})["role"]["S"]) if oneself else "removed"
        elif change.old is None and what == "POST /rooms/join":
            [room] = [each.new for each in changes if each.key == (room_id, "ROOM")]
            given, left_as = str((room or {})["join_role"]["S"]), self._left_as.get((room_id, user_id), "admin")
            if _RANKS[str(change.new["role"]["S"])] > min(_RANKS[given], _RANKS[left_as]):
                raise Violation(f"I16: {user_id} joined {room_id} as {change.new['role']['S']}, not {given}, {left_as}")
        elif change.old is None:
            self._left_as.pop((room_id, user_id), None)

    def _check_chain(self, change: Change) -> None:
        """Every write raises the revision by one; the version does not skip a number either."""
        task_id, chain = change.key[1], self._chains.setdefault(change.key, {})
        if change.old is None and chain:
            raise Violation(f"I6: {task_id} came back after it was deleted")
        if change.new is None:
            return
        if _revision(change.new) != (_revision(change.old) if change.old else 0) + 1:
            raise Violation(f"I6: the revisions of {task_id} have a gap")
        version, before = _version(change.new), _version(change.old) if change.old else 0
        if version - before not in (0, 1):
            raise Violation(f"I6: the versions of {task_id} have a gap")
        if change.old and version > before and _content(change.old) == _content(change.new):
            raise Violation(f"I6: {task_id} has another version, and nothing of it has changed")
        chain.setdefault(version, change.new)

    def _check_task(self, operation: Operation, response: Response) -> None:
        """An acknowledged task is in its chain, as it was answered, and was answered to one operation only."""
        if response.body is None:
            return
        task_id, version = response.body["id"], response.body["version"]
        owner = response.body["room_id"] or response.body["id"].partition(".")[0]
        stored = self._chains.get((owner, task_id), {}).get(version)
        if stored is None or stored["title"]["S"] != response.body["title"]:
            raise Violation(f"I6: {task_id} was acknowledged in version {version}, which is not what was written")
        shown = [response.body["status"], *response.body["assignee_ids"]]
        if shown != [stored["status"]["S"], *(user_id for user_id, _ in assignments(stored))]:
            raise Violation(f"I6: {task_id} was acknowledged as {shown}, which is not what was written")
        changed = any(is_change_of_task(change) for commit in operation.commits for change in commit)
        # Where nothing was to be changed, the version is the one that was there.
        before = version - 1 if changed else version
        if operation.call.headers.get("If-Match", f'"{before}"') != f'"{before}"':
            raise Violation(f"I6: {task_id} was changed from a version that If-Match did not name")
        if not changed:
            return
        first = self._acknowledged.setdefault((task_id, version), operation)
        if first is not operation:
            raise Violation(f"I6: version {version} of {task_id} was acknowledged to two clients")


def _same(response: Response, first: Response) -> bool:
    """Given again, a room is shown without its code to those who may not see that any more."""
    bodies = [each.body for each in (response, first)]
    if all(isinstance(body, dict) and "code" in body for body in bodies) and None in [body["code"] for body in bodies]:
        bodies = [{**body, "code": None} for body in bodies]
    return response.status == first.status and bodies[0] == bodies[1]


def _version(item: Item) -> int:
    return int(item["version"]["N"])


def _content(task: Item) -> Item:
    """Without what every write changes."""
    return {name: value for name, value in task.items() if name not in OF_EVERY_WRITE}


def _revision(item: Item) -> int:
    return int(item["revision"]["N"])


def _may_change_nothing(operation: Operation) -> bool:
    """Setting what is so already is acknowledged without a write."""
    return operation.call.route in {
        "PATCH /rooms/{room_id}",
        "PATCH /rooms/{room_id}/users/{user_id}",
        "PATCH /users/{user_id}",
        "POST /tasks/{task_id}/move",
    }


def _is_removal(operation: Operation) -> bool:
    """The removal of a user takes many transactions. Who asks again is not told that it was done: they are no one."""
    return (operation.call.method, operation.call.resource) == ("DELETE", "/users/{user_id}")


def described(response: Response) -> str:
    """Status and, of an error, its code."""
    code = response.body.get("code") if isinstance(response.body, dict) and response.status >= 400 else None
    return f"{response.status} {code or ''} {'' if code else json.dumps(response.body)[:160]}"
