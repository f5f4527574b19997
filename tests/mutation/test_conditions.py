"""Each condition sent to DynamoDB is known, and missed when it is taken away or weakened.

`python -m tests.mutation` prints the whole table.
"""

import pytest

from infrastructure.template import REPOSITORY
from tests.conftest import Figures
from tests.mutation import report
from tests.mutation.environment import play, theatre
from tests.mutation.equivalent import EQUIVALENT, claims
from tests.mutation.recording import Recording
from tests.mutation.report import Results
from tests.mutation.source_conditions import conditional_writes_elsewhere, written_atoms
from tests.mutation.webhook_scenarios import SCENARIOS

_MUTANTS_PER_COMPARISON = 25


@pytest.fixture(scope="module")
def results() -> Results:
    return report.measure()


def test_every_scenario_passes_without_a_mutation(results: Results) -> None:
    assert results.broken == {}


def test_every_mutant_is_caught(results: Results, figures: Figures) -> None:
    figures(report.summary(results))
    assert results.survivors == []


def test_a_play_that_begins_with_its_recording_ends_like_a_whole_one(results: Results) -> None:
    caught = [(mutant, by) for mutant, by in results.caught.items() if by is not None][::_MUTANTS_PER_COMPARISON]
    with theatre():
        for mutant, name in caught:
            recording = Recording()
            assert play(SCENARIOS[name], recording) is None
            begun = play(SCENARIOS[name], recording, mutant)
            whole = play(SCENARIOS[name], Recording(), mutant)
            assert (type(begun), str(begun)) == (type(whole), str(whole)), (mutant, name)


def test_the_page_has_these_figures(results: Results) -> None:
    page = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")

    for name, figure in report.figures(results).items():
        assert f"| {figure} |\n" in page[page.index(f"| {name}") :].partition("\n| ")[0] + "\n", (name, figure)


def test_no_other_mutants_are_declared_equivalent(results: Results) -> None:
    caught = {(claim, mutant) for mutant, by in results.caught.items() if by is not None for claim in claims(mutant)}
    assert caught == set()
    used = {claim for mutant in results.caught for claim in claims(mutant)}
    assert used == set(EQUIVALENT)


def test_every_condition_in_the_code_is_exercised(results: Results) -> None:
    missing = {
        operation: atoms - results.seen.atoms.get(operation, set()) for operation, atoms in written_atoms().items()
    }
    assert {operation: atoms for operation, atoms in missing.items() if atoms} == {}


def test_conditions_are_written_in_the_two_known_ways_only() -> None:
    assert conditional_writes_elsewhere() == []
