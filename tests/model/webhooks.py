"""Two models of webhooks: how the log of a room is dispatched and its events are delivered, and how an ordered webhook
moves along the log.

Each step is one request, to DynamoDB or to a receiver; a function may be cut off after any. Messages are lost, come
twice and come late: a function may begin at any time. A lease is longer than a function runs (``LEASE``).
"""

import functools
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple, Self, TypeVar

from tests.model.explore import Result
from tests.model.guarded import Models, main
from tests.model.search import Step, search

ENTRIES = 2
ATTEMPTS = 2
"""After so many, a delivery has failed."""


class Guard(Enum):
    """What webhooks rest on; the comment says where the code has it."""

    # dispatch
    HEAD = auto()  # domain/webhooks/dispatch.py dispatch: entries beyond the head are left out
    READ_ORDER = auto()  # dispatch: the webhooks are read after the head
    DELIVERIES_FIRST = auto()  # dispatch: the log is dispatched when all is put down
    DISPATCHED_SAME = auto()  # dynamodb/webhooks/repository.py dispatched: it was as it was read
    PUT_ONCE = auto()  # dynamodb/webhooks/deliveries.py create: the delivery must not exist

    # single deliveries
    COUNT = auto()  # domain/webhooks/delivery.py deliver: the message is about the next attempt
    BEGIN_SAME = auto()  # deliveries.py begin: as many attempts were begun as was read
    SWEPT = auto()  # deliveries.py: what is pending is due
    LEASE = auto()  # delivery.py IN_FLIGHT: what is in flight is not due before its function has ended
    LAST = auto()  # delivery.py make: no attempt begins after the last one

    # ordered webhooks
    SEIZE_SAME = auto()  # repository.py seize: the lease is the one that was read
    ADVANCE_CURSOR = auto()  # advance: the cursor is where it was read
    REST_CURSOR = auto()  # rest: the cursor is where it was read
    REST_WANTED = auto()  # rest: it wants no more than was read
    WANT_DUE = auto()  # want: it is due from now on
    WANT_AGAIN = auto()  # want: one that is stopped or resumed at this moment is read again
    RESUME_STATE = auto()  # resume: the state is the one that was read
    RESUME_LEASE = auto()  # resume, change: where waiting ends, it still waits
    RESUME_DUE = auto()  # resume, change: it is due from now on
    RECHOSEN = auto()  # change: what is wanted at this moment may be pending
    GIVE_UP = auto()  # domain/webhooks/ordered.py _step: what is passed is pending no more


DISPATCH_FAULTS = {
    Guard.HEAD: "an event is lost",
    Guard.READ_ORDER: "an event is lost",
    Guard.DELIVERIES_FIRST: "an event is lost",
    Guard.DISPATCHED_SAME: "what was dispatched is to be dispatched again",
    Guard.PUT_ONCE: "a delivery begins anew",
}
DELIVERY_FAULTS = {
    Guard.COUNT: "an attempt begins while another is in flight",
    Guard.BEGIN_SAME: "an attempt begins while another is in flight",
    Guard.SWEPT: "an event waits for ever",
    Guard.LEASE: "an attempt begins while another is in flight",
    Guard.LAST: "attempts have no end",
}
ORDERED_FAULTS = {
    Guard.LEASE: "an attempt begins while another is in flight",
    Guard.SEIZE_SAME: "an attempt begins while another is in flight",
    Guard.ADVANCE_CURSOR: "a replay is lost",
    Guard.REST_CURSOR: "an event waits for ever",
    Guard.REST_WANTED: "an event waits for ever",
    Guard.WANT_DUE: "an event waits for ever",
    Guard.WANT_AGAIN: "an event is lost",
    Guard.RESUME_STATE: "a suspended webhook goes on by itself",
    Guard.RESUME_LEASE: "an attempt begins while another is in flight",
    Guard.RESUME_DUE: "an event waits for ever",
    Guard.RECHOSEN: "a delivery is pending for ever",
    Guard.GIVE_UP: "a delivery is pending for ever",
}
"""What goes wrong without each."""

Guards = frozenset[Guard]

_Any = TypeVar("_Any")


class Dispatcher(NamedTuple):
    """A function that dispatches the log."""

    last: int | None = None
    """Up to which entry. None: it does not know yet."""
    dispatched: int | None = None
    """As it read it, with the webhooks. None: not yet."""
    hooks: frozenset[tuple[int, int]] = frozenset()
    left: tuple[tuple[int, int], ...] | None = None
    """What it is to put down. None: it has not read the log yet."""


class Room(NamedTuple):
    """A room with a webhook, and one that somebody creates."""

    appends: tuple[int, ...]
    """How many entries each append has that is still to come."""
    appended: int = 0
    seen: frozenset[int] = frozenset()
    """The entries that a query sees: a transaction comes into sight one by one."""
    head: int = 0
    dispatched: int = 0
    since: int | None = None
    """The head, as it was read for the second webhook."""
    hooks: frozenset[tuple[int, int]] = frozenset({(0, 0)})
    """By number, and the entry since when."""
    owed: tuple[int, int] = (0, ENTRIES)
    """After which entry the events of each webhook begin that it must get."""
    deliveries: frozenset[tuple[int, int]] = frozenset()
    """The webhook and the entry of each."""
    dispatchers: tuple[Dispatcher, ...] = ()

    def with_dispatcher(self, each: Dispatcher) -> Self:
        return self._replace(dispatchers=tuple(sorted((*self.dispatchers, each), key=_order)))


ROOMS = (Room((ENTRIES,)), Room((1,) * ENTRIES))
"""One append of all entries, and one append for each."""


def dispatch_steps(w: Room, removed: Guards) -> Iterator[Step[Room]]:
    """Everything that may happen next in a room."""
    if w.appends:
        appended = w.appended + w.appends[0]
        yield Step(f"{appended} are appended", w._replace(appends=w.appends[1:], appended=appended))
    for seq in {*range(1, w.appended + 1)} - w.seen:
        yield Step(f"entry {seq} comes into sight", w._replace(seen=w.seen | {seq}))
    if w.head < w.appended == len(w.seen):
        yield Step(f"the head is {w.appended}", w._replace(head=w.appended))
    if w.since is None:
        yield Step("somebody reads the head for a webhook", w._replace(since=w.head))
    elif len(w.hooks) == 1:
        created = w._replace(hooks=w.hooks | {(1, w.since)}, owed=(0, w.appended))
        yield Step("the webhook is created", created)
    if len(w.dispatchers) < 2 and w.dispatched < w.appended:
        yield Step("a function begins", w.with_dispatcher(Dispatcher()))
    for each in set(w.dispatchers):
        yield from _dispatched(w._replace(dispatchers=_without(w.dispatchers, each)), each, removed)


def _dispatched(w: Room, d: Dispatcher, removed: Guards) -> Iterator[Step[Room]]:
    """``w``: without this dispatcher."""
    yield Step("a dispatcher is cut off", w)
    last = max(w.seen, default=0) if Guard.HEAD in removed else w.head
    if d.last is None and (d.dispatched is not None or Guard.READ_ORDER not in removed):
        yield Step(f"it is to dispatch up to {last}", w.with_dispatcher(d._replace(last=last)) if last else w)
    elif d.dispatched is None:
        read = d._replace(dispatched=w.dispatched, hooks=w.hooks)
        yield Step("it reads the webhooks, and how far it is", w.with_dispatcher(read))
    elif d.last is None or d.dispatched >= d.last:
        yield Step("there is nothing to dispatch", w)
    elif d.left is None:
        entries = [seq for seq in range(d.dispatched + 1, d.last + 1) if seq in w.seen]
        wanted = tuple((hook, seq) for hook, since in sorted(d.hooks) for seq in entries if seq > since)
        yield Step(f"it reads the entries {entries}", w.with_dispatcher(d._replace(left=wanted)))
    elif d.left and Guard.DELIVERIES_FIRST in removed:
        yield Step("it says first that all is dispatched", w._replace(dispatched=max(w.dispatched, d.last)))
    elif d.left:
        key, *left = d.left
        fault = "a delivery begins anew" if key in w.deliveries and Guard.PUT_ONCE in removed else None
        after = w._replace(deliveries=w.deliveries | {key}).with_dispatcher(d._replace(left=tuple(left)))
        yield Step(f"it puts {key} down", after, fault)
    elif w.dispatched != d.dispatched and Guard.DISPATCHED_SAME not in removed:
        yield Step("another has dispatched it", w)
    else:
        fault = "what was dispatched is to be dispatched again" if d.last < w.dispatched else None
        yield Step(f"the log is dispatched up to {d.last}", w._replace(dispatched=d.last), fault)


def dispatch_broken(w: Room) -> str | None:
    """What is wrong once nobody is at work."""
    if w.dispatchers or w.appends or w.dispatched < w.appended:
        return None
    owed = {(hook, seq) for hook, _ in w.hooks for seq in range(w.owed[hook] + 1, ENTRIES + 1)}
    return None if owed <= w.deliveries else "an event is lost"


# -------------------------------------------------------------------------------------------- single deliveries
class Delivery(NamedTuple):
    begun: int = 0
    ended: bool = False


class Sender(NamedTuple):
    """A function with a message about the delivery."""

    begun: int
    """As the message says; then as it has read it."""
    phase: str = "message"


class Single(NamedTuple):
    """One delivery, and who is at work on it. Deliveries have nothing to do with each other."""

    delivery: Delivery = Delivery()
    senders: tuple[Sender, ...] = ()
    crashes: int = ATTEMPTS + 1
    """How often a sender may be cut off in the middle of an attempt."""

    def with_sender(self, each: Sender) -> Self:
        return self._replace(senders=tuple(sorted((*self.senders, each))))


def delivery_steps(w: Single, removed: Guards) -> Iterator[Step[Single]]:
    """Everything that may happen next to a delivery. Messages come late and twice, and the sweeper sends them again."""
    delivery = w.delivery
    if len(w.senders) < 2:
        due = Guard.LEASE in removed or not _is_in_flight(w)
        if not delivery.ended and (delivery.begun == 0 or (due and Guard.SWEPT not in removed)):
            yield Step("the message about the next attempt comes", w.with_sender(Sender(delivery.begun)))
        if delivery.begun:
            yield Step("the message about the last attempt comes again", w.with_sender(Sender(delivery.begun - 1)))
    for each in set(w.senders):
        yield from _sent(w._replace(senders=_without(w.senders, each)), each, removed)


def _is_in_flight(w: Single) -> bool:
    return any(each.phase == "in flight" for each in w.senders)


def _sent(w: Single, s: Sender, removed: Guards) -> Iterator[Step[Single]]:
    """``w``: without this sender."""
    delivery = w.delivery
    if s.phase != "in flight":
        yield Step("a sender is cut off", w)
    elif w.crashes:
        yield Step("a sender is cut off in the middle of an attempt", w._replace(crashes=w.crashes - 1))
    if s.phase == "message":
        late = delivery.ended or (delivery.begun != s.begun and Guard.COUNT not in removed)
        read = w if late else w.with_sender(Sender(delivery.begun, "read"))
        yield Step("a sender reads the delivery", read)
    elif s.phase == "read" and (delivery.ended or (delivery.begun != s.begun and Guard.BEGIN_SAME not in removed)):
        yield Step("another was faster", w)
    elif s.phase == "read" and s.begun == ATTEMPTS and Guard.LAST not in removed:
        yield Step("it is given up", w._replace(delivery=delivery._replace(ended=True)))
    elif s.phase == "read":
        begun = s.begun + 1
        fault = "an attempt begins while another is in flight" if _is_in_flight(w) else None
        fault = fault or ("attempts have no end" if begun > ATTEMPTS else None)
        after = w._replace(delivery=Delivery(begun)).with_sender(Sender(begun, "in flight"))
        yield Step(f"attempt {begun} begins", after, fault)
    else:
        yield Step("it arrives", w._replace(delivery=delivery._replace(ended=True)))
        yield Step("it fails", w._replace(delivery=delivery._replace(ended=s.begun == ATTEMPTS)))


def delivery_broken(w: Single, removed: Guards) -> str | None:
    """What is wrong once nobody is at work."""
    waits = not w.senders and not w.delivery.ended and w.delivery.begun > 0
    return "an event waits for ever" if waits and Guard.SWEPT in removed else None


# ------------------------------------------------------------------------------------------- ordered webhooks
class Lease(NamedTuple):
    """Until when an ordered webhook is busy."""

    number: int
    """No two are the same moment."""
    waits: bool
    """Whether it waits for its next attempt, and is not in flight."""


class Hook(NamedTuple):
    """The item of an ordered webhook."""

    cursor: int = 0
    wanted: int = 0
    lease: Lease | None = None
    due: bool = False
    suspended: bool = False
    chosen: bool = True
    """Whether its types are those of the entries. An admin may choose others."""
    rechosen: int = 0
    """What it wanted when others were chosen."""


class Worker(NamedTuple):
    """A function that delivers to the webhook."""

    hook: Hook
    """As it read it last."""
    lease: int = 0
    """The number of its own; 0: it has none yet."""
    seq: int = 0
    """What it is to deliver; 0: it has not looked yet."""
    phase: str = "look"


class Line(NamedTuple):
    """An ordered webhook, and who is at work on it."""

    hook: Hook = Hook()
    deliveries: tuple[Delivery, ...] = (Delivery(),) * ENTRIES
    log: int = 0
    """The last entry that was dispatched."""
    wanting: int = 0
    """The entry that ``want`` is at work on, after it found the webhook suspended."""
    arrived: frozenset[int] = frozenset()
    again: frozenset[int] = frozenset()
    """What a replay is still to deliver."""
    workers: tuple[Worker, ...] = ()
    admin: Hook | None = None
    """The webhook, as an admin has read it."""
    task: str = ""
    """What the admin has read it for: ``resume``, ``replay``, or to ``choose`` other types."""
    leases: int = 0
    admins: int = 1
    """How often an admin may still do something."""
    failures: int = ATTEMPTS

    def with_worker(self, each: Worker) -> Self:
        return self._replace(workers=tuple(sorted((*self.workers, each), key=_order)))

    def with_delivery(self, seq: int, delivery: Delivery) -> Self:
        return self._replace(deliveries=(*self.deliveries[: seq - 1], delivery, *self.deliveries[seq:]))


def ordered_steps(w: Line, removed: Guards) -> Iterator[Step[Line]]:
    """Everything that may happen next to an ordered webhook."""
    yield from _wanted(w, removed)
    yield from _administered(w, removed)
    if len(w.workers) < 2:
        yield from _begun(w, removed)
    for each in set(w.workers):
        yield from _worked(w._replace(workers=_without(w.workers, each)), each, removed)


def _wanted(w: Line, removed: Guards) -> Iterator[Step[Line]]:
    """The dispatcher lets it get one entry more: a write for what is active, and one for what is not."""
    hook, seq = w.hook, w.wanting or w.log + 1
    if w.wanting and hook.suspended:
        yield Step(f"{seq} is wanted later", w._replace(hook=hook._replace(wanted=seq), log=seq, wanting=0))
    elif w.wanting:
        log = seq if Guard.WANT_AGAIN in removed else w.log
        yield Step("it was resumed", w._replace(log=log, wanting=0))
    elif w.log < ENTRIES and not hook.chosen:
        yield Step(f"{seq} is not wanted", w._replace(log=seq))
    elif w.log < ENTRIES and hook.suspended:
        yield Step("it is suspended", w._replace(wanting=seq))
    elif w.log < ENTRIES:
        due = hook.due or Guard.WANT_DUE not in removed
        yield Step(f"{seq} is wanted", w._replace(hook=hook._replace(wanted=seq, due=due), log=seq))


def _administered(w: Line, removed: Guards) -> Iterator[Step[Line]]:
    hook, read = w.hook, w.admin
    if read is None:
        if w.admins:
            look = w._replace(admin=hook, admins=w.admins - 1)
            yield Step("an admin replays", look._replace(task="replay"))
            yield Step("an admin chooses other types", look._replace(task="choose"))
            if hook.suspended:
                yield Step("an admin resumes", look._replace(task="resume"))
        return
    ends_waiting = w.task != "resume" and read.lease is not None and read.lease.waits
    if w.task == "choose":
        yield _chosen(w, read, removed, ends_waiting=ends_waiting)
        return
    replays = w.task == "replay"
    unchanged = (
        hook.cursor == read.cursor
        and (hook.suspended == read.suspended or Guard.RESUME_STATE in removed)
        and (hook.lease == read.lease or not ends_waiting or Guard.RESUME_LEASE in removed)
    )
    if not unchanged:
        yield Step("the admin finds it changed", w._replace(admin=None, admins=w.admins + 1))
        return
    suspended = read.suspended if replays else False
    fault = "a suspended webhook goes on by itself" if replays and hook.suspended and not suspended else None
    after = hook._replace(
        cursor=0 if replays else read.cursor,
        lease=None if ends_waiting else hook.lease,
        suspended=suspended,
        due=hook.due or (not suspended and Guard.RESUME_DUE not in removed),
    )
    # What it is not done with is delivered anyway, and may be in flight.
    again = frozenset(range(1, hook.cursor + 1)) if replays else w.again
    yield Step("the admin writes", w._replace(hook=after, admin=None, again=again), fault)


def _chosen(w: Line, read: Hook, removed: Guards, *, ends_waiting: bool) -> Step[Line]:
    """Of the types that an admin chooses there are no entries."""
    hook = w.hook
    if ends_waiting and hook.lease != read.lease and Guard.RESUME_LEASE not in removed:
        return Step("the admin finds it changed", w._replace(admin=None, admins=w.admins + 1))
    after = hook._replace(
        chosen=False,
        rechosen=read.wanted if Guard.RECHOSEN in removed else hook.wanted,
        lease=None if ends_waiting else hook.lease,
        due=hook.due or ends_waiting,
    )
    return Step("the admin chooses other types", w._replace(hook=after, admin=None))


def _begun(w: Line, removed: Guards) -> Iterator[Step[Line]]:
    """A message comes, or the sweeper sends one."""
    lease = w.hook.lease
    held = lease is not None and any(each.lease == lease.number for each in w.workers)
    if not w.hook.suspended and (not held or Guard.LEASE in removed):
        yield Step("a function reads the webhook, which is not busy", w.with_worker(Worker(w.hook, phase="seize")))


def _worked(w: Line, worker: Worker, removed: Guards) -> Iterator[Step[Line]]:
    """``w``: without this worker."""
    yield Step("a function is cut off", w)
    hook = w.hook
    mine = hook.lease is not None and hook.lease.number == worker.lease and not hook.lease.waits
    match worker.phase:
        case "seize" | "pass" | "rest":
            yield {"seize": _seized, "pass": _passed, "rest": _rested}[worker.phase](w, worker, removed)
        case "look" if mine and not hook.suspended:
            yield from _looked(w, worker)
        case "look":
            yield Step("it finds the webhook taken", w)
        case "begin":
            yield _attempted(w, worker)
        case "in flight":
            yield from _ended(w, worker, mine=mine)
        case "advance":
            if hook.cursor == worker.hook.cursor or Guard.ADVANCE_CURSOR in removed:
                w = w._replace(hook=hook._replace(cursor=worker.seq))
            yield Step(f"it is done with {worker.seq}", w.with_worker(worker._replace(phase="look")))
        case "stop":
            stopped = hook._replace(lease=None, due=False, suspended=True)
            yield Step("it suspends the webhook", w._replace(hook=stopped) if mine and not hook.suspended else w)


def _seized(w: Line, worker: Worker, removed: Guards) -> Step[Line]:
    hook = w.hook
    if hook.suspended or (hook.lease != worker.hook.lease and Guard.SEIZE_SAME not in removed):
        return Step("another was faster", w)
    after = hook._replace(lease=Lease(w.leases + 1, waits=False), due=True)
    seized = Worker(after, w.leases + 1)
    return Step("it seizes the webhook", w._replace(hook=after, leases=w.leases + 1).with_worker(seized))


def _looked(w: Line, worker: Worker) -> Iterator[Step[Line]]:
    hook = w.hook
    behind = hook.cursor < hook.wanted
    looked = worker._replace(hook=hook, seq=hook.cursor + 1, phase="begin" if behind else "rest")
    if behind and not hook.chosen:
        looked = looked._replace(seq=hook.wanted, phase="pass")
    yield Step(f"it looks at what is after {hook.cursor}", w.with_worker(looked))
    if behind:
        yield Step("it has no time left", w._replace(hook=hook._replace(lease=Lease(0, waits=True))))


def _passed(w: Line, worker: Worker, removed: Guards) -> Step[Line]:
    """It does not want what is up to ``seq``, of which something may be pending."""
    first = worker.hook.cursor
    after = w.with_worker(worker._replace(phase="advance"))
    if first < worker.hook.rechosen and Guard.GIVE_UP not in removed:
        for seq in range(first + 1, worker.seq + 1):
            delivery = after.deliveries[seq - 1]
            after = after.with_delivery(seq, delivery._replace(ended=delivery.ended or delivery.begun > 0))
    return Step(f"it gives up what is pending up to {worker.seq}", after)


def _rested(w: Line, worker: Worker, removed: Guards) -> Step[Line]:
    hook, read = w.hook, worker.hook
    wants = hook.wanted != read.wanted and Guard.REST_WANTED not in removed
    moved = hook.cursor != read.cursor and Guard.REST_CURSOR not in removed
    if not wants and not moved:
        return Step("it rests", w._replace(hook=hook._replace(lease=None, due=False)))
    return Step("it may not rest", w.with_worker(worker._replace(phase="look")))


def _attempted(w: Line, worker: Worker) -> Step[Line]:
    seq = worker.seq
    delivery = w.deliveries[seq - 1]
    begun = Delivery(1) if delivery.ended else Delivery(min(delivery.begun + 1, ATTEMPTS))
    fault = None
    if any(each.phase == "in flight" for each in w.workers):
        fault = "an attempt begins while another is in flight"
    elif w.hook.chosen and not set(range(1, seq)) <= w.arrived:
        fault = "an event overtakes another"
    after = w.with_delivery(seq, begun).with_worker(worker._replace(phase="in flight"))
    return Step(f"an attempt at {seq} begins", after, fault)


def _ended(w: Line, worker: Worker, *, mine: bool) -> Iterator[Step[Line]]:
    seq = worker.seq
    delivery = w.deliveries[seq - 1]
    # A receiver may have it, and the function may be cut off before it knows.
    arrived = w._replace(arrived=w.arrived | {seq}, again=w.again - {seq})
    yield Step(f"{seq} arrives, and the function is cut off", arrived)
    ended = arrived.with_delivery(seq, delivery._replace(ended=True))
    yield Step(f"{seq} arrives", ended.with_worker(worker._replace(phase="advance")))
    if not w.failures:
        return
    failed = w._replace(failures=w.failures - 1)
    if delivery.begun == ATTEMPTS:
        failed = failed.with_delivery(seq, delivery._replace(ended=True))
        yield Step(f"the last attempt at {seq} fails", failed.with_worker(worker._replace(phase="stop")))
    else:
        waiting = w.hook._replace(lease=Lease(w.leases + 1, waits=True), due=True)
        waits = failed._replace(hook=waiting, leases=w.leases + 1) if mine else failed
        yield Step(f"an attempt at {seq} fails", waits)


def ordered_broken(w: Line) -> str | None:
    """What is wrong once nobody is at work."""
    hook = w.hook
    if w.workers or w.admin is not None or hook.suspended or w.wanting or w.log < ENTRIES:
        return None
    if hook.wanted < w.log and hook.chosen:
        return "an event is lost"
    if hook.cursor < hook.wanted:
        return None if hook.due else "an event waits for ever"
    if any(each.begun and not each.ended for each in w.deliveries[: hook.cursor]):
        return "a delivery is pending for ever"
    if not hook.chosen:
        return None
    if not set(range(1, ENTRIES + 1)) <= w.arrived:
        return "an event is lost"
    return "a replay is lost" if w.again else None


def settled(w: Line) -> Line:
    """The numbers of leases say no more than which are the same."""
    known = {0: 0}

    def of(lease: Lease | None) -> Lease | None:
        return lease and lease._replace(number=known.setdefault(lease.number, len(known)))

    hook = w.hook._replace(lease=of(w.hook.lease))
    admin = w.admin and w.admin._replace(lease=of(w.admin.lease))
    workers = tuple(
        each._replace(
            hook=each.hook._replace(lease=of(each.hook.lease)), lease=known.setdefault(each.lease, len(known))
        )
        for each in w.workers
    )
    if not hook.chosen:
        w = w._replace(arrived=frozenset(), again=frozenset())  # nobody is owed anything any more
    return w._replace(hook=hook, admin=admin, workers=tuple(sorted(workers, key=_order)), leases=len(known))


def explore_dispatch(removed: Guards = frozenset()) -> Result:
    """Every state of the rooms, or the shortest way to a fault in the first that has one."""
    return search(ROOMS, lambda w: dispatch_steps(w, removed), dispatch_broken)


def explore_delivery(removed: Guards = frozenset()) -> Result:
    """Every state of a delivery, or the shortest way to a fault."""
    return search((Single(),), lambda w: delivery_steps(w, removed), lambda w: delivery_broken(w, removed))


def explore_ordered(removed: Guards = frozenset()) -> Result:
    """Every state of an ordered webhook, or the shortest way to a fault."""
    return search(
        (Line(),),
        lambda w: (step._replace(world=settled(step.world)) for step in ordered_steps(w, removed)),
        ordered_broken,
    )


@functools.cache
def _order(worker: Dispatcher | Worker) -> str:
    return repr(worker)


def _without(those: Sequence[_Any], one: _Any) -> tuple[_Any, ...]:
    place = those.index(one)
    return (*those[:place], *those[place + 1 :])


MODELS: Models = {
    "dispatch": (explore_dispatch, DISPATCH_FAULTS),
    "delivery": (explore_delivery, DELIVERY_FAULTS),
    "ordered": (explore_ordered, ORDERED_FAULTS),
}


if __name__ == "__main__":
    main("tests.model.webhooks", __doc__, MODELS)
