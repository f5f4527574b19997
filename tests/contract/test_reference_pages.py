"""The pages of routes and roles are made from the code, the template and the authorization matrix."""

import re
from pathlib import Path

import pytest

from infrastructure.openapi.routes import declared_routes
from tests.support.reference_pages import ROLES, ROUTES, roles_table, routes_table


@pytest.mark.parametrize(("page", "table"), [(ROUTES, routes_table()), (ROLES, roles_table())], ids=["routes", "roles"])
def test_the_page_shows_the_table_that_the_code_makes(page: Path, table: str) -> None:
    assert page.read_text(encoding="utf-8").count(f"\n{table}\n") == 1, "make openapi writes it anew"


def test_every_route_has_one_row_with_somebody_who_may_call_it() -> None:
    rows = re.findall(r"(?m)^\| `(\w+ /[^`]*)` \| [^|]+ \| ([^|]*) \|", routes_table())

    assert sorted(route for route, _ in rows) == sorted(
        f"{each.route.method} {each.route.path}" for each in declared_routes() if each.route.method != "HEAD"
    )
    assert [route for route, who in rows if not who.strip()] == []
