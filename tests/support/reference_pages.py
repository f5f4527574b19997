"""The tables of ``docs/reference/routes.md`` and ``roles.md``, from code, template and authorization matrix.

`make openapi` writes both anew. Who may call a route is read from ``policies.py``, by which the authorization tests
call every route as every kind of caller.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from infrastructure import template as template_file
from infrastructure.openapi import file
from infrastructure.openapi.routes import Declared, declared_routes
from infrastructure.template import REPOSITORY
from tasksync.http.route import SAFE
from tests.functions.authorization.policies import POLICIES, Line

PAGES = REPOSITORY / "docs" / "reference"
ROUTES = PAGES / "routes.md"
ROLES = PAGES / "roles.md"

_ROUTES_HEADING = "| route | what it does | who | rate limits | repeated requests | function |"
_ROLES_HEADING = "| request | room admin | member | viewer | stranger | removed | admin of the installation |"

# Of callers, in the order of the columns.
_CALLERS = ("admin", "member", "viewer", "stranger", "removed", "administrator")
_WHO = {"admin": "room admin", "member": "member", "viewer": "viewer", "administrator": "admin of the installation"}


def routes_table() -> str:
    functions = {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": _folder(name)
        for name, resource in template_file.load()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "Api"
    }
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in file.read()["paths"].items()
        for method, operation in methods.items()
    }
    rows = [_route(each, operations, functions) for each in declared_routes() if each.route.method != "HEAD"]
    return "\n".join([_ROUTES_HEADING, "|---|---|---|---|---|---|", *rows])


def _route(declared: Declared, operations: dict[str, Any], functions: dict[str, str]) -> str:
    name = f"{declared.route.method} {declared.route.path}"
    limits = ", ".join(f"`{policy.name}`" for policy in declared.route.limits) if declared.limited else ""
    if declared.takes_keys:
        repeated = "`Idempotency-Key`"
    elif declared.route.method in SAFE:
        repeated = "safe"
    else:
        repeated = "not protected"
    cells = [f"`{name}`", operations[name]["summary"], _who(declared, name), limits, repeated, functions[name]]
    return f"| {' | '.join(cells)} |"


def _who(declared: Declared, route: str) -> str:
    if declared.public:
        return "everybody" if declared.route.description.token is None else "metrics token"
    found: list[str] = []
    for line in POLICIES:
        if isinstance(line, Line) and line.route == route:
            found += [who for who in _allowed(line) if who not in found]
    return ", ".join(found)


def _allowed(line: Line) -> Iterator[str]:
    """The lowest role in the room that succeeds, and an admin of the installation where only they do beside it."""
    own = line.about.get("user_id") in ("me", "{caller_id}") or "{own_session_id}" in line.about.values()
    if _succeeds(line.stranger):
        yield "the user" if own else "any user"
        return
    role = next((role for role in ("viewer", "member", "admin") if _succeeds(line.status(role))), None)
    if role is not None:
        limited = (
            "themselves" if own else "assigned task" if "{viewers_task_id}" in line.path and role == "viewer" else ""
        )
        yield _WHO[role] + (f" ({limited})" if limited else "")
    if line.administrator is not None and _succeeds(line.administrator):
        yield _WHO["administrator"]


def roles_table() -> str:
    rows = [_role(line) for line in POLICIES if isinstance(line, Line)]
    return "\n".join([_ROLES_HEADING, "|---|---|---|---|---|---|---|", *rows])


def _role(line: Line) -> str:
    body = re.sub(r'"[^"{}]{20,}"', '"…"', json.dumps(line.json))
    body = f" `{body}`" if line.json else ""
    statuses = [_shown(line.status(caller)) for caller in _CALLERS]
    return f"| `{line.method} {line.path}`{body} | {' | '.join(statuses)} |"


def _shown(status: int) -> str:
    return f"**{status}**" if _succeeds(status) else str(status)


def _succeeds(status: int) -> bool:
    return status < 300


def _folder(function: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", function.removesuffix("Function")).lower()


def with_table(text: str, table: str) -> str:
    """The text of a page with this table in the place of the one that begins with the same line."""
    heading = table.partition("\n")[0]
    before, _, after = text.partition(f"\n{heading}\n")
    rest = after.partition("\n\n")[2]
    return f"{before}\n{table}\n\n{rest}"


def main() -> None:
    for page, table in ((ROUTES, routes_table()), (ROLES, roles_table())):
        page.write_text(with_table(page.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()
