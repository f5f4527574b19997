"""The description as it is committed and served: one line for each thing, so that changes are seen."""

import json
from typing import Any

from infrastructure.openapi.schemas import Json
from infrastructure.template import REPOSITORY

PATH = REPOSITORY / "functions" / "pages" / "pages" / "openapi.json"


def written(document: Json) -> str:
    """The text of a document."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def read() -> Any:
    """The document that is committed."""
    return json.loads(PATH.read_text(encoding="utf-8"))
