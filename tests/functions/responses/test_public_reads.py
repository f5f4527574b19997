"""What is read without an access token: HEAD answers as GET does, and query parameters of others do no harm.

Generated from the routes of ``template.yaml``.
"""

import re

import pytest

from tests.support.client import Response
from tests.support.gateway import routes
from tests.support.problems import problem
from tests.support.product import Product


@pytest.fixture
def paths(product: Product) -> dict[str, str]:
    """By route, a path that is answered."""
    page = product.anonymous.get("/docs").text
    [asset, *_] = re.findall(r"assets/([\w.-]+)", page)
    found = {route.path for route in routes(product.aws) if route.public and route.method == "GET"}
    return {path: path.format(asset=asset) for path in found}


def fields(response: Response) -> dict[str, str]:
    """Header fields, but for those that differ between any two responses; httpx adds the length by itself."""
    return {name: value for name, value in response.told()[1].items() if name != "content-length"}


def test_head_responds_like_get_without_the_body(product: Product, paths: dict[str, str]) -> None:
    for path in paths.values():
        got, headed = (product.anonymous.request(method, path) for method in ("GET", "HEAD"))

        assert headed.status == got.status == (401 if path == "/metrics" else 200), path
        assert headed.text == ""
        assert got.text != ""
        assert fields(headed) == fields(got)
        if "ETag" in got.headers:
            again = product.anonymous.request("HEAD", path, headers={"If-None-Match": got.headers["ETag"]})
            assert again.status == 304


def test_unknown_parameters_are_ignored(product: Product, paths: dict[str, str]) -> None:
    for path in paths.values():
        plain = product.anonymous.get(path)
        for method in ("GET", "HEAD"):
            response = product.anonymous.request(method, f"{path}?utm_source=mail&utm_source=page&limit=0")
            assert (response.status, fields(response)) == (plain.status, fields(plain)), path


def test_authenticated_reads_refuse_unknown_parameters_and_head(product: Product) -> None:
    ann = product.register("ann")

    for path in ("/", "/rooms", "/users/me"):
        problem(ann.get(f"{path}?utm_source=mail"), 400, "invalid_query")
        assert ann.request("HEAD", path).status == 404
    problem(product.anonymous.post("/auth/login?utm_source=mail", json={}), 400, "invalid_query")
