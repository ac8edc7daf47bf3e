"""Kindling curves of groups and animals, and stimulations to fully kindled."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindle.analysis.curves import KindledRule, Stimulation, kindling_curves, kindling_rate, stimulations_to

stages = st.lists(st.none() | st.integers(0, 5).map(float), max_size=15)
rules = st.builds(KindledRule, st.integers(1, 4), st.integers(1, 5).map(float), st.booleans())


def of(animal: str, *values: float | None, group: str = "drug") -> list[Stimulation]:
    return [Stimulation(animal, group, number, value) for number, value in enumerate(values, 1)]


def test_a_group_is_described_at_every_stimulation_with_its_number_of_animals() -> None:
    curves = kindling_curves([*of("R1", 10, 20, 30), *of("R2", 14, 28)], measure="afterdischarge", unit="s")
    (group,) = curves.groups
    assert [point.n for point in group.points] == [2, 2, 1]
    assert [point.mean for point in group.points] == [12, 24, 30]
    assert group.points[0].sem == pytest.approx(2)
    assert group.points[2].sem is None
    assert (group.points[0].lower_quartile, group.points[0].median) == (11, 12)


def test_that_animals_left_the_curve_is_told() -> None:
    curves = kindling_curves([*of("R1", 10, 20, 30), *of("R2", 14, 28)], measure="afterdischarge")
    assert curves.groups[0].complete_until == 2
    assert (curves.status.kind, curves.status.code) == ("warning", "animals_leave")
    assert "all 2 animals up to stimulation 2, then as few as 1" in curves.status.message


def test_what_was_not_measured_is_missing_and_not_zero() -> None:
    curves = kindling_curves([*of("R1", 3, None, 5), *of("R2", 1, 2, 3)], measure="stage")
    (group,) = curves.groups
    assert [(point.n, point.mean) for point in group.points] == [(2, 2), (1, 2), (2, 4)]
    assert group.complete_until == 1
    assert curves.animals[0].values == (3, None, 5)


def test_groups_keep_the_order_of_the_study() -> None:
    curves = kindling_curves([*of("R9", 1, group="vehicle"), *of("R1", 2, group="drug")], measure="stage")
    assert [group.group for group in curves.groups] == ["vehicle", "drug"]


@pytest.mark.parametrize(
    ("given_twice", "says"),
    [
        ([Stimulation("R1", "a", 1, 3), Stimulation("R1", "a", 1, 4)], "R1, stimulation 1: given twice"),
        ([Stimulation("R1", "a", 0, 3)], "count from 1"),
        ([Stimulation("R1", "a", 1, float("nan"))], "give None"),
        ([Stimulation("R1", "a", 1, 3), Stimulation("R1", "b", 2, 3)], "R1 stands in two groups"),
    ],
)
def test_a_stimulation_that_cannot_be_placed_is_refused(given_twice: list[Stimulation], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        kindling_curves(given_twice, measure="stage")


def test_no_stimulations_make_no_curve() -> None:
    assert kindling_curves([], measure="stage").status.code == "no_stimulations"


@pytest.mark.parametrize(
    ("rule", "own", "expected"),
    [
        (KindledRule(3, 4), [1, 4, 5, 3, 4, 4, 5], (7, True)),
        (KindledRule(3, 4, consecutive=False), [1, 4, 5, 3, 4, 4, 5], (5, True)),
        (KindledRule(1, 5), [1, 4, 5, 3], (3, True)),
        (KindledRule(3, 4), [4, 4, None, 4], (4, True)),
        (KindledRule(3, 4), [4, 4, 1, 4, 4], (5, False)),
        (KindledRule(2, 5), [], (0, False)),
    ],
)
def test_the_criterion_is_met_at_its_last_stimulation(
    rule: KindledRule, own: list[float | None], expected: tuple[int, bool]
) -> None:
    (number,), (met,) = stimulations_to({"R1": own}, rule)
    assert (number, met) == expected


def test_a_criterion_without_stimulations_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        KindledRule(0, 4)


def test_the_rate_of_kindling_is_a_survival_analysis() -> None:
    fast: dict[str, list[float | None]] = {f"F{k}": [1.0] * k + [5.0] * 3 for k in range(4, 10)}
    slow: dict[str, list[float | None]] = {f"S{k}": [1.0] * (2 * k) + [5.0] * 3 for k in range(4, 9)}
    never: dict[str, list[float | None]] = {"S9": [3.0] * 30}
    found = kindling_rate({"vehicle": fast, "drug": slow | never}, KindledRule(3, 4))
    vehicle, drug = found.groups
    assert (vehicle.n_events, drug.n_events, drug.censored_at) == (6, 5, (30.0,))
    assert vehicle.median == 9.5
    assert drug.median == 16
    assert found.log_rank is not None
    assert found.log_rank.p < 0.05


@settings(deadline=None)
@given(stages, rules)
def test_more_stimulations_never_undo_a_criterion(own: list[float | None], rule: KindledRule) -> None:
    (number,), (met,) = stimulations_to({"R1": own}, rule)
    (later,), (still,) = stimulations_to({"R1": [*own, 0.0, 5.0]}, rule)
    if met:
        assert (later, still) == (number, True)
        reached = own[number - 1]
        assert reached is not None
        assert reached >= rule.stage
    else:
        assert number == len(own)


@settings(deadline=None)
@given(stages, rules)
def test_in_a_row_takes_at_least_as_long_as_in_all(own: list[float | None], rule: KindledRule) -> None:
    in_a_row = stimulations_to({"R1": own}, KindledRule(rule.n, rule.stage, consecutive=True))
    in_all = stimulations_to({"R1": own}, KindledRule(rule.n, rule.stage, consecutive=False))
    assert in_a_row[0][0] >= in_all[0][0]
    assert in_all[1][0] or not in_a_row[1][0]
