"""`make openapi`: writes ``docs/reference/errors.md``, the page of all codes, from ``tasksync.http.problems``."""

from infrastructure.openapi.problems import known_problems
from infrastructure.template import REPOSITORY
from tasksync.http.problems import FIELD_CODES, PROBLEM_TYPES, TITLES

PATH = REPOSITORY / "docs" / "reference" / "errors.md"

_INTRODUCTION = """\
# Errors

For authors of clients: each error code with its status, its meaning and the remedy. Every error response of a function
or of the gateway is a problem document (RFC 9457, `application/problem+json`). `make openapi` writes this page from the
code, and a contract test holds it equal to the code.

```json
{"type": "about:blank", "title": "Forbidden", "status": 403, "code": "role_too_low",
 "detail": "This needs the role admin in the room; your role is member. An admin of the room can change it.",
 "role": "member", "required_role": "admin", "request_id": "1699949d-2e5e-4180-b16b-88be7d4f67c2"}
```

- `code` names the error for programs. Codes are stable; new ones may be added. `detail` is for people, and may change.
- `errors` lists all wrong fields of a body or a query, at most 50: `pointer` is a JSON pointer (RFC 6901) into the body
  or into the object of the query parameters, `code` is one of [the second table](#codes-of-fields), and `detail` says
  what would be right.
- `request_id` is in every log line of the request, and in `X-Request-Id`.
- 412 carries the current `ETag`; 429 and 503 carry `Retry-After`, in seconds.
- 401 carries `WWW-Authenticate` where the gateway refuses the access token. API Gateway renames that header of a
  function's response to `X-Amzn-Remapped-WWW-Authenticate`, and so does the local stack: use `code`.

## Codes

| status | code | meaning | what to do |
|---|---|---|---|
"""

_FIELDS = """
## Codes of fields

Codes of the entries of `errors`.

| code | meaning | what to do |
|---|---|---|
"""


def page() -> str:
    """The text of the page."""
    meanings = known_problems()
    remedies = {kind.code: kind.remedy for kind in PROBLEM_TYPES.values()}
    codes = sorted(remedies, key=lambda code: (meanings[code][0], code))
    rows = [
        f"| {meanings[code][0]} {TITLES[meanings[code][0]]} | `{code}` | {meanings[code][1]} | {remedies[code]} |"
        for code in codes
    ]
    fields = [f"| `{code}` | {meaning} | {remedy} |" for code, (meaning, remedy) in sorted(FIELD_CODES.items())]
    return _INTRODUCTION + "\n".join(rows) + "\n" + _FIELDS + "\n".join(fields) + "\n"


def main() -> None:
    PATH.write_text(page(), encoding="utf-8")
    print(f"Wrote {PATH.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
