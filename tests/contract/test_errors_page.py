"""The page of all codes is made from the code, and found by those who need it."""

import re

from infrastructure import errors_page
from infrastructure.openapi import file
from infrastructure.openapi.problems import CODES
from infrastructure.template import REPOSITORY
from tasksync.http.problems import PROBLEM_TYPES, TITLES


def test_the_page_is_generated_from_the_code() -> None:
    assert errors_page.PATH.read_text(encoding="utf-8") == errors_page.page(), "make openapi writes it anew"


def test_every_code_is_described_and_every_described_code_is_on_the_page() -> None:
    operations = [each for path in file.read()["paths"].values() for each in path.values()]

    described = {code for operation in operations for code in operation[CODES]}

    assert described == {kind.code for kind in PROBLEM_TYPES.values()}
    assert described == set(re.findall(r"^\| \d{3} [^|]+ \| `(\w+)` \|", errors_page.page(), re.MULTILINE))


def test_a_code_has_one_status_and_one_remedy() -> None:
    kinds = {(kind.code, kind.status, kind.remedy) for kind in PROBLEM_TYPES.values()}

    assert len(kinds) == len({code for code, _, _ in kinds})
    assert {status for _, status, _ in kinds} == TITLES.keys()


def test_the_readme_links_the_page_and_the_description_names_it() -> None:
    assert "(docs/reference/errors.md)" in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "docs/reference/errors.md" in file.read()["info"]["description"]
