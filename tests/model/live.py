"""A model of the connections of live updates: how WebSockets of a user open, end and are forgotten, while sessions end.

Each step is one request to DynamoDB or to the gateway; a function may be cut off after any. A ticket is a model of its
own, as two functions may have the same one.
"""

import functools
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple, Self

from tests.model.explore import Result
from tests.model.guarded import Models, main
from tests.model.search import Step, search

ADMISSIONS = 3
MOST = 2
"""Connections of the user; one more replaces the oldest. In the code they are 10."""


class Guard(Enum):
    """What live updates rest on; the comment says where the code has it."""

    # tickets
    TAKE = auto()  # dynamodb/live/repository.py take: the ticket must exist

    # connections
    OPEN_SESSION = auto()  # dynamodb/live/opening.py open: the session must exist
    OPEN_EPOCH = auto()  # open: the user has the epoch of the ticket
    OPEN_SAME = auto()  # open: the connections are what was read
    OPEN_FREE = auto()  # open: there is no item if none was read
    END_SESSION = auto()  # dynamodb/live/items.py end_connections_of_session, in the transaction that ends a session
    END_ALL = auto()  # end_all_connections, in the transaction that raises the epoch
    REMOVE_SAME = auto()  # items.py remove_connection: those of its session are what was read
    REMOVE_CONTENT = auto()  # remove_connection: that is compared by content, not by version
    CLOSE_OPENING = auto()  # domain/live/hints.py close_ended: what is not open yet is closed later
    HINT_OPENING = auto()  # Hints._tell: what is not open yet is not forgotten


TICKET_FAULTS = {Guard.TAKE: "a ticket opens two connections"}
_ENDED = "a connection of a session that has ended is stored"
_OPEN = "a connection is open that is not stored, and nobody closes it"
_LOST = "a connection is lost that nobody ended"
CONNECTIONS_FAULTS = {
    Guard.OPEN_SESSION: _ENDED,
    Guard.OPEN_EPOCH: _ENDED,
    Guard.OPEN_SAME: _ENDED,
    Guard.OPEN_FREE: _LOST,
    Guard.END_SESSION: _ENDED,
    Guard.END_ALL: _ENDED,
    Guard.REMOVE_SAME: _ENDED,
    Guard.REMOVE_CONTENT: _ENDED,
    Guard.CLOSE_OPENING: _OPEN,
    Guard.HINT_OPENING: _OPEN,
}
"""What goes wrong without each."""

Guards = frozenset[Guard]


# ---------------------------------------------------------------------------------------------------- tickets
class Ticket(NamedTuple):
    """A ticket that two functions take, each of which has read it or not."""

    stored: bool = True
    admitted: int = 0
    functions: tuple[str, ...] = ("begins", "begins")


def ticket_steps(w: Ticket, removed: Guards) -> Iterator[Step[Ticket]]:
    """Everything that may happen next to a ticket."""
    for number, phase in enumerate(w.functions):
        rest = w._replace(functions=w.functions[:number] + w.functions[number + 1 :])
        yield Step("a function is cut off", rest)
        if not w.stored and (phase == "begins" or Guard.TAKE not in removed):
            yield Step("there is no ticket", rest)
        elif phase == "begins":
            yield Step("a function reads the ticket", rest._replace(functions=(*rest.functions, "has read")))
        else:
            fault = "a ticket opens two connections" if w.admitted else None
            yield Step("a function takes the ticket", rest._replace(stored=False, admitted=w.admitted + 1), fault)


# ------------------------------------------------------------------------------------------------ connections
class Connection(NamedTuple):
    id: int
    """A later one has a greater number."""
    session: int
    epoch: int


class Item(NamedTuple):
    """What is stored of a user."""

    version: int
    connections: frozenset[Connection]

    def of(self, session: int) -> frozenset[Connection]:
        return frozenset(each for each in self.connections if each.session == session)


class Function(NamedTuple):
    """A function that opens a connection, or forgets it. It begins with a read."""

    opens: bool
    connection: Connection
    read: Item | None
    opening: bool = False
    """The connection is stored, and the gateway does not have it yet."""


class User(NamedTuple):
    """A user with two sessions."""

    admissions: int = ADMISSIONS
    epoch: int = 1
    sessions: frozenset[tuple[int, int]] = frozenset({(1, 1), (2, 1)})
    """Of each that is there, the epoch."""
    may_end: frozenset[str] = frozenset({"a session", "all"})
    item: Item | None = None
    open: frozenset[Connection] = frozenset()
    """In the gateway."""
    to_close: frozenset[Connection] = frozenset()
    """Connections that a stream record names."""
    functions: tuple[Function, ...] = ()

    def with_function(self, each: Function) -> Self:
        return self._replace(functions=tuple(sorted((*self.functions, each), key=_order)))

    def stored(self, after: Item | None, left: Connection | None = None) -> Self:
        """``left``: the one that ended by itself, which nobody has to close."""
        gone = self.connections - (after.connections if after else frozenset()) - {left}
        return self._replace(item=after, to_close=self.to_close | gone)

    def settled(self) -> Self:
        """There is nothing to close any more of what is not open and will not be."""
        return self._replace(to_close=self.to_close & (self.open | self.opening))

    @property
    def connections(self) -> frozenset[Connection]:
        return self.item.connections if self.item else frozenset()

    @property
    def opening(self) -> frozenset[Connection]:
        return frozenset(each.connection for each in self.functions if each.opening)


def connections_steps(w: User, removed: Guards) -> Iterator[Step[User]]:
    """Everything that may happen next to the connections of a user."""
    if w.admissions and len(w.functions) < 2:
        # The first one's session has no other number than that of the other.
        for session, epoch in sorted(w.sessions)[: 1 if w.admissions == ADMISSIONS else None]:
            if epoch == w.epoch:
                connection = Connection(ADMISSIONS - w.admissions, session, epoch)
                after = w._replace(admissions=w.admissions - 1)
                yield Step(f"{connection} is admitted", after.with_function(Function(True, connection, w.item)))
    yield from _ends(w, removed)
    for each in w.open:
        closed = w._replace(open=w.open - {each})
        yield from _forgets(closed, each, f"the client of {each} closes it")
    for each in w.connections - w.open:
        if each not in w.opening or Guard.HINT_OPENING in removed:
            yield from _forgets(w, each, f"a hint finds {each} gone")
    for each in w.to_close:
        if each in w.open or Guard.CLOSE_OPENING in removed:
            yield Step(f"{each} is closed", w._replace(open=w.open - {each}, to_close=w.to_close - {each}))
    yield from _goes_on(w, removed)


def _goes_on(w: User, removed: Guards) -> Iterator[Step[User]]:
    """A function takes its next step, or none."""
    for number, function in enumerate(w.functions):
        rest = w._replace(functions=w.functions[:number] + w.functions[number + 1 :])
        yield Step("a function is cut off", rest)
        if function.opening:
            yield Step(f"{function.connection} is open", rest._replace(open=w.open | {function.connection}))
        elif function.opens:
            yield _opened(rest, function, removed)
        else:
            yield _forgotten(rest, function, removed)


def _ends(w: User, removed: Guards) -> Iterator[Step[User]]:
    """A session ends; or the password is changed, by a session that goes on."""
    for session, epoch in w.sessions:
        if "a session" in w.may_end:
            item = Item(w.item.version + 1 if w.item else 1, w.connections - (w.item.of(session) if w.item else set()))
            ended = w._replace(sessions=w.sessions - {(session, epoch)}, may_end=w.may_end - {"a session"})
            yield Step(f"session {session} ends", ended if Guard.END_SESSION in removed else ended.stored(item))
        if "all" in w.may_end and epoch == w.epoch:
            sessions = w.sessions - {(session, epoch)} | {(session, epoch + 1)}
            ended = w._replace(epoch=epoch + 1, sessions=sessions, may_end=w.may_end - {"all"})
            yield Step(
                f"session {session} changes the password", ended if Guard.END_ALL in removed else ended.stored(None)
            )


def _forgets(w: User, connection: Connection, text: str) -> Iterator[Step[User]]:
    """A function that forgets a connection, or does not come to that."""
    yield Step(text, w)
    if len(w.functions) < 2:
        yield Step(text, w.with_function(Function(False, connection, w.item)))


def _opened(w: User, function: Function, removed: Guards) -> Step[User]:
    """``w``: without this function."""
    new, read = function.connection, function.read
    is_there = any(session == new.session for session, _ in w.sessions)
    if (not is_there and Guard.OPEN_SESSION not in removed) or (
        new.epoch != w.epoch and Guard.OPEN_EPOCH not in removed
    ):
        return Step("the session has ended", w)
    guard = Guard.OPEN_FREE if read is None else Guard.OPEN_SAME
    version = w.item and w.item.version
    if version != (read and read.version) and guard not in removed:
        return Step("others are stored", w.with_function(function._replace(read=w.item)))
    known = read.connections if read else frozenset()
    newest = frozenset(sorted(known)[-(MOST - 1) :]) | {new}
    stored = frozenset(each for each in w.connections if each.session not in {other.session for other in known | {new}})
    after = w.stored(Item(read.version + 1 if read else 1, stored | newest))
    lost = len(w.connections) - len(after.connections) + 1 > max(0, len(w.connections) - MOST + 1)
    return Step(
        f"{new} is stored", after.with_function(Function(True, new, None, opening=True)), _LOST if lost else None
    )


def _forgotten(w: User, function: Function, removed: Guards) -> Step[User]:
    """``w``: without this function."""
    ended, read = function.connection, function.read
    if read is None or ended not in read.connections:
        return Step("it is forgotten", w)
    if Guard.REMOVE_SAME in removed:
        same = True
    elif Guard.REMOVE_CONTENT in removed:
        same = w.item is not None and w.item.version == read.version
    else:
        same = w.item is not None and w.item.of(ended.session) == read.of(ended.session)
    if not same:
        return Step("others are stored", w.with_function(function._replace(read=w.item)))
    others = frozenset(each for each in w.connections if each.session != ended.session)
    version = w.item.version + 1 if w.item else 1
    return Step(f"{ended} is forgotten", w.stored(Item(version, others | read.of(ended.session) - {ended}), ended))


def connections_broken(w: User) -> str | None:
    """What is wrong in any state."""
    if any((each.session, w.epoch) not in w.sessions or each.epoch != w.epoch for each in w.connections):
        return _ENDED
    return _OPEN if w.open - w.connections - w.to_close else None


def explore_tickets(removed: Guards = frozenset()) -> Result:
    """Every state of a ticket, or the shortest way to a fault."""
    return search((Ticket(),), lambda w: ticket_steps(w, removed), lambda _: None)


def explore_connections(removed: Guards = frozenset()) -> Result:
    """Every state of the connections of a user, or the shortest way to a fault."""
    return search(
        (User(),),
        lambda w: (step._replace(world=step.world.settled()) for step in connections_steps(w, removed)),
        connections_broken,
    )


@functools.cache
def _order(function: Function) -> str:
    return repr(function)


MODELS: Models = {
    "ticket": (explore_tickets, TICKET_FAULTS),
    "connections": (explore_connections, CONNECTIONS_FAULTS),
}


if __name__ == "__main__":
    main("tests.model.live", __doc__, MODELS)
