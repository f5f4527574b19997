"""Live updates under crashes: connections and hints, on the DynamoDB of the simulation, with a gateway for WebSockets.

A seed decides what happens next: tickets, also used twice; WebSockets that open, close and vanish; sessions that end,
one or all of a user; a member who is removed from the room and comes back; changes in it; stream records that are
lost, late, in batches, or come twice; several invocations at the same time, each of which may die before or after any
request, or get no response to one that is carried out now, later or never; reads that lag. After each commit, what is
stored is of sessions that have not ended, and nothing is lost that nobody ended. No hint says anything of the time
after somebody left the room or their session ended. Then everything works again, and whoever is connected gets a hint
of the last change.
"""

import functools
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

from tasksync.aws.websockets import WebSockets
from tasksync.domain.live.connections import TicketService, forget_connection, open_connection
from tasksync.domain.live.hints import OPENING_SECONDS, Hints, close_ended
from tasksync.dynamodb.change_log.decoder import HEAD
from tasksync.dynamodb.live.mapper import SESSION, connections_of, is_ticket, left_by
from tasksync.dynamodb.live.opening import OpeningConnections
from tasksync.dynamodb.live.repository import ConnectionsRepository, TicketsRepository
from tasksync.dynamodb.rooms.members import RoomMembersRepository
from tasksync.dynamodb.sessions.changes import SessionChanges
from tasksync.dynamodb.users.mapper import USER
from tasksync.model import times
from tasksync.model.entities import Caller, Session, UserRole
from tasksync.model.errors import TaskSyncError
from tasksync.model.live import CONNECTION_LIFETIME, MOST_CONNECTIONS, Connection, Connections, Ticket
from tasksync.streams.live import ended_of, growth_of
from tests.simulation.dynamodb import Database, Json, ServiceError
from tests.simulation.expressions import Item
from tests.simulation.process import run_in
from tests.simulation.scheduler import Scheduler
from tests.simulation.service import _Outcome, _response, _text
from tests.simulation.streams import record_of
from tests.simulation.tables import Change
from tests.support.stack import Stack

ROOM = "room_018f0000000070008000000000000001"
ANN = "usr_018f0000000070008000000000000002"
BOB = "usr_018f0000000070008000000000000003"

STEPS = 240
"""Invocations of one seed."""
_AT_ONCE = 4
_LONGEST_LAG_SECONDS = 2.0
"""Of reads that are not consistent."""
_LONGEST_HANDSHAKE_SECONDS = OPENING_SECONDS / 2
_LIFETIME_SECONDS = CONNECTION_LIFETIME.total_seconds()
_TIMEOUT_SECONDS = 3.0
_GATEWAY = "https://live.example.org/live"

Weaken = Callable[[str, Json], Json]
"""Changes a request before it is carried out: a condition that is missing in the code."""


class Crashed(BaseException):
    """The invocation is gone. Not an ``Exception``: nothing in it may go on."""


class Broken(AssertionError):
    """A promise was not kept."""


@dataclass
class Periods:
    """When something held. It does not at first."""

    changes: list[float] = field(default_factory=list)
    """Times at which it began to hold, ceased, began again …"""

    def set(self, at: float, *, holds: bool) -> None:
        if holds != self.holds:
            self.changes.append(at)

    @property
    def holds(self) -> bool:
        return len(self.changes) % 2 == 1

    def held_since(self, at: float) -> bool:
        """Whether it held at any moment from ``at`` until now."""
        return self.holds or len(self.changes) > bisect_right(self.changes, at)


@dataclass
class Socket:
    """A WebSocket, as the gateway has it."""

    id: str
    ticket: Ticket
    opened_at: float
    hints: set[int] = field(default_factory=set)


class LiveSimulation:
    """One seed."""

    def __init__(self, seed: int, weaken: Weaken | None = None) -> None:
        self._random = Random(seed)
        self.entropy = Random(seed + 1)
        self._weaken = weaken or (lambda _, body: body)
        self._scheduler = Scheduler(Random(seed + 2))
        tables = Stack().of_type("AWS::DynamoDB::Table")
        self._database = Database(tables, self.now, self._lag, self._breathe, self._committed)
        self._invocations: set[str] = set()
        """Of the actors that are an invocation now."""
        self._calm = True
        self._numbers = iter(range(10**9))
        self._log: list[Json] = []
        self._live: list[Json] = []
        """Records of the log table and of the live table."""
        self._appended: list[float] = []
        """When the head became each number."""
        self._members: dict[str, Periods] = {ANN: Periods(), BOB: Periods()}
        self._sessions: dict[str, Periods] = {}
        """Whether each is there and of its user's epoch."""
        self._epochs: dict[str, int] = {ANN: 1, BOB: 1}
        self._tickets: list[str] = []
        self._admitted: set[str] = set()
        self._sockets: dict[str, Socket] = {}
        self._stored: dict[str, Ticket] = {}
        """By connection that was ever to be stored, the ticket that opened it."""
        self._unclosed: set[str] = set()
        """Connections whose record was lost."""

    # ------------------------------------------------------------------------------------- the world
    def now(self) -> float:
        return self._scheduler.now

    clock = now

    def sleep(self, seconds: float) -> None:
        self._scheduler.pause(seconds)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """The response of AWS; or the end of the invocation, or of its wait, before or after the request."""
        self._breathe()
        self._fail(request)
        if str(request.url).startswith(_GATEWAY):
            outcome = self._of_gateway(request)
        else:
            body = json.loads(_text(request.body))
            operation = _text(request.headers["X-Amz-Target"]).partition(".")[2]
            carried_out = partial(self._carried_out, operation, self._weaken(operation, body))
            if self._happens(0.01):
                self._scheduler.spawn("late", partial(self._unheard, carried_out), self._random.uniform(0.1, 5))
                raise self._no_response(request)
            outcome = carried_out()
        self._fail(request)
        return _response(request, outcome)

    def _unheard(self, carried_out: Callable[[], _Outcome]) -> None:
        """Nobody waits for it any more."""
        carried_out()

    def _carried_out(self, operation: str, body: Json) -> _Outcome:
        try:
            return _Outcome(self._database.call(operation, body))
        except ServiceError as error:
            return _Outcome.of(error)

    def _breathe(self) -> None:
        """A request takes a while, in which others run."""
        self.sleep(self._random.uniform(0.001, 0.02))

    def _lag(self) -> float:
        return self._random.choice((0.0, 0.0, self._random.uniform(0, _LONGEST_LAG_SECONDS)))

    def _happens(self, probability: float) -> bool:
        faulty = not self._calm and self._scheduler.current.name in self._invocations
        return faulty and self._random.random() < probability

    def _fail(self, request: AWSPreparedRequest) -> None:
        if self._happens(0.01):
            raise Crashed
        if self._happens(0.02):
            raise self._no_response(request)

    def _no_response(self, request: AWSPreparedRequest) -> ReadTimeoutError:
        self.sleep(_TIMEOUT_SECONDS)
        return ReadTimeoutError(endpoint_url=str(request.url))

    def _of_gateway(self, request: AWSPreparedRequest) -> _Outcome:
        connection_id = unquote(urlsplit(str(request.url)).path.rpartition("/")[2])
        if self._happens(0.05):
            return _Outcome(status=500)
        socket = self._sockets.get(connection_id)
        if socket is None or self.now() > socket.opened_at + _LIFETIME_SECONDS:
            return _Outcome(status=410)
        if request.method == "DELETE":
            del self._sockets[connection_id]
            return _Outcome(status=204)
        self._receive(socket, json.loads(_text(request.body)))
        return _Outcome()

    def _receive(self, socket: Socket, hint: Json) -> None:
        at = self._appended[hint["seq"] - 1]
        if not self._members[socket.ticket.user_id].held_since(at):
            raise Broken(f"{socket} gets {hint}, having left the room before")
        if not self._sessions[socket.ticket.session_id].held_since(at - _LONGEST_LAG_SECONDS):
            raise Broken(f"{socket} gets {hint}, and its session ended before")
        socket.hints.add(hint["seq"])

    def _committed(self, changes: list[Change]) -> None:
        for change in changes:
            if change.table == "LiveTable" and change.old is not None and not is_ticket(change.old):
                self._live.append(record_of(change, next(self._numbers), self.now()))
            elif change.table == "LogTable":
                self._appended.append(self.now())
                self._log.append(record_of(change, next(self._numbers), self.now()))
            elif change.table == "RoomsTable" and change.new is not None:
                for user_id, periods in self._members.items():
                    periods.set(self.now(), holds=user_id in change.new["member_ids"]["SS"])
            elif change.table == "UsersTable" and change.new is not None:
                self._epochs[change.key[0]] = int(change.new["token_epoch"]["N"])
        self._check_sessions()
        for change in changes:
            if change.table == "LiveTable" and change.old is not None and not is_ticket(change.old):
                self._check_lost(connections_of(change.old), change.new)

    def _check_lost(self, before: Connections, new: Item | None) -> None:
        """No connection is gone but by its own end, that of its session, its time, or a new one where ten are."""
        stored = connections_of(new).connections if new is not None else ()
        left = left_by(new) if new is not None else None
        at = datetime.fromtimestamp(self.now(), UTC)
        living = [each for each in before.connections if each.expires_at > at and self._lives(each)]
        lost = [each for each in living if each not in stored and each.id != left]
        if len(lost) > max(0, len(living) + 1 - MOST_CONNECTIONS):
            raise Broken(f"{lost} are lost, and nobody ended them")

    def _lives(self, connection: Connection) -> bool:
        """Whether its session goes on as it was when the connection was opened."""
        ticket = self._stored[connection.id]
        return self._sessions[connection.session_id].holds and ticket.epoch == self._epochs[ticket.user_id]

    def _check_sessions(self) -> None:
        """What is stored is of sessions that go on as when it was opened, and not more than may be."""
        items = self._database.tables["SessionsTable"].items
        for (session_id, _), item in items.items():
            self._sessions.setdefault(session_id, Periods())
            holds = int(item["epoch"]["N"]) == self._epochs[item["user_id"]["S"]]
            self._sessions[session_id].set(self.now(), holds=holds)
        for session_id, periods in self._sessions.items():
            if (session_id, "") not in items:
                periods.set(self.now(), holds=False)
        for item in self._database.tables["LiveTable"].items.values():
            if is_ticket(item):
                continue
            connections = connections_of(item).connections
            if len(connections) > MOST_CONNECTIONS:
                raise Broken(f"{len(connections)} connections are stored")
            for connection in connections:
                if not self._lives(connection):
                    raise Broken(f"{connection} is stored, and its session has ended")

    # ------------------------------------------------------------------------------------- the story
    def run(self, steps: int) -> None:
        """Raises ``Broken``."""
        self._at_once(self._begin)
        self._calm = False
        self._at_once(*[partial(self._work, steps // _AT_ONCE)] * _AT_ONCE)
        self._calm = True
        self._at_once(self._finish)

    def _at_once(self, *actors: Callable[[], None]) -> None:
        run_in(self, self._scheduler, *actors)

    def _begin(self) -> None:
        for user_id in (ANN, BOB):
            self._database.call("PutItem", {"TableName": "UsersTable", "Item": _user(user_id, self.now())})
        self._database.call("PutItem", {"TableName": "RoomsTable", "Item": _room(self.now())})
        for user_id in (ANN, ANN, BOB):
            self._sign_in(user_id)

    def _work(self, steps: int) -> None:
        """One thing after the other."""
        kinds: dict[Callable[[], None], float] = {
            self._open: 12,
            self._close: 1,
            self._append: 4,
            self._hint: 8,
            self._close_ended: 8,
            self._end_session: 0.7,
            self._end_all: 0.3,
            self._change_password: 0.5,
            self._sign_in: 1,
            self._remove_or_add: 1,
            self._expire: 0.3,
        }
        for _ in range(steps):
            self._random.choices([*kinds], [*kinds.values()])[0]()
            self.sleep(self._random.choice((0.0,) * 40 + (1, 15, 60, 3_000, 90_000)))

    def _invocation(self, run: Callable[[], bool | None]) -> bool:
        """Whether it came to its end, and did not say no."""
        name = self._scheduler.current.name
        self._invocations.add(name)
        try:
            return run() is not False
        except (Crashed, TaskSyncError):
            return False
        finally:
            self._invocations.discard(name)

    # ---------------------------------------------------------------------------------------- clients
    def _open(self) -> None:
        """A client requests a ticket, and opens a WebSocket with it; or somebody has had the ticket before."""
        if self._tickets and self._random.random() < 0.25:
            ticket_hash = self._random.choice(self._tickets[-3:])
        else:
            ticket_hash = f"{next(self._numbers):064x}"
            caller = Caller(*self._random.choice(self._known()), UserRole.USER)
            issue = partial(TicketService(SessionChanges(), TicketsRepository()).issue, caller, "", ticket_hash)
            if not self._invocation(issue):
                return
            self._tickets.append(ticket_hash)
        self.sleep(self._random.choice((0.0, 0.5, 40.0)))
        admitted: list[Ticket] = []
        self._invocation(lambda: admitted.extend(self._admit(ticket_hash)))
        for ticket in admitted:
            self._connect(ticket)

    def _admit(self, ticket_hash: str) -> Iterable[Ticket]:
        ticket = TicketsRepository().take(ticket_hash, times.now())
        if ticket is None:
            return []
        if ticket_hash in self._admitted:
            raise Broken(f"{ticket} opens two WebSockets")
        self._admitted.add(ticket_hash)
        return [ticket]

    def _connect(self, ticket: Ticket) -> None:
        connection_id = f"{next(self._numbers)}="
        self._stored[connection_id] = ticket
        at = self.now()
        if self._invocation(lambda: open_connection(connection_id, ticket, OpeningConnections())):
            self.sleep(max(0.0, self._random.uniform(-10, _LONGEST_HANDSHAKE_SECONDS) - (self.now() - at)))
            self._sockets[connection_id] = Socket(connection_id, ticket, self.now())

    def _close(self) -> None:
        """A client closes a WebSocket; mostly the gateway says so."""
        if self._sockets:
            socket = self._sockets.pop(self._random.choice([*self._sockets]))
            if self._random.random() < 0.7:
                forget = partial(forget_connection, socket.ticket.user_id, socket.id, ConnectionsRepository())
                self._invocation(forget)

    def _known(self) -> list[tuple[str, str]]:
        """Users, and the sessions that they have or have had."""
        items = self._database.tables["SessionsTable"].items
        return [(item["user_id"]["S"], session_id) for (session_id, _), item in items.items()] or [(ANN, "ses_0")]

    def _sign_in(self, user_id: str | None = None) -> None:
        user_id = user_id or self._random.choice((ANN, BOB))
        at = datetime.fromtimestamp(self.now(), UTC)
        number = next(self._numbers)
        session = Session(
            id=f"{SESSION}{number:032x}",
            user_id=user_id,
            epoch=self._epochs[user_id],
            family_hash=str(number),
            refresh_hash=str(number),
            created_at=at,
            authenticated_at=at,
            last_used_at=at,
            expires_at=at + timedelta(days=30),
            ends_at=at + timedelta(days=30),
            user_agent="simulation",
            ip="192.0.2.7",
        )
        self._invocation(lambda: SessionChanges().open(session))

    def _end_session(self) -> None:
        user_id, session_id = self._random.choice(self._known())
        self._invocation(lambda: SessionChanges().end(session_id, user_id))

    def _end_all(self) -> None:
        user_id = self._random.choice((ANN, BOB))
        self._invocation(lambda: SessionChanges().end_all(user_id))

    def _change_password(self) -> None:
        user_id, session_id = self._random.choice(self._known())
        user = USER.read(self._database.tables["UsersTable"].items[user_id, ""])
        change = partial(SessionChanges().change_password, user, session_id, "another", times.now())
        self._invocation(change)

    # ----------------------------------------------------------------------------------------- the room
    def _remove_or_add(self) -> None:
        """Bob. Ann stays: a room without members has no hints."""
        members = [ANN] if self._members[BOB].holds else [ANN, BOB]
        key = {"room_id": {"S": ROOM}, "item": {"S": "ROOM"}}
        item = {**self._database.tables["RoomsTable"].items[ROOM, "ROOM"], "member_ids": {"SS": members}}
        self._database.call("PutItem", {"TableName": "RoomsTable", "Item": {**item, **key}})
        self._append()

    def _append(self) -> None:
        number = len(self._appended) + 1
        item = {
            "owner_id": {"S": ROOM},
            "item": {"S": HEAD},
            "seq": {"N": str(number)},
            "changed_at": {"S": times.timestamp(datetime.fromtimestamp(self.now(), UTC))},
        }
        self._database.call("PutItem", {"TableName": "LogTable", "Item": item})

    # ------------------------------------------------------------------------------------ the function live
    def _hint(self) -> None:
        """Some records of the log: they may be lost, come again, or be handed over."""
        batch = self._log[: self._random.randint(1, 5)]
        if batch:
            fate = 1.0 if self._calm else self._random.random()
            sent = fate > 0.1 and self._invocation(lambda: self._send_hints(batch))
            if fate <= 0.1 or (sent and fate > 0.2):
                self._log = [record for record in self._log if record not in batch]

    def _send_hints(self, records: list[Json]) -> None:
        hints = Hints(RoomMembersRepository(), ConnectionsRepository(), _gateway(), _one_by_one)
        hints.tell(growth_of(records))

    def _close_ended(self) -> None:
        """A record of the live table: it may be lost, come again, or be handed over."""
        if not self._live:
            return
        record = self._random.choice(self._live)
        before, after, left = ended_of(record)
        fate = 1.0 if self._calm else self._random.random()
        if fate <= 0.02:
            self._unclosed |= {each.id for each in before.connections} - {
                each.id for each in (after.connections if after else ())
            }
        done = fate > 0.02 and self._invocation(lambda: close_ended(before, after, left, _gateway()))
        if (fate <= 0.02 or (done and fate > 0.2)) and record in self._live:
            self._live.remove(record)

    def _expire(self) -> None:
        """DynamoDB deletes what has expired."""
        for (live_id, _), item in [*self._database.tables["LiveTable"].items.items()]:
            if int(item["expires_at"]["N"]) < self.now():
                self._database.call("DeleteItem", {"TableName": "LiveTable", "Key": {"live_id": {"S": live_id}}})

    # ---------------------------------------------------------------------------------------- the end
    def _finish(self) -> None:
        """Everything works from now on: what is open is stored, or was lost, and what is stored gets hints."""
        self.sleep(2 * OPENING_SECONDS)
        self._settle()
        self._append()
        self._settle()
        last = len(self._appended)
        for socket in self._sockets.values():
            if self.now() > socket.opened_at + _LIFETIME_SECONDS - 60 or socket.id in self._unclosed:
                continue
            if socket.id not in self._in_table():
                raise Broken(f"{socket} is open and not stored, and nobody closes it")
            if self._members[socket.ticket.user_id].holds and last not in socket.hints:
                raise Broken(f"{socket} has no hint of the last change")
        if gone := self._in_table(ANN) - self._sockets.keys():
            raise Broken(f"{gone} are stored, and are gone")

    def _settle(self) -> None:
        for _ in range(10_000):
            if not self._log and not self._live:
                return
            self._hint()
            self._close_ended()
            self.sleep(_LONGEST_LAG_SECONDS)
        raise Broken("records come again and again")

    def _in_table(self, *user_ids: str) -> set[str]:
        """The connections that are stored and have not expired."""
        items = self._database.tables["LiveTable"].items
        stored = [items[user_id, ""] for user_id in user_ids or (ANN, BOB) if (user_id, "") in items]
        at = datetime.fromtimestamp(self.now(), UTC)
        return {each.id for item in stored for each in connections_of(item).connections if each.expires_at > at}


@functools.cache
def _gateway() -> WebSockets:
    return WebSockets(_GATEWAY)


def _one_by_one(*jobs: Callable[[], Any]) -> list[Any]:
    return [job() for job in jobs]


def _user(user_id: str, at: float) -> Json:
    when = times.timestamp(datetime.fromtimestamp(at, UTC))
    texts = {"user_id": user_id, "kind": "user", "username": user_id, "password_hash": "none", "role": "user"}
    return {
        **{name: {"S": text} for name, text in texts.items()},
        "status": {"S": "active"},
        "token_epoch": {"N": "1"},
        "created_at": {"S": when},
        "updated_at": {"S": when},
        "version": {"N": "1"},
    }


def _room(at: float) -> Json:
    when = times.timestamp(datetime.fromtimestamp(at, UTC))
    return {
        "room_id": {"S": ROOM},
        "item": {"S": "ROOM"},
        "kind": {"S": "room"},
        "code": {"S": "ABCDEF"},
        "join_role": {"S": "member"},
        "member_count": {"N": "2"},
        "admin_count": {"N": "1"},
        "member_ids": {"SS": [ANN, BOB]},
        "created_by": {"S": ANN},
        "created_at": {"S": when},
        "updated_at": {"S": when},
        "version": {"N": "1"},
    }
