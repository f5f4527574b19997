"""The tables of ``template.yaml`` in memory: items, indexes that lag behind, and what was committed."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.expressions import Item, ordered

Key = tuple[str, str]
"""Values of the partition key and of the sort key; the second is empty where the table has none."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Names of the key attributes of a table or an index."""

    partition: str
    sort: str | None

    @classmethod
    def of(cls, schema: list[Mapping[str, str]]) -> "Keys":
        names = {key["KeyType"]: key["AttributeName"] for key in schema}
        return cls(names["HASH"], names.get("RANGE"))

    @property
    def names(self) -> list[str]:
        return [name for name in (self.partition, self.sort) if name is not None]


@dataclass(frozen=True, slots=True)
class Change:
    """One item before and after a write. An item that is not there is None."""

    table: str
    key: Key
    old: Item | None
    new: Item | None


@dataclass(frozen=True, slots=True)
class TableState:
    """What a table holds at one moment."""

    items: Mapping[Key, Item]
    behind: Mapping[Key, Item]
    on_the_way: tuple[tuple[float, Key, Item | None], ...]


class Table:
    """One table. Items are never changed in place: a write puts a new mapping in the place of the old one."""

    def __init__(self, name: str, properties: Mapping[str, Any]) -> None:
        self.name = name
        self.keys = Keys.of(properties["KeySchema"])
        self.local = {index["IndexName"]: Keys.of(index["KeySchema"]) for index in _indexes(properties, "Local")}
        self.global_ = {index["IndexName"]: Keys.of(index["KeySchema"]) for index in _indexes(properties, "Global")}
        self.streamed = "StreamSpecification" in properties
        self.items: dict[Key, Item] = {}
        self._behind: dict[Key, Item] = {}
        self._on_the_way: deque[tuple[float, Key, Item | None]] = deque()

    def key(self, attributes: Item) -> Key:
        """Where the item with these attributes is."""
        sort = self.keys.sort
        return attributes[self.keys.partition]["S"], attributes[sort]["S"] if sort else ""

    def write(self, key: Key, item: Item | None, seen_at: float) -> Change:
        """``seen_at``: when reads that are not consistent begin to see it, and all that was written before."""
        change = Change(self.name, key, self.items.get(key), item)
        _put(self.items, key, item)
        latest = self._on_the_way[-1][0] if self._on_the_way else 0.0
        self._on_the_way.append((max(seen_at, latest), key, item))
        return change

    def behind(self, now: float) -> dict[Key, Item]:
        """The items as a read that is not consistent finds them."""
        while self._on_the_way and self._on_the_way[0][0] <= now:
            _, key, item = self._on_the_way.popleft()
            _put(self._behind, key, item)
        return self._behind

    def state(self) -> TableState:
        """All that it holds, to ``restore`` it."""
        return TableState(dict(self.items), dict(self._behind), tuple(self._on_the_way))

    def restore(self, state: TableState) -> None:
        """Hold what it held then. In place: whoever has its ``items`` sees them."""
        for held, then in ((self.items, state.items), (self._behind, state.behind)):
            held.clear()
            held.update(then)
        self._on_the_way = deque(state.on_the_way)

    def in_order(self, index: Keys, items: Mapping[Key, Item]) -> Iterator[tuple[tuple[Any, ...], Item]]:
        """The items that an index (or the table itself) holds, by its sort key and then the table's keys."""
        names = [*([index.sort] if index.sort else []), *self.keys.names]
        held = [item for item in items.values() if all(name in item for name in index.names)]
        placed = [(tuple(ordered(item[name]) for name in names), item) for item in held]
        placed.sort(key=lambda each: each[0])
        return iter(placed)


def _put(items: dict[Key, Item], key: Key, item: Item | None) -> None:
    if item is None:
        items.pop(key, None)
    else:
        items[key] = item


def _indexes(properties: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = properties.get(f"{kind}SecondaryIndexes", [])
    return found
