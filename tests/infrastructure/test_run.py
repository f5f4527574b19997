"""`make run` ends with one sentence where what it was given cannot be, before anything is started."""

import pytest

from infrastructure.local import run
from infrastructure.local.errors import ParameterInvalid


def test_parameters_are_those_of_the_template() -> None:
    given = ["AccessTokenSeconds=60", "CorsAllowedOrigins=https://app.example.org", "OverviewGatewayCache=0.5"]
    assert run.parameters_named([]) == {}
    assert run.parameters_named(given) == {
        "AccessTokenSeconds": "60",
        "CorsAllowedOrigins": "https://app.example.org",
        "OverviewGatewayCache": "0.5",
    }


@pytest.mark.parametrize(
    "given",
    [
        "Nonsense=1",
        "WritesPerUser",
        "WritesPerUser=",
        "WritesPerUser=many",
        "WritesPerUser=0",
        "AccessTokenSeconds=59",
        "AccessTokenSeconds=3601",
        "OverviewGatewayCache=2",
        "CorsAllowedOrigins=app.example.org",
    ],
)
def test_an_invalid_parameter_is_named(given: str) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        run.parameters_named(["ReadsPerUser=600", given])
    assert str(refused.value).startswith(f"{given} is no parameter")
