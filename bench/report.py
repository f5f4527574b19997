"""What was measured, as the documents show it: tables in Markdown, each known by its first line."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import price
from bench.measuring import Spread

Found = Mapping[str, Any]

_WANTED_OF_LIST, _WANTED_OF_ITEM = "≤ 2, ≤ 0.5", "≤ 1.5"
_WANTED_OF_START = "≤ 1.2"
# Gateway and client wait for the authorizer before anything else; nobody waits for a scrape, which boto3 may delay.
_OTHER_STARTS = {"AuthorizerFunction": "≤ 1.1", "MetricsFunction": "≤ 1.2 without boto3"}


class TableMissing(Exception):
    """A document has no table that begins with this line."""


def tables(part: str, found: Found) -> list[tuple[str, str]]:
    """The tables of a part, each with the page of ``docs/`` that shows it."""
    if part == "price":
        pages = ("performance.md", "guides/operate.md", "guides/operate.md")
        return list(zip(pages, price.tables(dict(found)), strict=True))
    return [("engineering-log.md", table(found)) for table in _TABLES[part]]


def renew(docs: Path, part: str, found: Found) -> None:
    """Puts the tables of a part in the place of those that the pages show. Raises TableMissing."""
    for name, table in tables(part, found):
        page = docs / name
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(shown(text, table), table), encoding="utf-8")


def shown(text: str, table: str) -> str:
    """The table of a page that begins as this one does. Raises TableMissing."""
    heading = table.partition("\n")[0]
    if f"\n{heading}\n" not in text:
        raise TableMissing(heading)
    return text[text.index(heading) :].partition("\n\n")[0].rstrip()


def _cpu(found: Found) -> str:
    lines = ["| warm request | floor | times the floor | times the plain way | wanted |", "|---|---|---|---|---|"]
    for name, row in found.items():
        floor = Spread(**row["to the floor"])
        plain = Spread(**row["to the plain way"]) if "to the plain way" in row else "none"
        wanted = _WANTED_OF_LIST if row["floor"] == "by hand" and plain != "none" else _WANTED_OF_ITEM
        lines.append(f"| {name} | {row['floor'].removeprefix('on ')} | {floor} | {plain} | {wanted} |")
    return "\n".join(lines)


def _steps(found: Found) -> str:
    heading = ("times the floor by hand", "Chalice alone", "its calls alone", "Chalice and by hand", "whole")
    lines = [f"| {' | '.join(heading)} | whole, to boto3 |", "|---" * 6 + "|"]
    steps = ("Chalice to by hand", "calls to by hand", "Chalice by hand to by hand", "to by hand", "to boto3")
    for name, row in found.items():
        lines.append(f"| {name} | " + " | ".join(str(Spread(**row[step])) for step in steps) + " |")
    return "\n".join(lines)


def _cold(found: Found) -> str:
    lines = ["| function | times the floor | wanted |", "|---|---|---|"]
    for name in sorted(found):
        wanted = _OTHER_STARTS.get(name, _WANTED_OF_START)
        lines.append(f"| {_function(name)} | {Spread(**found[name])} | {wanted} |")
    return "\n".join(lines)


def _memory(found: Found) -> str:
    lines = ["| function | MB after the first request | MB after more |", "|---|---|---|"]
    lines += [
        f"| {_function(name)} | {found[name]['first']:.0f} | {found[name]['warm']:.0f} |" for name in sorted(found)
    ]
    return "\n".join(lines)


def _function(name: str) -> str:
    """RoomCleanupFunction → room_cleanup, as its folder is called."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Function")).lower()


def _lists(found: Found) -> str:
    """At each size what was read (through links: links, and tasks) of what was returned, units, CPU and half of what is
    between its quartiles."""
    sizes = [int(size) for size in next(iter(found.values()))]
    lines = ["| list | " + " | ".join(f"{size:,}" for size in sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
    for name, rows in found.items():
        cells = [
            f"{_read(row)}/{row['returned']} · {row['units']:g} · {_with_half(row['cpu'])}" for row in rows.values()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _read(row: Mapping[str, Any]) -> str:
    return f"{row['items']}+{row['tasks']}" if row["tasks"] else str(row["items"])


def _with_half(spread: Mapping[str, float]) -> str:
    return f"{spread['median']:.2f} ±{(spread['high'] - spread['low']) / 2:.2f}"


def _rates(found: Found) -> str:
    lines = ["| request | beside | requests per second | p50 | p99 | CPU |", "|---|---|---|---|---|---|"]
    for name, rivals in found["ratios"].items():
        for rival, row in rivals.items():
            cells = [str(Spread(**row[measure])) for measure in ("rate", "p50", "p99")]
            cells.append(", ".join(f"{group} {Spread(**spread)}" for group, spread in row["cpu"].items()))
            lines.append(f"| {name} | {rival} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _shares(found: Found) -> str:
    lines = ["| one request at a time | the function's CPU | the function waiting | not in the function |"]
    lines.append("|---|---|---|---|")
    for name, row in found["shares"].items():
        cells = [f"{100 * row[part]:.0f} %" for part in ("function", "waiting", "outside")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


_TABLES = {"cpu": [_cpu, _steps], "cold": [_cold], "memory": [_memory], "lists": [_lists], "load": [_rates, _shares]}
