"""A request, as views see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from tasksync.entities import Caller, Receipt, ReceiptFor, UserRole
from tasksync.http.responses import Response

Outcome = TypeVar("Outcome")


class Once(Protocol):
    """One request under one idempotency key of one user; ``http/idempotency.py``."""

    def replay(self) -> Response | None: ...
    def receipt(self, answer: Response) -> Receipt: ...
    def keep(self, answer: Response) -> None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What API Gateway passed on (REST API, proxy event version 1.0), with header names in lower case."""

    id: str
    method: str
    path: str
    """Below the API's root."""
    root: str
    """What stands before ``path`` in the address the client called: the stage, or nothing behind a domain name."""
    parameters: Mapping[str, list[str]]
    headers: Mapping[str, str]
    context: Mapping[str, Any]
    once: Once | None
    """Set where the client sent an idempotency key."""

    @property
    def caller(self) -> Caller:
        """Who the authorizer says is asking. Only on routes that have the authorizer."""
        found = self.context["authorizer"]
        # An authorizer of the version before, in the minutes of an upgrade, does not say when they signed in.
        authenticated_at = datetime.fromtimestamp(int(found.get("auth_time", 0)), UTC)
        return Caller(found["user_id"], found["session_id"], UserRole(found["role"]), authenticated_at)

    @property
    def ip(self) -> str:
        """The address the gateway saw; never what a header claims."""
        return str(self.context["identity"]["sourceIp"])

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")[:255]

    def carry_out(
        self,
        effect: Callable[[ReceiptFor[Outcome]], Outcome],
        answer: Callable[[Outcome], Response],
        stored: Callable[[Outcome], Response] | None = None,
    ) -> Response:
        """The answer to an effect, kept in the effect's own transaction where there is an idempotency key.

        ``stored``: what is kept in the answer's place where that holds a secret; see ``Api.route``, ``restored``.
        """
        once = self.once
        if once is None:
            return answer(effect(lambda _: None))
        kept: list[Outcome] = []

        def receipt(outcome: Outcome) -> Receipt:
            kept.append(outcome)
            return once.receipt((stored or answer)(outcome))

        outcome = effect(receipt)
        response = answer(outcome)
        if not kept or kept[-1] != outcome:
            # There was nothing to change, and so no transaction to keep the answer in.
            once.keep(response)
        return response

    def matches(self, version: int) -> bool:
        """Whether ``If-Match`` (RFC 9110 §13.1.1) allows a change of a resource of this version."""
        condition = self.headers.get("if-match")
        return condition is None or _lists(condition, version, weak=False)

    @property
    def precondition(self) -> Callable[[int], bool] | None:
        """``matches``, or None where the client sent no ``If-Match``: then any version may be changed."""
        return self.matches if "if-match" in self.headers else None

    def refuses_cached(self) -> bool:
        """Whether ``Cache-Control: no-cache`` (RFC 9111 §5.2.1.4) asks for an answer made for this request."""
        directives = self.headers.get("cache-control", "").lower().split(",")
        return "no-cache" in [directive.strip() for directive in directives]

    def unchanged(self, version: int | str) -> bool:
        """Whether ``If-None-Match`` (RFC 9110 §13.1.2) says that the client has this version."""
        condition = self.headers.get("if-none-match")
        return condition is not None and _lists(condition, version, weak=True)


def _lists(condition: str, version: int | str, *, weak: bool) -> bool:
    tags = [tag.strip() for tag in condition.split(",")]
    if weak:
        tags = [tag.removeprefix("W/") for tag in tags]
    return "*" in tags or f'"{version}"' in tags
