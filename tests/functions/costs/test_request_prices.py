"""What requests cost on AWS, as the documents show it: neither may change without what is reckoned."""

import re

import pytest

from bench.mix import counted
from bench.price import MIX, tables
from infrastructure.template import REPOSITORY

# Log lines tell milliseconds, in more or fewer characters, and ids are compressed more or less; and the last digit that
# is shown was rounded.
RELATIVE, ABSOLUTE = 0.01, 0.011

_NUMBER = re.compile(r"\d[\d,]*\.?\d*")


def shape(table: str) -> str:
    return _NUMBER.sub("0", table)


def numbers(table: str) -> list[float]:
    return [float(number.replace(",", "")) for number in _NUMBER.findall(table)]


def shown(page: str, heading: str) -> str:
    """The table of a page that begins with this line."""
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    return text[text.index(heading) :].partition("\n\n")[0]


@pytest.mark.usefixtures("_mocked_aws")
def test_the_documents_show_the_calculated_prices() -> None:
    for page, reckoned in zip(
        ("performance.md", "guides/operate.md", "guides/operate.md"), tables(counted()), strict=True
    ):
        documented = shown(page, reckoned.partition("\n")[0])

        assert shape(documented) == shape(reckoned)
        assert numbers(documented) == pytest.approx(numbers(reckoned), rel=RELATIVE, abs=ABSOLUTE)


def test_the_mix_has_a_thousand_requests() -> None:
    assert sum(MIX.values()) == 1000
