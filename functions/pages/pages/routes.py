"""Routes of the API's description and of pages. They are public, and the same for everybody."""

from typing import Any
from urllib.parse import urlsplit

from pages import site
from tasksync.http.app import Api
from tasksync.http.request import Request
from tasksync.http.responses import Response, etag
from tasksync.model.errors import NotFound
from tasksync.runtime.settings import settings

api = Api("pages")
app = api.chalice

_DOCS = site.page("docs.html")
_CLIENT = site.page("client.html")

# Browsers cache these, and revalidate them on each use.
_REVALIDATED = {"Cache-Control": "no-cache"}
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}

# The gateway compresses responses for clients that accept it, and sets no ``Vary`` header: without it, a shared cache
# could send a compressed response to a client that does not (RFC 9110 §12.5.5). The tag is weak, as the bytes differ
# (§8.8.1).
_ENCODING_HEADERS = {"Vary": "Accept-Encoding, Origin"}

# A page loads nothing from other origins, and sends nothing to them. The client may also open the API's WebSockets,
# which on AWS have an origin of their own.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {connections}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@api.route("GET", "/openapi.json", response=dict[str, Any], tagged=True, public=True)
def get_openapi(request: Request) -> Response:
    """Get this description of the API (OpenAPI 3.1).

    Its `servers` has the address of the request.
    """
    return _served(request, site.description(request.address), _REVALIDATED)


@api.route("GET", "/docs", response=str, media_types=("text/html",), tagged=True, public=True)
def get_docs(request: Request) -> Response:
    """Read this description as a page, and try the API out.

    It sends requests with the access token that the user enters.
    """
    return _served(request, _DOCS, {**_REVALIDATED, "Content-Security-Policy": _POLICY.format(connections="'self'")})


@api.route("GET", "/client", response=str, media_types=("text/html",), tagged=True, public=True)
def get_client(request: Request) -> Response:
    """Send requests from a page, by clicking and typing.

    It stays signed in, shows each request and its response, and the hints of live updates.
    """
    live = urlsplit(settings.live_url)
    policy = _POLICY.format(connections=f"'self' {live.scheme}://{live.netloc}")
    return _served(request, _CLIENT, {**_REVALIDATED, "Content-Security-Policy": policy})


@api.route(
    "GET", "/assets/{asset}", response=str, media_types=("text/javascript", "text/css"), tagged=True, public=True
)
def get_asset(request: Request, asset: str) -> Response:
    """Get a script or a style of a page.

    Its name changes with its content, so it may be cached forever.
    """
    if asset not in site.ASSETS:
        raise NotFound
    return _served(request, site.ASSETS[asset], _IMMUTABLE)


def _served(request: Request, file: site.File, headers: dict[str, str]) -> Response:
    headers = {**headers, **_ENCODING_HEADERS, "ETag": f"W/{etag(file.digest)}"}
    return request.unless_known(Response(200, file.text, {**headers, "Content-Type": file.media_type}))
