"""The WebSocket API of live updates, as ``template.yaml`` describes it."""

from typing import Any

from tests.support.sam_transform import transformed

RESOURCES = transformed()


def _of_type(kind: str) -> dict[str, Any]:
    return {
        name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == f"AWS::ApiGatewayV2::{kind}"
    }


def _integration(route: Any) -> Any:
    return _of_type("Integration")[route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")]


def test_nothing_but_connect_runs_a_function_at_the_will_of_a_client() -> None:
    routes = {route["RouteKey"]: route for route in _of_type("Route").values()}
    with_functions = {key for key, route in routes.items() if _integration(route)["IntegrationType"] != "MOCK"}

    # The gateway itself calls $disconnect.
    assert with_functions == {"$connect", "$disconnect"}
    assert routes["$connect"]["AuthorizationType"] == "CUSTOM"
    authorizer = _of_type("Authorizer")[routes["$connect"]["AuthorizerId"]["Ref"]]
    assert authorizer["IdentitySource"] == ["route.request.querystring.ticket"]


def test_a_stage_with_settings_of_a_route_is_made_after_the_route() -> None:
    """API Gateway refuses settings of a route that is not there."""
    routes = {each["RouteKey"]: name for name, each in _of_type("Route").items()}

    for name, stage in _of_type("Stage").items():
        assert {RESOURCES[name]["DependsOn"]} == {routes[key] for key in stage["RouteSettings"]}
