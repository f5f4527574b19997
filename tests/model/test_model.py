"""The protocol holds within all bounds, and each of its guards is needed."""

import re

import pytest

from infrastructure.template import REPOSITORY
from tests.conftest import Figures
from tests.model.configurations import ALL
from tests.model.explore import explore
from tests.model.guards import Guard
from tests.model.model import Configuration, Model
from tests.model.mutants import MUTANTS, SPARE, Mutant
from tests.model.report import configuration_line, configuration_row, mutant_line, mutant_row, trace_lines

PAGE = (REPOSITORY / "docs" / "protocol-model.md").read_text(encoding="utf-8")


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _name(case: Configuration | Mutant) -> str:
    return case.name if isinstance(case, Configuration) else f"{case.configuration.name}: {case.name}"


@pytest.mark.parametrize("configuration", ALL, ids=_name)
def test_the_protocol_keeps_every_invariant(configuration: Configuration, figures: Figures) -> None:
    result = explore(Model(configuration))

    figures(configuration_line(configuration, result))
    assert PAGE.count(configuration_row(configuration, result)) == 1, "docs/protocol-model.md has other figures"
    assert result.fault is None, "\n".join([str(result.fault), *trace_lines(result)])
    assert result.states > 1000, "so few states cannot be all"


@pytest.mark.parametrize("mutant", MUTANTS, ids=_name)
def test_without_a_guard_the_protocol_fails(mutant: Mutant) -> None:
    result = explore(mutant.model)

    assert result.fault == mutant.fault, mutant_line(mutant, result)
    assert len(result.trace) == result.depth > 0
    assert PAGE.count(mutant_row(mutant, result)) == 1, "docs/protocol-model.md has other figures"


@pytest.mark.parametrize("mutant", SPARE, ids=_name)
def test_a_redundant_guard_can_be_removed_alone(mutant: Mutant) -> None:
    result = explore(mutant.model)

    assert result.fault is None, "\n".join([str(result.fault), *trace_lines(result)])


def test_the_page_has_a_row_for_each_configuration_and_mutant_and_their_sum() -> None:
    configurations = re.findall(r"^\| ([a-z]+) \| .*? \| \d \| \d \| ([\d,]+) \| [\d,]+ \| \d+ \|$", PAGE, re.MULTILINE)
    [total] = re.findall(r"any of these ([\d,]+) states", PAGE)
    mutants = PAGE.partition("## Mutants")[2].partition("\n## ")[0].count("\n| ") - 1

    assert [name for name, _ in configurations] == [each.name for each in ALL]
    assert sum(_number(states) for _, states in configurations) == _number(total)
    assert mutants == len(MUTANTS)


def test_every_guard_is_removed_in_a_mutant() -> None:
    taken = {guard for mutant in (*MUTANTS, *SPARE) for guard in mutant.removed}

    assert taken == set(Guard)


def test_a_trace_shows_every_step_to_the_violation() -> None:
    late_leave = next(mutant for mutant in MUTANTS if mutant.removed == {Guard.LEAVE_PINNED})

    lines = list(trace_lines(explore(late_leave.model)))

    assert any("join" in line and "commits" in line for line in lines)
    assert "leave commits" in lines[-2]
