"""The page of symptoms: the product prints every message that the page quotes."""

import ast
import functools
import re
from collections.abc import Iterator

import pytest

from infrastructure.template import REPOSITORY

PAGE = (REPOSITORY / "docs" / "guides" / "troubleshooting.md").read_text(encoding="utf-8")

# Of boto3 and of browsers.
FOREIGN = {"You must specify a region.", "Unable to locate credentials", "blocked by CORS policy"}

SYMPTOMS = re.findall(r"(?m)^\| ([^|]*`[^|]*) \|", PAGE)
MESSAGES = sorted({text for cell in SYMPTOMS for text in re.findall(r"`([^`]+)`", cell) if len(text.split()) > 3})


@functools.cache
def _printed() -> list[str]:
    """Every text of the commands and the service; what is put into it is "…"."""
    texts = list(_literals())
    for path in (REPOSITORY / "infrastructure").glob("*.sh"):
        texts += path.read_text(encoding="utf-8").replace("$1", "…").splitlines()
    return [*texts, *(REPOSITORY / "Makefile").read_text(encoding="utf-8").splitlines()]


def _literals() -> Iterator[str]:
    for folder in ("infrastructure", "layers/tasksync", "functions"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
                if isinstance(node, ast.JoinedStr):
                    parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                    yield "".join(map(str, parts))


@pytest.mark.parametrize("message", [message for message in MESSAGES if message not in FOREIGN])
def test_a_quoted_message_is_printed(message: str) -> None:
    """Numbers and names of an example stand where the text has a value, so the rest is compared."""
    fragments = [part.strip() for part in re.split(r"…|\d+|'|Nope=1|make [a-z]+ |room_cleanup.*", message)]

    assert any(all(fragment in text for fragment in fragments) for text in _printed()), message


def test_the_page_quotes_messages() -> None:
    assert len(MESSAGES) >= 30
    assert set(MESSAGES) >= FOREIGN
