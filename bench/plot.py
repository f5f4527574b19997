"""Draws the cost of lists against the size of a room: ``python -m bench.plot RESULT FIGURE``, both files.

RESULT is what ``make bench`` wrote, FIGURE an SVG: the same bytes for the same figures, its text as text, on a white
ground of its own, so that it reads on dark pages, too. In an environment of its own (bench/requirements.txt).
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

# Text stays text, and ids are the same each time.
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "lists", "font.size": 9, "font.family": "sans-serif"}

# Drawn one over the other, the last on top. Told apart by colours that also the colour-blind tell apart (Okabe, Ito).
_KINDS = {
    "of one owner": "#0072b2",
    "in a room, through links": "#e69f00",
    "of a person, through links": "#009e73",
    "of a room: deadlines, sort=created_at": "#cc3311",
}
_MEASURES = {
    "items": "items read for each returned",
    "units": "capacity units",
    "cpu": "CPU, against 1,000 tasks",
}


def draw(lists: Mapping[str, Mapping[str, Mapping[str, Any]]], file: Path) -> None:
    """``lists``: by name and by size of the room, what ``bench.lists`` measured."""
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    sizes = [int(size) for size in next(iter(lists.values()))]
    for panel, (measure, label) in zip(figure.subplots(1, len(_MEASURES)), _MEASURES.items(), strict=True):
        for name, rows in lists.items():
            kind = _kind(name)
            panel.plot(
                sizes,
                [_value(row, measure) for row in rows.values()],
                color=_KINDS[kind],
                linewidth=1.2,
                marker="o",
                markersize=2.5,
                alpha=0.8,
                zorder=2 + list(_KINDS).index(kind),
            )
        panel.set(title=label, xlabel="tasks in the room", xscale="log", ylim=(0, None))
        panel.set_xticks(sizes)
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.grid(axis="y", color="#dddddd", linewidth=0.6)
        panel.spines[["top", "right"]].set_visible(False)
    lines = [Line2D([], [], color=colour, linewidth=1.8, label=kind) for kind, colour in _KINDS.items()]
    figure.legend(handles=lines, loc="outside lower center", ncols=len(_KINDS), frameon=False)
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


def _kind(name: str) -> str:
    if name.startswith("GET /tasks") or name == "personal tasks: all":
        return "of a person, through links"
    if name.startswith("user_id"):
        return "in a room, through links"
    return "of one owner" if name != "deadlines, sort=created_at" else "of a room: deadlines, sort=created_at"


def _value(row: Mapping[str, Any], measure: str) -> float:
    if measure == "cpu":
        return float(row["cpu"]["median"])
    return float((row["items"] + row["tasks"]) / max(1, row["returned"]) if measure == "items" else row[measure])


if __name__ == "__main__":
    with rc_context(_STYLE):
        draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["lists"], Path(sys.argv[2]))
