"""The same rats at several doses: a warning for rows, and limits that draw whole animals."""

import numpy as np
import pytest

from kindle.analysis.quantal_options import QuantalOptions
from kindle.analysis.repeated import bootstrap_by_animal, fit_animals

DOSES = (50.0, 100.0, 150.0, 200.0)


def rats(n: int, spread: float, seed: int) -> tuple[list[str], list[float], list[int]]:
    """Each rat at every dose, protected where the dose exceeds its own tolerance, which differs little between days."""
    rng = np.random.default_rng(seed)
    animals, doses, responded = [], [], []
    for rat in range(n):
        own = np.log10(105) + rng.normal(0, spread)
        for dose in DOSES:
            animals.append(f"R{rat:02d}")
            doses.append(dose)
            responded.append(int(np.log10(dose) > own + rng.normal(0, 0.05)))
    return animals, doses, responded


def test_rows_of_the_same_rat_are_fitted_with_a_warning() -> None:
    fit = fit_animals(*rats(10, 0.2, 1))

    assert fit.status.code == "repeated_animals"
    assert "10 animals in 40 tests" in fit.status.message
    assert "repeated_animals" in {note.code for note in fit.ed().notes}


def test_one_dose_for_each_rat_needs_no_warning_even_with_its_own_control() -> None:
    animals = [f"R{i}" for i in range(16)]
    doses, responded = [50.0, 100.0] * 8, [0, 1] * 7 + [1, 0]
    once = fit_animals(animals, doses, responded)
    with_control = fit_animals(animals * 2, doses + [0.0] * 16, responded + [0] * 16)

    assert "repeated_animals" not in {note.code for note in (*once.notes, *with_control.notes)}


def test_limits_over_animals_are_wider_where_rats_differ_more_than_days() -> None:
    data = rats(12, 0.25, 4)
    rows = fit_animals(*data).ed(ci="delta")
    animals = bootstrap_by_animal(*data, n_resamples=400, seed=7)

    assert animals.value == rows.value
    assert None not in (rows.low, rows.high, animals.low, animals.high)
    assert animals.high / animals.low > 1.15 * rows.high / rows.low  # type: ignore[operator]


def test_the_same_seed_gives_the_same_limits() -> None:
    data = rats(14, 0.3, 5)

    first, again, other = (bootstrap_by_animal(*data, n_resamples=100, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)
    assert first.seed == 3


def test_the_control_stands_by_every_set_of_animals() -> None:
    animals, doses, responded = rats(12, 0.2, 6)
    with_control = [*animals, *(f"C{n}" for n in range(10))], [*doses, *[0.0] * 10], [*responded, 1, 1, *[0] * 8]
    found = bootstrap_by_animal(*with_control, options=QuantalOptions(natural="abbott"), n_resamples=100)

    assert found.n_unusable < 5
    assert found.low is not None
    assert found.high is not None


def test_animals_that_never_differ_leave_the_dose_in_its_bracket() -> None:
    data = rats(6, 1e-9, 2)
    found = bootstrap_by_animal(*data, n_resamples=100)

    assert found.n_separated == 100
    assert found.low is not None
    assert found.high is not None
    assert 50 <= found.low <= found.high <= 150


def test_resamples_without_a_rising_line_are_counted_and_told() -> None:
    animals = [f"R{i}" for i in range(6) for _ in range(2)]
    responded = [0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1]
    found = bootstrap_by_animal(animals, [50.0, 100.0] * 6, responded, n_resamples=300)

    assert found.n_unusable > 15
    assert "unusable_resamples" in {note.code for note in found.notes}


def test_what_cannot_be_fitted_cannot_be_resampled() -> None:
    animals, doses, _ = rats(5, 0.2, 1)
    found = bootstrap_by_animal(animals, doses, [1] * 20, options=QuantalOptions(unit="mg/kg"))

    assert found.status.code == "all_responded"
    assert (found.value, found.low, found.high) == (None, None, None)
    with pytest.raises(ValueError, match="at least 100"):
        bootstrap_by_animal(animals, doses, [1] * 20, n_resamples=10)
