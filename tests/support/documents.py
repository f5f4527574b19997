"""Examples in documents, as they stand there."""

import re
from typing import Any

from infrastructure.template import REPOSITORY


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page that begin with these words: the language, and which one it is."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def defined(page: str, language: str, **names: Any) -> dict[str, Any]:
    """What the one Python block of a page defines, by its names. ``names``: what it takes from other blocks."""
    [source] = blocks(page, language)
    exec(compile(source, page, "exec"), names)  # noqa: S102  # the example under test
    return names
