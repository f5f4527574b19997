"""Static files: pages, scripts and styles.

To add a page, add ``static/NAME.html`` and a route that returns ``page("NAME.html")``. Its scripts and styles are files
in the same folder: the page refers to them as ``assets/FILE``, a module imports another one as ``./FILE``. Their URLs
contain a digest of their content (``assets/docs.3f1c….js``), so that browsers cache them for good and still load the
right version after a deployment. The URLs are relative, so a page works below a stage and at the root of a domain.
"""

import functools
import hashlib
import importlib.resources
import importlib.util
import json
import re
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path


def _folder_of(package: str) -> Path:
    """The folder of a package, without importing it: its code needs Django, which is not installed."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(found.submodule_search_locations[0])


_STATIC = importlib.resources.files("pages") / "static"
# In a layer of its own: a package with Swagger UI's distribution in it.
_VIEWER = _folder_of("drf_spectacular_sidecar") / "static/drf_spectacular_sidecar/swagger-ui-dist"
_VIEWER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")

_SOURCES: dict[str, Traversable] = {
    **{source.name: source for source in _STATIC.iterdir() if not source.name.endswith(".html")},
    **{name: _VIEWER / name for name in _VIEWER_FILES},
}
_IN_MARKUP = re.compile(r"(?<=assets/)[\w.-]+")
_IN_MODULES = re.compile(r'(?<=from "\./)[\w.-]+')

_MEDIA_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class File:
    """A text file, with its media type and its digest."""

    text: str
    media_type: str
    digest: str


_DESCRIPTION = (importlib.resources.files("pages") / "openapi.json").read_text(encoding="utf-8")
# The servers in the document contain no brackets.
_SERVERS = re.compile(r'"servers": \[[^\]]*\]')
_MOST_ADDRESSES = 16


@functools.lru_cache(_MOST_ADDRESSES)
def description(address: str) -> File:
    """The OpenAPI document (``make openapi`` writes it), with the address of the API as its server."""
    servers = json.dumps([{"url": address, "description": "The address that this description was requested from."}])
    text = _SERVERS.sub(lambda _: f'"servers": {servers}', _DESCRIPTION, count=1)
    return File(text, "application/json", _digest(text))


def page(name: str) -> File:
    """A page, with the URLs of its assets."""
    text = _IN_MARKUP.sub(lambda found: _served_name(found[0]), (_STATIC / name).read_text(encoding="utf-8"))
    return File(text, "text/html; charset=utf-8", _digest(text))


@functools.cache
def _asset(name: str) -> File:
    kind = _MEDIA_TYPES[name.rpartition(".")[2]]
    text = _SOURCES[name].read_text(encoding="utf-8")
    if name in _VIEWER_FILES:
        return File(text, kind, _digest(text))
    # A module's digest includes the digests of its imports, so imports must not be circular.
    text = _IN_MODULES.sub(lambda found: _served_name(found[0]), text)
    return File(text, kind, _digest(text))


def _served_name(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    return f"{stem}.{_asset(name).digest}.{kind}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


ASSETS = {_served_name(name): _asset(name) for name in _SOURCES}
"""Each asset, by the name in its URL."""
