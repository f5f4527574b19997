"""`make diagram`: writes ``docs/architecture.svg``, the picture of the parts, from ``template.yaml``.

Each function is a row, below what calls it. Each table is a column; a mark says whether the function's permissions let
it read or write the table. A contract test fails while the picture is not that of the template.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from infrastructure.template import REPOSITORY, load

PATH = REPOSITORY / "docs" / "architecture.svg"

_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}

# In pixels.
_MARGIN = 22
_CALLERS, _CALLERS_WIDTH = 40, 148
_CARDS, _CARDS_WIDTH = 226, 240
_COLUMNS, _PITCH = 484, 70
_TOP, _ROW, _CARD = 156, 42, 32
_GAP = 30

_STYLE = """
  svg { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
        --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --panel: #f6f8fa; --card: #ffffff;
        --column: #eaf1fb; --mark: #0969da; --stream: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --soft: #9aa4ae; --line: #3d444d; --panel: #151b23; --card: #212830;
          --column: #172437; --mark: #58a6ff; --stream: #f0883e; }
  }
  text { fill: var(--ink); } .soft { fill: var(--soft); font-size: 12px; } .head { font-weight: 600; }
  .middle { text-anchor: middle; } .end { text-anchor: end; }
  .paper { fill: var(--paper); stroke: var(--line); } .panel { fill: var(--panel); stroke: var(--line); }
  .card { fill: var(--card); stroke: var(--line); } .column { fill: var(--column); }
  .line { stroke: var(--soft); stroke-width: 1.3; fill: none; } .arrow { fill: var(--soft); }
  .row { stroke: var(--line); stroke-dasharray: 1 4; }
  .write { fill: var(--mark); } .read { fill: var(--paper); stroke: var(--mark); stroke-width: 2.2; }
  .stream { fill: none; stroke: var(--stream); stroke-width: 2.2; }
"""


@dataclass(frozen=True)
class _Function:
    name: str
    folder: str
    routes: int
    streams: tuple[str, ...]
    schedules: tuple[str, ...]
    queues: tuple[str, ...]
    websocket_routes: int
    marks: dict[str, str]
    """By the logical name of a table, queue or secret: "read" or "write"."""


_Group = tuple[tuple[str, ...], list[_Function]]
"""What calls the functions, in lines, and the functions."""
_Column = tuple[str, set[str]]
"""The heading, and the logical names of what the column stands for."""


def draw(template: dict[str, Any]) -> str:
    """The picture as the text of an SVG file."""
    resources = template["Resources"]
    functions = [
        _function(name, each["Properties"], resources)
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function"
    ]
    authorizers = _named_in(resources["Api"]["Properties"]["Auth"], {function.name for function in functions})
    tables = [name for name, each in resources.items() if each["Type"] == "AWS::DynamoDB::Table"]
    columns = [(_words(name, "Table"), {name}) for name in tables]
    columns.append(("secrets", _of_type(resources, "AWS::SecretsManager::Secret")))
    columns.append(("failures", _of_type(resources, "AWS::SQS::Queue")))

    behind_api = [function for function in functions if function.routes]
    routes = sum(function.routes for function in behind_api)
    groups = [
        (
            ("API Gateway", f"{routes} routes", *(["AWS WAF (optional)"] if "Firewall" in resources else [])),
            [function for function in functions if function.name in authorizers] + behind_api,
        ),
        (("API Gateway", "WebSockets"), [function for function in functions if function.websocket_routes]),
        (("DynamoDB", "streams"), [function for function in functions if function.streams]),
        (("SQS", "queues"), [function for function in functions if function.queues]),
        (("EventBridge", "schedule"), [function for function in functions if function.schedules]),
    ]
    called = {function.name for _, rows in groups for function in rows}
    groups.append((("Commands", "of operators"), [each for each in functions if each.name not in called]))
    return _svg([(callers, rows) for callers, rows in groups if rows], columns, len(tables))


def _svg(groups: list[_Group], columns: list[_Column], tables: int) -> str:
    bottom = _TOP + sum(len(rows) * _ROW + _GAP for _, rows in groups) - _GAP
    height = bottom + 56
    width = _COLUMNS + len(columns) * _PITCH + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">',
        '<title id="title">Parts of TaskSync: what calls each function, and what the function reads and writes</title>',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10"/>',
        *_column_heads(columns, tables, bottom),
        *_clients(),
    ]
    y = _TOP
    for callers, rows in groups:
        parts += _group(callers, rows, columns, y)
        y += len(rows) * _ROW + _GAP
    parts += [*_legend(height - 28), "</svg>"]
    return "\n".join(parts) + "\n"


def _column_heads(columns: list[_Column], tables: int, bottom: int) -> Iterator[str]:
    last = _COLUMNS + tables * _PITCH
    yield f'<text class="head middle" x="{(_COLUMNS + last) / 2:g}" y="50">DynamoDB tables</text>'
    yield f'<path class="line" d="M{_COLUMNS + 6} 68v-8h{tables * _PITCH - 12}v8"/>'
    yield _text(last + _PITCH / 2, 44, "Secrets", "head middle")
    yield _text(last + _PITCH / 2, 60, "Manager", "head middle")
    yield _text(last + _PITCH * 1.5, 44, "SQS", "head middle")
    yield _text(last + _PITCH * 1.5, 60, "queues", "head middle")
    for index, (label, _) in enumerate(columns):
        middle = _COLUMNS + (index + 0.5) * _PITCH
        top, height = _TOP - 22, bottom - _TOP + 10
        yield f'<rect class="column" x="{middle - 28:g}" y="{top}" width="56" height="{height}" rx="12"/>'
        words = label.split(" ")
        for line, word in enumerate(words):
            yield _text(middle, _TOP - 34 - 15 * (len(words) - 1 - line), word, "soft middle")


def _clients() -> Iterator[str]:
    middle = _CALLERS + _CALLERS_WIDTH / 2
    yield f'<rect class="card" x="{_CALLERS}" y="44" width="{_CALLERS_WIDTH}" height="52" rx="8"/>'
    yield _text(middle, 66, "Clients", "head middle")
    yield _text(middle, 84, "browsers, programs", "soft middle")
    yield f'<path class="line" d="M{middle:g} 96V{_TOP - 24}"/>'
    yield f'<path class="arrow" d="M{middle - 5:g} {_TOP - 25}h10l-5 9z"/>'
    yield _text(middle + 10, 118, "HTTPS", "soft")


def _group(callers: tuple[str, ...], rows: list[_Function], columns: list[_Column], y: int) -> Iterator[str]:
    height = len(rows) * _ROW
    yield (f'<rect class="panel" x="{_CALLERS}" y="{y - 14}" width="{_CALLERS_WIDTH}" height="{height + 2}" rx="10"/>')
    middle = y + height / 2 - 8 - (len(callers) - 1) * 9
    for line, caller in enumerate(callers):
        yield _text(
            _CALLERS + _CALLERS_WIDTH / 2, middle + line * 18, caller, "head middle" if line == 0 else "soft middle"
        )
    for index, function in enumerate(rows):
        yield from _row(function, columns, y + index * _ROW - 8)


def _row(function: _Function, columns: list[_Column], y: int) -> Iterator[str]:
    middle = y + _CARD / 2
    right = _CARDS + _CARDS_WIDTH
    yield f'<path class="line" d="M{_CALLERS + _CALLERS_WIDTH} {middle:g}H{_CARDS - 9}"/>'
    yield f'<path class="arrow" d="M{_CARDS - 9} {middle - 4:g}v8l8 -4z"/>'
    yield f'<path class="row" d="M{right} {middle:g}H{_COLUMNS + len(columns) * _PITCH}"/>'
    yield f'<rect class="card" x="{_CARDS}" y="{y}" width="{_CARDS_WIDTH}" height="{_CARD}" rx="7"/>'
    yield _text(_CARDS + 12, middle + 4.5, function.folder, "head")
    yield _text(right - 12, middle + 4.5, _called_for(function), "soft end")
    for index, (_, names) in enumerate(columns):
        x = _COLUMNS + (index + 0.5) * _PITCH
        if names & set(function.streams):
            yield f'<circle class="stream" cx="{x:g}" cy="{middle:g}" r="12"/>'
        marks = {mark for name, mark in function.marks.items() if name in names}
        if marks:
            mark = "write" if "write" in marks else "read"
            yield f'<circle class="{mark}" cx="{x:g}" cy="{middle:g}" r="{6.5 if mark == "write" else 5.5}"/>'


def _called_for(function: _Function) -> str:
    if function.routes:
        return f"{function.routes} routes"
    if function.websocket_routes:
        return f"{function.websocket_routes} routes, authorizer"
    if len(function.streams) > 2:
        return f"{len(function.streams)} streams"
    if function.streams:
        return "stream of " + ", ".join(_words(table, "Table") for table in function.streams)
    if function.queues:
        return "queue of " + ", ".join(_words(queue, "Queue") for queue in function.queues)
    if function.schedules:
        return ", ".join(schedule.replace("rate(", "every ").rstrip(")") for schedule in function.schedules)
    return ""


def _legend(y: int) -> Iterator[str]:
    x = _COLUMNS - 60
    for mark, radius, label, width in (
        ("write", 6.5, "writes, and may read", 176),
        ("read", 5.5, "reads", 86),
        ("stream", 11, "the stream of this table calls the function", 0),
    ):
        yield f'<circle class="{mark}" cx="{x}" cy="{y}" r="{radius}"/>'
        yield _text(x + 18, y + 4.5, label, "soft")
        x += width


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _function(name: str, properties: dict[str, Any], resources: dict[str, Any]) -> _Function:
    events = [(event["Type"], event["Properties"]) for event in properties.get("Events", {}).values()]
    tables = _of_type(resources, "AWS::DynamoDB::Table")
    return _Function(
        name=name,
        folder=Path(properties["CodeUri"]).name,
        routes=sum(kind == "Api" for kind, _ in events),
        streams=tuple(
            table for kind, event in events if kind == "DynamoDB" for table in _named_in(event["Stream"], tables)
        ),
        schedules=tuple(event["Schedule"] for kind, event in events if kind == "Schedule"),
        queues=tuple(
            queue
            for kind, event in events
            if kind == "SQS"
            for queue in _named_in(event["Queue"], _of_type(resources, "AWS::SQS::Queue"))
        ),
        websocket_routes=_websocket_routes(name, resources),
        marks=_marks(properties, resources),
    )


def _websocket_routes(name: str, resources: dict[str, Any]) -> int:
    """How many routes of WebSocket APIs call a function."""
    integrations = {
        integration
        for integration in _of_type(resources, "AWS::ApiGatewayV2::Integration")
        if name in _named_in(resources[integration]["Properties"].get("IntegrationUri"), {name})
    }
    routes = _of_type(resources, "AWS::ApiGatewayV2::Route")
    targets = [resources[route]["Properties"]["Target"]["Fn::Sub"] for route in routes]
    return sum(target.removeprefix("integrations/${").removesuffix("}") in integrations for target in targets)


def _marks(properties: dict[str, Any], resources: dict[str, Any]) -> dict[str, str]:
    stores = (
        _of_type(resources, "AWS::DynamoDB::Table")
        | _of_type(resources, "AWS::SecretsManager::Secret")
        | _of_type(resources, "AWS::SQS::Queue")
    )
    marks: dict[str, str] = {}
    for policy in properties.get("Policies", []):
        for statement in policy["Statement"]:
            actions = statement["Action"]
            calls = {action.split(":")[1] for action in ([actions] if isinstance(actions, str) else actions)}
            for name in _named_in(statement["Resource"], stores):
                if calls & (_WRITES | {"SendMessage"}):
                    marks[name] = "write"
                else:
                    marks.setdefault(name, "read")
    return marks


def _of_type(resources: dict[str, Any], kind: str) -> set[str]:
    return {name for name, each in resources.items() if each["Type"] == kind}


def _named_in(part: Any, names: set[str]) -> list[str]:
    """The names of resources that a part of the template refers to, in their order there."""
    if isinstance(part, str):
        name = part.removeprefix("${").partition(".")[0].partition("}")[0]
        return [name] if name in names else []
    nested = part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    return list(dict.fromkeys(name for each in nested for name in _named_in(each, names)))


def _words(name: str, ending: str) -> str:
    """``RateLimitsTable`` as "rate limits"."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name.removesuffix(ending))
    return words.strip()


if __name__ == "__main__":
    PATH.write_text(draw(load()), encoding="utf-8")
    print(f"Wrote {PATH.relative_to(REPOSITORY)}")
