"""The gateway's cache: off unless it is asked for, for one route, and with the caller in its key."""

from typing import Any

from tests.support.stack import Stack

STACK = Stack()
API = STACK.resources["Api"]["Properties"]
OFF_UNLESS_ASKED_FOR = {"Fn::If": ["CacheAtGateway", True, False]}


def test_the_cache_is_off_unless_a_size_is_given() -> None:
    assert STACK.parameters["OverviewGatewayCache"] == "none"
    wanted = {"Fn::Not": [{"Fn::Equals": [{"Ref": "OverviewGatewayCache"}, "none"]}]}
    assert STACK.template["Conditions"]["CacheAtGateway"] == wanted
    assert API["CacheClusterEnabled"] == OFF_UNLESS_ASKED_FOR


def test_only_the_overview_is_cached_and_the_cache_is_encrypted() -> None:
    cached = [setting for setting in API["MethodSettings"] if "CachingEnabled" in setting]

    assert [(setting["HttpMethod"], setting["ResourcePath"]) for setting in cached] == [("GET", "/")]
    assert cached[0]["CachingEnabled"] == OFF_UNLESS_ASKED_FOR
    assert cached[0]["CacheDataEncrypted"] is True


def test_the_cache_key_includes_the_callers_token() -> None:
    events = STACK.events("OverviewFunction", "Api")
    [event] = [each for each in events if (each["Method"], each["Path"]) == ("GET", "/")]

    key: list[dict[str, Any]] = event["RequestParameters"]
    assert key == [
        {"method.request.header.Authorization": {"Required": True, "Caching": True}},
        # One origin must not be given what another was told of itself.
        {"method.request.header.Origin": {"Required": False, "Caching": True}},
    ]
