"""I14: whatever happens in between, at rest each copy is what the routes show its person."""

import copy as copies
from collections.abc import Callable
from contextlib import nullcontext
from itertools import chain
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.convergence import edge
from tests.convergence.followers import Follower, RoomFollower
from tests.convergence.writes import PEOPLE, WRITES, Write, Writers
from tests.machines.machine import Json, Machine
from tests.support import tables
from tests.support.aws import LOCK
from tests.support.client import Person, Response
from tests.support.copies import difference, held_for
from tests.support.faults import no_waiting, silent, unreachable
from tests.support.function_calls import call

_FOLLOWERS = 2
"""Of each person: one that asks again and again, and one that may be far behind."""
_MOST_PAGES = 300
_LIMITS = st.sampled_from([1, 2, 3, 10, 200])
_NO_NEWS: Json = {"reset": False, "reset_rooms": [], "rooms": [], "members": {}, "tasks": [], "users": []}
_OTHER_STEPS = (
    "all streams",
    "go back",
    "lose a response",
    "fail",
    "twice",
    "overtake",
    "store",
    "follow",
    "expire",
    "restore a backup",
    "rest",
)
_FAULTS = {"unreachable": unreachable, "silent": silent}


class ConvergenceMachine(Machine):
    """Three people with up to four rooms. Requests that are refused are a part of it."""

    follower: ClassVar[type[Follower]] = Follower
    weakened: ClassVar[Any] = nullcontext
    """What is missing between ``/sync`` and DynamoDB."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        no_waiting(self._patch)
        self.followers: dict[str, list[Follower]] = {}
        self.room_followers: list[RoomFollower] = []
        self._held: dict[str, Json] = {}
        self.writers = Writers(self.product, self._learn)
        self._welcome()

    def teardown(self) -> None:
        try:
            self._rest()
            super().teardown()
        finally:
            self._patch.undo()

    # ------------------------------------------------------------------------------------------------- steps
    @initialize(writes=st.lists(WRITES, max_size=6))
    def begin(self, writes: list[Write]) -> None:
        """With a room that all are in and some tasks, which some know already."""
        first = Write("open room", 0, 0, 0, 0)
        others = [Write("join", 0, 0, 0, 0), Write("join", 0, 0, 0, 0)]
        tasks = [Write("create", number, 1, number, 1) for number in range(3)]
        self._write([first, *others, *tasks, *writes])
        self._deliver_all()
        for person in self.writers.people[:2]:
            self._pull(self.followers[person.id][0], 200, _MOST_PAGES, post=True)
            self._store(person)

    @rule(writes=st.lists(WRITES, min_size=1, max_size=4))
    def change(self, writes: list[Write]) -> None:
        self._write(writes)

    @rule(
        person=st.integers(0, PEOPLE - 1),
        which=st.integers(0, _FOLLOWERS - 1),
        limit=_LIMITS,
        pages=st.sampled_from([1, 1, 2, _MOST_PAGES]),
        post=st.booleans(),
        between=st.none() | st.tuples(st.integers(1, 7), st.lists(WRITES, min_size=1, max_size=2), st.booleans()),
    )
    def pull(
        self,
        person: int,
        which: int,
        limit: int,
        pages: int,
        post: bool,
        between: tuple[int, list[Write], bool] | None,
    ) -> None:
        """Some pages, or all. Something may happen between two reads of the same request."""
        follower = self.followers[self.writers.people[person].id][which]
        if between is None:
            self._pull(follower, limit, pages, post=post)
            return
        number, writes, delivered = between

        def action() -> None:
            with self._account.permissions.suspended():
                self._write(writes)
                if delivered:
                    self._deliver_all()
            self.figures["writes between two reads"] += 1

        with edge.in_between(number, action):
            self._pull(follower, limit, pages, post=post, certain=False)

    @rule(
        place=st.integers(0, 15),
        records=st.integers(1, 4),
        again=st.integers(0, 3),
        fault=st.sampled_from([None, None, "unreachable", "silent"]),
        number=st.integers(1, 5),
    )
    def deliver(self, place: int, records: int, again: int, fault: str | None, number: int) -> None:
        """One function behind a stream gets a batch: late, some of it not for the first time, and may fail."""
        with edge.failing(_FAULTS[fault], number, 3) if fault else nullcontext():
            deliveries = self.product.deliver_some(place, records, again)
        self.figures["batches"] += len(deliveries)
        self.figures["batches that failed"] += sum(bool(each.failed) for each in deliveries)

    @rule(
        which=st.sampled_from([*_OTHER_STEPS, "follow"]),
        number=st.integers(0, PEOPLE - 1),
        value=st.integers(0, 8),
        limit=_LIMITS,
    )
    def do_something_else(self, which: str, number: int, value: int, limit: int) -> None:
        """One rule, so that none of these takes up too many of the steps."""
        person = self.writers.people[number]
        follower = self.followers[person.id][value % _FOLLOWERS]
        actions: dict[str, Callable[[], object]] = {
            "all streams": self._deliver_all,
            "go back": follower.go_back,
            "lose a response": lambda: self._ask(follower, limit, post=True),
            "fail": lambda: self._fail(follower, limit, value),
            "twice": lambda: self._twice(follower, limit),
            "overtake": lambda: self._overtake(follower, value, limit % _FOLLOWERS == 0),
            "store": lambda: self._store(person),
            "follow": lambda: self._follow(person, value, limit),
            "expire": lambda: self._expire(number, value),
            "restore a backup": lambda: self._restore(value),
            "rest": self._rest,
        }
        actions[which]()
        self.figures[which] += 1

    # ------------------------------------------------------------------------------------------ what clients do
    def _pull(self, follower: Follower, limit: int, pages: int, *, post: bool, certain: bool = True) -> None:
        """``certain``: nothing else happens meanwhile."""
        logged = self._logged() if certain and pages == _MOST_PAGES else None
        for _ in range(pages):
            if follower.person in self.writers.gone:
                return
            response = self._ask(follower, limit, post=post)
            if response.status == 401 and follower.person in self.writers.gone:
                return
            assert response.status == 200, response
            self._apply(follower, response.json())
            if follower.complete:
                break
        if pages == _MOST_PAGES:
            assert follower.complete, f"after {pages} pages there is more"
        if follower.complete and logged is not None:
            self._check_not_older(follower, logged)

    def _ask(self, follower: Follower, limit: int, *, post: bool) -> Response:
        with type(self).weakened():
            response = follower.ask(limit, post=post)
        self.figures["pages"] += 1
        return response

    def _apply(self, follower: Follower, page: Json) -> None:
        kept = {} if page["reset"] else copies.copy(follower.copy["tasks"])
        dropped = {*page["reset_rooms"], *page["gone"]["rooms"]}
        follower.apply(page)
        for task_id, task in follower.copy["tasks"].items():
            before = kept.get(task_id)
            if before is not None and task["room_id"] not in dropped:
                assert before["version"] <= task["version"], f"a copy went back: {before}, {task}"

    def _fail(self, follower: Follower, limit: int, value: int) -> None:
        """Something that is read does not respond. The client asks once more with the same cursor."""
        with edge.failing(unreachable, 1 + value, 3):
            response = self._ask(follower, limit, post=True)
        assert response.status in (200, 503), response
        if response.status == 200:
            self._apply(follower, response.json())

    def _twice(self, follower: Follower, limit: int) -> None:
        """A client applies a page, and once more the same, because it did not get to store it."""
        page = self._ask(follower, limit, post=True).json()
        self._apply(follower, page)
        self._apply(follower, page)

    def _overtake(self, follower: Follower, value: int, delivered: bool) -> None:
        """A person changes a task while a page is under way. One of their clients shows that at once, the other does
        not know of it. ``delivered``: it is in the log at once.
        """
        tasks = [*follower.copy["tasks"]]
        if not tasks:
            return
        path = f"/tasks/{tasks[value % len(tasks)]}"

        def change(title: str) -> None:
            with self._account.permissions.suspended():
                response = follower.person.patch(path, json={"title": title})
            if response.status == 200:
                self._learn(follower.person, response.json())

        change("Before")
        self._deliver_all()

        def meanwhile() -> None:
            change("Meanwhile")
            if delivered:
                with self._account.permissions.suspended():
                    self._deliver_all()

        # Of the six reads that a page of changes takes.
        with edge.in_between(1 + value * 5 // 8, meanwhile):
            response = self._ask(follower, 200, post=True)
        assert response.status == 200, response
        self._apply(follower, response.json())

    def _store(self, person: Person) -> None:
        for follower in self.followers[person.id]:
            follower.store()

    def _learn(self, person: Person, task: Json) -> None:
        for follower in self.followers.get(person.id, ())[:1]:
            follower.learn(copies.deepcopy(task))

    def _follow(self, person: Person, value: int, limit: int) -> None:
        """Somebody follows a room by its changes, or goes on to."""
        rooms = sorted(self.writers.rooms_of(person))
        if value < 4 and rooms:
            follower = RoomFollower(person, rooms[value % len(rooms)])
            follower.begin(follower.ask(limit))
            self.room_followers = [*self.room_followers[-3:], follower]
        for follower in self.room_followers:
            self._read_changes(follower, limit)

    def _read_changes(self, follower: RoomFollower, limit: int) -> None:
        for _ in range(_MOST_PAGES):
            response = follower.ask(limit)
            self.figures["pages of changes"] += 1
            if follower.room_id not in self.writers.rooms_of(follower.person):
                assert response.status in (401, 404), response
                self.room_followers = [each for each in self.room_followers if each is not follower]
                return
            if response.status == 410:
                assert response.json()["code"] == "cursor_expired"
                self.figures["cursors that had expired"] += 1
                follower.cursor = None
                follower.begin(follower.ask(limit))
                return
            assert response.status == 200, response
            page = response.json()
            follower.apply(page)
            if not page["more"]:
                return
        raise AssertionError("there is always more")

    # --------------------------------------------------------------------------------- what happens to the server
    def _write(self, writes: list[Write]) -> None:
        for write in writes:
            done = self.writers.carry_out(write)
            self.figures[write.kind if done else f"{write.kind}: refused"] += 1
        self._welcome()

    def _welcome(self) -> None:
        """Who is new has clients, and who is gone has none."""
        for person in self.writers.people:
            self.followers.setdefault(person.id, [type(self).follower(person) for _ in range(_FOLLOWERS)])
        here = {person.id for person in self.writers.people}
        self.followers = {user_id: each for user_id, each in self.followers.items() if user_id in here}
        self.room_followers = [each for each in self.room_followers if each.person.id in here]

    def _deliver_all(self) -> None:
        stuck = [each.function for each in self.product.deliver() if each.failed]
        assert stuck == []

    def _expire(self, number: int, value: int) -> None:
        """The time of the older entries of a log is over, and some of them are deleted already."""
        logs = sorted({item["owner_id"] for item in self._log_items() if item["item"] == "head"})
        log_id = logs[value % len(logs)] if logs else ""
        entries = sorted(item["item"] for item in self._log_items() if item["owner_id"] == log_id)
        for place, item in enumerate([each for each in entries if each.startswith("c#")][: value + 1]):
            key = {"owner_id": log_id, "item": item}
            tables.change(self.product.aws, "LogTable", key, expires_at=1)
            if place % PEOPLE != number or value % 2:
                with LOCK:
                    names = {name: {"S": text} for name, text in key.items()}
                    self.product.aws.dynamodb.delete_item(TableName="LogTable", Key=names)

    def _restore(self, value: int) -> None:
        """An operator puts back what a task was once, and raises the epoch, as `make restore` does."""
        items = [item for item in self.product.items("TasksTableV2") if "title" in item]
        if items:
            item = items[value % len(items)]
            key = {name: item[name] for name in ("owner_id", "item")}
            tables.change(self.product.aws, "TasksTableV2", key, title=f"Restored {value}")
        epoch = next((item for item in self._log_items() if item["owner_id"] == "epoch"), {"epoch": 0})
        tables.put(self.product.aws, "LogTable", owner_id="epoch", item="head", epoch=int(epoch["epoch"]) + 1)

    # ------------------------------------------------------------------------------------- what must be seen
    def _rest(self) -> None:
        """Nobody writes, and the logs have everything: copies are what the routes show, and nothing new comes."""
        self._deliver_all()
        swept = call(self.product.aws, "SweeperFunction", {"older_than_seconds": 0})
        if any(each["finished"] for each in swept.values()):
            self._deliver_all()
        newcomer = type(self).follower(self.writers.people[0])
        for follower in [*chain(*self.followers.values()), newcomer]:
            self._pull(follower, 200, _MOST_PAGES, post=True)
            unlike = difference(follower.copy, self._held_for(follower.person))
            assert not unlike, f"the client and the routes differ:\n{unlike}"
        page = self._ask(newcomer, 200, post=False).json()
        assert {name: page[name] for name in _NO_NEWS} == _NO_NEWS
        for reader in [*self.room_followers]:
            self._read_changes(reader, 100)
        for reader in self.room_followers:
            tasks = self._held_for(reader.person)["tasks"]
            expected = {key: task for key, task in tasks.items() if task["room_id"] == reader.room_id}
            assert reader.tasks == expected, reader.room_id
        self.figures["copies compared"] += PEOPLE * _FOLLOWERS + 1 + len(self.room_followers)
        self._held.clear()

    def _held_for(self, person: Person) -> Json:
        """What the routes show. Nobody writes before the end of this rest."""
        if person.id not in self._held:
            self._held[person.id] = held_for(person)
        return self._held[person.id]

    def _logged(self) -> dict[str, tuple[str, int, str]]:
        """By task, what the last entry says: the log, the version, and what was done. 0: it has no version."""
        items = sorted(self._log_items(), key=lambda item: (item["owner_id"], item["item"]))
        heads = {item["owner_id"]: int(item["seq"]) for item in items if item["item"] == "head" and "seq" in item}
        return {
            item["resource_id"]: (item["owner_id"], int(item.get("version") or 0), item["action"])
            for item in items
            if item["item"].startswith("c#")
            and int(item["item"].removeprefix("c#")) <= heads[item["owner_id"]]
            and item["resource"] == "task"
        }

    def _check_not_older(self, follower: Follower, logged: dict[str, tuple[str, int, str]]) -> None:
        """A copy that is complete has what was in the logs when it asked, or something newer."""
        mine = self.writers.rooms_of(follower.person)
        assert follower.copy["rooms"].keys() == mine
        listed = {
            item["item"]: int(item["version"])
            for item in self.product.items("TasksTableV2")
            if item.get("by_created", "").startswith("T#")
        }
        for task_id, (log_id, version, action) in logged.items():
            if log_id not in {*mine, follower.person.id}:
                continue
            known = follower.copy["tasks"].get(task_id)
            if action in ("purged", "deleted"):
                assert known is None, f"{task_id} is there, {action} is logged"
            elif known is not None:
                assert known["version"] >= version + (action == "trashed"), (known, version, action)
            else:
                # Nothing is known to have happened to it since.
                assert listed.get(task_id) != version, f"{task_id} is missing, {action} is logged"
        self.figures["copies held against the logs"] += 1

    def _log_items(self) -> list[Json]:
        return self.product.items("LogTable")
