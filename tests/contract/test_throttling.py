"""Throttling and the firewall: what holds back a flood before any function runs."""

from tests.support.stack import Stack

STACK = Stack()
SETTINGS = STACK.resources["Api"]["Properties"]["MethodSettings"]
GUESSED = {
    ("POST", "/auth/login"),
    ("POST", "/auth/reauthenticate"),
    ("POST", "/auth/register"),
    ("POST", "/users"),
    ("POST", "/auth/password"),
    ("POST", "/auth/recovery/complete"),
    ("POST", "/rooms/join"),
}


def test_every_method_is_throttled_and_those_for_guessing_more() -> None:
    rates = {
        (each["HttpMethod"], each["ResourcePath"]): (each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"])
        for each in SETTINGS
    }

    assert rates.pop(("*", "/*")) == ({"Ref": "RequestsPerSecond"}, {"Ref": "RequestBurst"})
    low = {route for route, rate in rates.items() if rate == ({"Ref": "SignInsPerSecond"}, {"Ref": "SignInBurst"})}
    assert low == GUESSED
    assert Stack({}).template["Parameters"]["SignInsPerSecond"]["Default"] < 200


def test_throttled_paths_are_routes() -> None:
    routes = {
        (event["Method"], event["Path"]) for function in STACK.functions for event in STACK.events(function, "Api")
    }

    assert {(each["HttpMethod"], each["ResourcePath"]) for each in SETTINGS} - routes == {("*", "/*")}


def test_the_firewall_is_there_only_if_it_is_wanted() -> None:
    for name in ("Firewall", "FirewallOfApi"):
        assert STACK.resources[name]["Condition"] == "WithWaf"
    assert STACK.template["Conditions"]["WithWaf"] == {"Fn::Equals": [{"Ref": "EnableWaf"}, "true"]}
    assert STACK.parameters["EnableWaf"] == "false"


def test_the_firewall_counts_every_address_and_passes_the_rest() -> None:
    properties = STACK.resources["Firewall"]["Properties"]

    assert properties["DefaultAction"] == {"Allow": {}}
    rules = {rule["Name"]: rule["Statement"]["RateBasedStatement"] for rule in properties["Rules"]}
    assert {name: (rule["AggregateKeyType"], rule["Limit"]["Ref"]) for name, rule in rules.items()} == {
        "SignInsPerAddress": ("IP", "WafSignInsPerAddress"),
        "RequestsPerAddress": ("IP", "WafRequestsPerAddress"),
    }
