"""Agreement of scorers against published examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numeric import numbers_in
from statsmodels.stats.inter_rater import cohens_kappa

from kindle.analysis.scorers import Weights, duration_agreement, stage_agreement

STAGES = (0, 1, 2, 3, 4, 5)
GWET_RATERS: dict[str, list[float | None]] = {
    "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, None],
    "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 3],
    "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
}
FLEISS_1969 = np.array([[106, 10, 4], [22, 28, 10], [2, 12, 6]])

scored = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=15)


def two(table: np.ndarray) -> dict[str, list[float | None]]:
    cells = [(i, j) for i in range(len(table)) for j in range(len(table)) for _ in range(table[i, j])]
    return {"a": [float(i) for i, _ in cells], "b": [float(j) for _, j in cells]}


def test_gwets_four_raters_with_missing_scores() -> None:
    """AC1 0.77544, standard error 0.14295, agreement 0.81818, chance 0.19032 (R irrCAC, cac.raw4raters)."""
    gwet = stage_agreement(GWET_RATERS, (1, 2, 3, 4, 5), weights="identity").gwet
    assert gwet is not None
    assert (gwet.value, gwet.se) == pytest.approx((0.77544, 0.14295), abs=5e-6)
    assert (gwet.observed, gwet.by_chance) == pytest.approx((0.8181818, 0.1903212), abs=5e-8)


def test_kappa_of_fleiss_cohen_and_everitt() -> None:
    """Psychol Bull 72:323, 200 diagnoses by two raters: kappa 0.429."""
    ((_, _, kappa),) = stage_agreement(two(FLEISS_1969), (0, 1, 2), weights="identity").kappas
    assert kappa.value == pytest.approx(0.429, abs=5e-4)


@pytest.mark.parametrize(("weights", "name"), [("identity", None), ("linear", "linear"), ("quadratic", "quadratic")])
def test_kappa_and_its_interval_are_those_of_statsmodels(weights: Weights, name: str | None) -> None:
    ((_, _, kappa),) = stage_agreement(two(FLEISS_1969), (0, 1, 2), weights=weights).kappas
    other = cohens_kappa(FLEISS_1969, wt=name)
    found = (kappa.value, kappa.se, kappa.interval.low, kappa.interval.high)
    assert found == pytest.approx((other.kappa, other.std_kappa, other.kappa_low, other.kappa_upp))


def test_scorers_who_only_see_stage_5_have_no_kappa_but_agree() -> None:
    found = stage_agreement({"a": [5, 5, 5], "b": [5, 5, 5]}, STAGES)
    ((_, _, kappa),) = found.kappas
    assert kappa.value is None
    assert (found.status.kind, found.status.code) == ("warning", "one_stage")
    assert found.exact_agreement == 1
    assert found.gwet is not None
    assert found.gwet.value == 1


def test_kappa_is_low_and_gwet_high_where_nearly_all_stages_are_one() -> None:
    found = stage_agreement({"a": [5] * 18 + [4, 5], "b": [5] * 18 + [5, 4]}, STAGES, weights="identity")
    ((_, _, kappa),) = found.kappas
    assert kappa.value is not None
    assert kappa.value < 0
    assert found.gwet is not None
    assert found.gwet.value is not None
    assert found.gwet.value > 0.85


def test_one_seizure_is_too_few() -> None:
    assert stage_agreement({"a": [5, None], "b": [5, 4]}, STAGES).status.code == "too_few_seizures"


@pytest.mark.parametrize(
    ("scores", "stages", "says"),
    [
        ({"a": [1, 2]}, STAGES, "two scorers"),
        ({"a": [1, 2], "b": [1]}, STAGES, "a 2, b 1"),
        ({"a": [1, 2], "b": [1, 7]}, STAGES, "b, seizure 2: the scale has no stage 7"),
        ({"a": [1, 1], "b": [1, 1]}, (1,), "at least two stages"),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(
    scores: dict[str, list[float | None]], stages: tuple[int, ...], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        stage_agreement(scores, stages)


def test_durations_are_compared_by_icc_and_limits_of_every_pair() -> None:
    first = [20.0, 35, 41, 60, 72, 90]
    found = duration_agreement({"a": first, "b": [t + 1 for t in first], "c": [t - 1 for t in first]})
    assert found.icc.value > 0.99
    assert [(a, b) for a, b, _ in found.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [limits.bias for _, _, limits in found.pairs] == pytest.approx([1, -1, -2])


@settings(deadline=None)
@given(scored, st.sampled_from(["identity", "linear", "quadratic"]))
def test_numbers_are_finite_bounded_and_symmetric(pairs: list[tuple[int, int]], weights: Weights) -> None:
    a, b = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    found, swapped = (stage_agreement(s, STAGES, weights=weights) for s in ({"a": a, "b": b}, {"b": b, "a": a}))
    assert np.isfinite(list(numbers_in(found.as_dict()))).all()
    kappa, other = found.kappas[0][2], swapped.kappas[0][2]
    if kappa.value is None:
        assert other.value is None
        return
    assert kappa.value == pytest.approx(other.value)
    assert -1 <= kappa.value <= 1
    assert kappa.interval.low is not None
    assert kappa.interval.high is not None
    assert kappa.interval.low <= kappa.value <= kappa.interval.high
    if a == b:
        assert kappa.value == pytest.approx(1)
