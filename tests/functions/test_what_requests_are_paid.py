"""What requests cost on AWS, as the documents show it: neither may change without what is reckoned."""

import pytest

from bench.mix import MIX, counted
from bench.price import tables
from infrastructure.template import REPOSITORY


@pytest.mark.usefixtures("_mocked_aws")
def test_the_documents_show_what_is_reckoned_from_what_is_counted() -> None:
    of_a_million, of_a_month = tables(counted())

    assert of_a_million in (REPOSITORY / "docs" / "performance.md").read_text(encoding="utf-8")
    assert of_a_month in (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")


def test_the_mix_is_of_a_thousand_requests() -> None:
    assert sum(MIX.values()) == 1000
