"""The API's description and the pages: public, kept while they are the same, and in want of nothing from elsewhere."""

import re
import subprocess
import sys

import pytest

from infrastructure.openapi import file
from tests.support.client import Response
from tests.support.gateway import GATEWAY_HOST, STAGE
from tests.support.problems import problem
from tests.support.product import Product

PAGES = ["/docs", "/client"]


def named_by(page: str) -> set[str]:
    """Every address that a page's markup names."""
    return set(re.findall(r'(?:src|href)="([^"]*)"', page))


def imported_by(name: str, module: str) -> set[str]:
    """Every module that a module of ours imports."""
    if name.startswith("assets/swagger-ui"):
        return set()
    return {f"assets/{found}" for found in re.findall(r'^import .* from "\./(.*)";$', module, re.MULTILINE)}


def test_the_description_is_served_as_json(product: Product) -> None:
    response = product.anonymous.get("/openapi.json")

    assert response.status == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["openapi"].startswith("3.1.")
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("address", "forwarded"),
    [
        ("https://api.example.org", {"X-Forwarded-Proto": "https"}),
        (f"https://{GATEWAY_HOST}/{STAGE}", {"X-Forwarded-Proto": "https"}),
        ("http://127.0.0.1:8000", {}),
        ("http://[::1]:8000", {}),
    ],
)
def test_the_description_names_the_address_it_is_served_at(
    product: Product, address: str, forwarded: dict[str, str]
) -> None:
    client = product.at(address)

    response = client.get("/openapi.json", headers=forwarded)
    again = client.get("/openapi.json", headers={**forwarded, "If-None-Match": response.headers["ETag"]})

    assert [server["url"] for server in response.json()["servers"]] == [address]
    assert {**response.json(), "servers": []} == {**file.read(), "servers": []}
    assert again.status == 304


def test_an_invalid_host_is_not_served(product: Product) -> None:
    response = product.anonymous.get("/openapi.json", headers={"Host": 'x"}]/', "X-Forwarded-Proto": "https"})

    assert [server["url"] for server in response.json()["servers"]] == ["https://api.example.org"]


@pytest.mark.parametrize("path", ["/openapi.json", *PAGES])
def test_an_unchanged_page_is_a_304(product: Product, path: str) -> None:
    first = product.anonymous.get(path)

    again = product.anonymous.get(path, headers={"If-None-Match": first.headers["ETag"]})
    other = product.anonymous.get(path, headers={"If-None-Match": '"another"'})

    assert (again.status, again.text, again.headers["ETag"]) == (304, "", first.headers["ETag"])
    # A cache gives the page that it has with the headers of this response.
    changed = {name for name in first.headers if again.headers.get(name) != first.headers[name]}
    assert changed <= {"content-type", "content-length", "x-request-id"}
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert other.status == 200


def test_the_vary_header_names_the_encoding(product: Product) -> None:
    for path in ("/openapi.json", *PAGES):
        response = product.anonymous.get(path)

        # The same tag is on bytes that differ (RFC 9110 §8.8.1).
        assert response.headers["ETag"].startswith("W/")
        assert "Accept-Encoding" in response.headers["Vary"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_html_and_may_load_and_contact_only_this_api(product: Product, path: str) -> None:
    response = product.anonymous.get(path)

    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(
        directive.strip().split(" ", 1) for directive in response.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == "'self'"
    # /client opens WebSockets of the API, which on AWS have an origin of their own.
    live = product.register("ann").post("/live/tickets").json()["url"].partition("/live?")[0]
    assert policy["connect-src"] == ("'self'" if path == "/docs" else f"'self' {live}")
    assert not any("unsafe" in sources for sources in policy.values())
    assert not any("//" in address for address in named_by(response.text))
    # The policy allows neither: a script or style in the page itself would not be run.
    assert not re.search(r"<style|<script(?![^>]* src=)| style=| on\w+=", response.text)


@pytest.mark.parametrize("path", PAGES)
def test_page_assets_exist_and_are_cached_forever(product: Product, path: str) -> None:
    waiting = {name for name in named_by(product.anonymous.get(path).text) if name.startswith("assets/")}
    responses: dict[str, Response] = {}

    while waiting:
        name = waiting.pop()
        responses[name] = product.anonymous.get(f"/{name}")
        waiting |= imported_by(name, responses[name].text) - responses.keys()

    assert responses
    for name, response in responses.items():
        assert response.status == 200, response
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        kind = {"js": "text/javascript", "css": "text/css"}[name.rpartition(".")[2]]
        assert response.headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert response.headers["ETag"].removeprefix("W/").strip('"') in name
        # The gateway takes 10 MB of a function, and Lambda passes 6 MB on.
        assert len(response.text.encode()) < 5_000_000


@pytest.mark.parametrize("name", ["docs.js", "docs.html", "openapi.json", "routes.py", "docs.0.js"])
def test_there_are_no_other_files(product: Product, name: str) -> None:
    problem(product.anonymous.get(f"/assets/{name}"), 404, "not_found")


def test_the_viewer_package_does_not_need_its_framework() -> None:
    program = "import sys; sys.modules['django'] = None; import pages.site; print(len(pages.site.ASSETS))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603  # a program of our own choice

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 2
