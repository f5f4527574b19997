"""Figures in documents: each is what the code, the template or a file says.

A page that claims a number belongs here, in a test that counts it (model, simulation, condition mutation), or is made
by ``make bench``. What was measured once says so on its page, with its circumstances.
"""

import re
from typing import Any

import pytest

from infrastructure.template import REPOSITORY
from tasksync.domain.rate_limits import POLICIES as LIMITS
from tasksync.http.request import MAX_BODY_BYTES
from tests.functions.authorization.policies import POLICIES, Line, Open
from tests.functions.authorization.test_outages import CASES as OUTAGES
from tests.support.stack import Stack

PARAMETERS = {name: each.get("Default") for name, each in Stack({}).template["Parameters"].items()}
LINES = [each for each in POLICIES if isinstance(each, Line)]


# By page: a sentence with its figures, and what each of them is.
FIGURES: list[tuple[str, str, tuple[Any, ...]]] = [
    (
        "docs/security.md",
        r"depends on the request: (\d+) lines for (\d+) routes with a token, and (\d+) open routes",
        (
            len(LINES),
            len({each.route for each in LINES}),
            len({each.route for each in POLICIES if isinstance(each, Open)}),
        ),
    ),
    ("docs/security.md", r"are the (\d+) outages of", (len(OUTAGES),)),
    ("README.md", r"bodies up to (\d+) KiB", (MAX_BODY_BYTES / 1024,)),
    (
        "docs/guides/integrate.md",
        r"access token \((\d+) minutes\), refresh token \((\d+) days\)",
        (PARAMETERS["AccessTokenSeconds"] / 60, PARAMETERS["RefreshTokenSeconds"] / 86_400),
    ),
    (
        "docs/guides/integrate.md",
        r"expires if it is not used for (\d+) days",
        (PARAMETERS["RefreshIdleSeconds"] / 86_400,),
    ),
    (
        "docs/guides/secure.md",
        r"`LogRetentionDays` \((\d+)\), `ActivityRetentionDays` \((\d+)\)",
        (PARAMETERS["LogRetentionDays"], PARAMETERS["ActivityRetentionDays"]),
    ),
    (
        "docs/guides/secure.md",
        (
            r"`PasswordMinLength` \| (\d+) characters.*`AuthorizerCacheSeconds` \| (\d+) s"
            r".*`RecentSignInSeconds` \| (\d+) minutes.*`BcryptCost` \| (\d+) \|"
        ),
        (
            PARAMETERS["PasswordMinLength"],
            PARAMETERS["AuthorizerCacheSeconds"],
            PARAMETERS["RecentSignInSeconds"] / 60,
            PARAMETERS["BcryptCost"],
        ),
    ),
]


@pytest.mark.parametrize(("page", "sentence", "expected"), FIGURES, ids=lambda each: str(each)[:40])
def test_figures_in_pages_are_those_of_the_code(page: str, sentence: str, expected: tuple[Any, ...]) -> None:
    text = " ".join((REPOSITORY / page).read_text(encoding="utf-8").split())

    found = re.findall(sentence, text)

    assert len(found) == 1, f"{page} does not say: {sentence}"
    figures = found[0] if isinstance(found[0], tuple) else (found[0],)
    assert [float(figure.replace(",", "")) for figure in figures] == [float(figure) for figure in expected]


def test_the_rate_limit_table_has_the_quotas_and_windows_of_the_code() -> None:
    page = (REPOSITORY / "docs" / "reference" / "limits.md").read_text(encoding="utf-8")
    table = page.partition("| policy | counted by | default | routes |")[2].partition("\n\n")[0]
    variables = Stack({}).functions["RoomsFunction"]["Environment"]["Variables"]["RATE_LIMITS"]["Fn::Sub"]
    quotas = {name: int(PARAMETERS[quota]) for name, quota in re.findall(r"([a-z-]+)=\$\{(\w+)\}", variables)}
    windows = {60: "a minute", 900: "in 15 min", 3600: "an hour"}

    rows = [[cell.strip() for cell in row.split("|")[1:4]] for row in table.splitlines()[2:]]
    shown = {
        name: (quota, default)
        for names, _, default in rows
        for name, quota in zip(re.findall(r"`([a-z-]+)`", names), re.findall(r"\d+", default), strict=False)
    }

    assert shown.keys() == {policy.name for policy in LIMITS}
    for policy in LIMITS:
        quota, default = shown[policy.name]
        assert int(quota) == quotas[policy.name], policy.name
        window = default if policy.name != "sign-in-failures" else default.replace("wrong passwords ", "")
        assert windows[policy.seconds] in window, policy.name


def test_pages_name_the_python_version_of_the_functions_and_the_oldest_supported_one() -> None:
    runtime = Stack({}).template["Globals"]["Function"]["Runtime"].removeprefix("python")
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    [oldest] = re.findall(r'^requires-python = ">=([\d.]+)"$', project, re.MULTILINE)
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")

    assert re.findall(r"for arm64 and Python ([\d.]+),", readme) == [runtime]
    assert re.findall(r"You need Python ([\d.]+) or later", readme) == [oldest]
