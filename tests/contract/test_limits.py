"""Limits: each route counts as something, those without a token by address and the others by user."""

import importlib

import pytest

from tasksync.domain.rate_limits import ADD_STRANGERS, POLICIES, SIGN_IN_FAILURES, Per, Policy
from tasksync.runtime.settings import settings
from tests.support.stack import Stack

STACK = Stack()


def _declared() -> dict[tuple[str, str], tuple[Policy, ...]]:
    """What each route counts as, for the functions that response with an ``Api``."""
    modules = [importlib.import_module(each["Handler"].rpartition(".")[0]) for each in STACK.functions.values()]
    apis = [module.api for module in modules if hasattr(module, "api")]
    return {(route.method, route.path): route.limits for api in apis if api.limits for route in api.routes}


# What pages answer is the same for everybody and read from no table: counting it would cost more than serving it. The
# health of the service must be told in time when the table that counts is out of reach, too. A preflight (OPTIONS) has
# nobody to count by, and the request that it asks about is counted.
FREE = {"PagesFunction", "HealthFunction"}


def _public() -> dict[tuple[str, str], bool]:
    return {
        (event["Method"], event["Path"]): "Auth" in event
        for function in STACK.functions.keys() - FREE
        for event in STACK.events(function, "Api")
        if event["Method"] != "OPTIONS"
    }


def test_every_route_has_a_rate_limit_policy() -> None:
    assert _declared().keys() == _public().keys()
    assert all(_declared().values())


@pytest.mark.parametrize("route", sorted(_public()))
def test_a_policy_counts_by_what_is_known_about_the_caller(route: tuple[str, str]) -> None:
    first, *_ = _declared()[route]

    assert first.per is (Per.IP if _public()[route] else Per.USER)


@pytest.mark.usefixtures("aws")
def test_each_policy_has_a_quota_and_is_used() -> None:
    used = {policy for policies in _declared().values() for policy in policies} | {SIGN_IN_FAILURES, ADD_STRANGERS}

    assert settings.rate_limits.keys() == {policy.name for policy in POLICIES}
    assert len({policy.name for policy in POLICIES}) == len(POLICIES)
    assert used == set(POLICIES)


def test_the_most_sensitive_policies_are_counted_exactly() -> None:
    exact = {route for route, policies in _declared().items() if all(policy.exact for policy in policies)}

    assert exact == {
        ("POST", "/auth/login"),
        ("POST", "/auth/register"),
        ("POST", "/users"),
        ("POST", "/auth/password"),
        ("POST", "/auth/recovery/complete"),
        ("POST", "/rooms/join"),
    }
