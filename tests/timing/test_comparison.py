"""The comparison sees a difference where there is one, and none where there is none."""

import random

from tests.timing.comparison import compare, quantiles


def _noise(chance: random.Random, centre: float) -> list[float]:
    return [chance.gauss(centre, 2.0) for _ in range(300)]


def test_a_difference_of_half_the_noise_is_detected() -> None:
    chance = random.Random(7)

    found = compare(_noise(chance, 101.0), _noise(chance, 100.0))

    assert found.p < 0.001
    assert found.likelier > 0.55
    assert found.interval[0] > 0
    assert 0.5 < found.difference < 1.5


def test_noise_alone_is_no_difference() -> None:
    chance = random.Random(7)

    found = compare(_noise(chance, 100.0), _noise(chance, 100.0))

    assert found.p > 0.05
    assert found.interval[0] < 0 < found.interval[1]


def test_equal_values_have_no_difference() -> None:
    found = compare([1.0] * 20, [1.0] * 20)

    assert (found.p, found.likelier, found.difference) == (1.0, 0.5, 0.0)


def test_quantiles_of_even_steps_are_the_expected_ones() -> None:
    assert quantiles([float(number) for number in range(101)]) == [5.0, 25.0, 50.0, 75.0, 95.0]
