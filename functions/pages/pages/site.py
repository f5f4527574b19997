"""Pages and the files they need, as they are served.

To add a page: ``static/NAME.html`` and a route that answers ``page("NAME.html")``. Its scripts and styles are files
beside it, and the page names them as ``assets/FILE``. They are served under a name with the digest of their content
(``assets/docs.3f1c….js``), so that a browser may keep them for good and still has the right ones after a deployment.
The names are relative: a page is found below a stage as well as at the root of a domain.
"""

import hashlib
import importlib.resources
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable

_STATIC = importlib.resources.files("pages") / "static"
# In a layer of its own: a package with Swagger UI's distribution in it.
_VIEWER = importlib.resources.files("drf_spectacular_sidecar") / "static/drf_spectacular_sidecar/swagger-ui-dist"
_OF_VIEWER = ("swagger-ui-bundle.js", "swagger-ui.css")

_MEDIA_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class File:
    """A text that is served, with its media type and a digest of it."""

    text: str
    media_type: str
    digest: str


def description() -> File:
    """The OpenAPI document; ``make openapi`` writes it."""
    return _file(importlib.resources.files("pages") / "openapi.json", "application/json")


def page(name: str) -> File:
    """A page, with the names that its files are served under."""
    text = (_STATIC / name).read_text(encoding="utf-8")
    served = re.sub(r"(?<=assets/)[\w.-]+", lambda found: _NAMES[found[0]], text)
    return File(served, "text/html; charset=utf-8", _digest(served))


def _assets() -> Iterator[tuple[str, File]]:
    for source in [*_STATIC.iterdir(), *(_VIEWER / name for name in _OF_VIEWER)]:
        stem, _, kind = source.name.rpartition(".")
        if kind in _MEDIA_TYPES:
            file = _file(source, _MEDIA_TYPES[kind])
            yield f"{stem}.{file.digest}.{kind}", file


def _file(source: Traversable, media_type: str) -> File:
    text = source.read_text(encoding="utf-8")
    return File(text, media_type, _digest(text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


ASSETS = dict(_assets())
"""By the name it is served under, each file that pages need."""

_NAMES = {name.replace(f".{file.digest}.", "."): name for name, file in ASSETS.items()}
