"""Prometheus's text format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample. ``suffix``: appended to the family's name, for example ``_bucket``."""

    labels: Mapping[str, str]
    value: float
    suffix: str = ""


@dataclass(slots=True)
class Family:
    """All samples of one metric. ``kind``: ``counter``, ``gauge``, ``histogram`` or ``summary``."""

    name: str
    kind: str
    help: str
    samples: list[Sample] = field(default_factory=list)


def text(families: Iterable[Family]) -> str:
    """The exposition of the families, without those that have no samples."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
            lines += [
                f"{family.name}{each.suffix}{_labels(each.labels)} {_number(each.value)}" for each in family.samples
            ]
    return "\n".join([*lines, ""])


def _labels(labels: Mapping[str, str]) -> str:
    written = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{written}}}" if written else ""


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
