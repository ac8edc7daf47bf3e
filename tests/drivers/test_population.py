"""The simulated population: what it is drawn from, how it kindles, and what drugs do to it."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulated.life import DURATION_QUANTILES_S, DURATION_SHARES, Life, Population
from drivers.simulated.living_rat import living_rat
from drivers.simulated.pharmacology import VALPROATE, Drug, Given, Interaction, effect
from drivers.simulated.rat import Phase

DURATIONS = Path(__file__).parents[3] / "shared" / "recordings" / "kindled_rat_durations.csv"
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
OTHER = Drug("other", 20.0)


def kindled(life: Life, n_trains: int = 60) -> Life:
    for _ in range(n_trains):
        life.had(life.reaction(0.0), discharged=True)
    return life


def durations_of_kindled_rats() -> list[float]:
    """Ten discharges of each of 300 rats."""
    lives = [kindled(Population(5).rat(number)) for number in range(300)]
    return [reaction.discharge_s for life in lives for reaction, _ in life.reactions[-10:]]


def test_discharges_of_kindled_rats_are_as_long_as_quoted() -> None:
    """Quantiles of 83 untreated trains above threshold in 8 rats, Takeuchi et al. 2021."""
    simulated = np.quantile(durations_of_kindled_rats(), SHARES)
    assert simulated == pytest.approx([10.5, 27.9, 41.2, 57.6, 76.9], rel=0.12)


@pytest.mark.skipif(not DURATIONS.exists(), reason="needs ../shared")
def test_discharges_of_kindled_rats_are_as_long_as_measured() -> None:
    with DURATIONS.open(encoding="utf-8") as file:
        trials = [row for row in csv.DictReader(file) if row["MSEstm"] == "0" and row["Supra"] == "1"]
    measured = [float(row["HPCDrtn"]) for row in trials if float(row["HPCDrtn"]) > 0]
    assert len(measured) == 83
    simulated = np.quantile(durations_of_kindled_rats(), SHARES)
    assert simulated == pytest.approx(np.quantile(measured, SHARES), rel=0.12)
    assert np.interp(SHARES, DURATION_SHARES, DURATION_QUANTILES_S) == pytest.approx(
        np.quantile(measured, SHARES), rel=0.06
    )


def test_thresholds_are_log_normal_around_those_of_the_field() -> None:
    """Between kindled rats: median 80 uA, SD of ln threshold 0.61 (Takeuchi et al. 2021)."""
    logs = np.log([Population(2).rat(number).nature.threshold_ua for number in range(600)])
    assert np.exp(np.median(logs)) == pytest.approx(78.0, rel=0.08)
    assert logs.std() == pytest.approx(0.6, abs=0.05)


def test_the_threshold_falls_to_half_and_never_below_it() -> None:
    life = Population(1).rat(1)
    expected = [life.expected_threshold_ua]
    for _ in range(200):
        life.had(life.reaction(0.0), discharged=False)
        expected.append(life.expected_threshold_ua)
    assert expected == sorted(expected, reverse=True)
    assert expected[-1] == pytest.approx(0.5 * life.nature.threshold_ua, rel=0.01)


def test_discharges_and_stages_grow_with_kindling() -> None:
    lives = [kindled(Population(3).rat(number), 50) for number in range(150)]
    early = [reaction for life in lives for reaction, _ in life.reactions[:4]]
    late = [reaction for life in lives for reaction, _ in life.reactions[-4:]]
    assert 4 <= np.median([reaction.discharge_s for reaction in early]) <= 20
    assert np.median([reaction.discharge_s for reaction in late]) > 35
    assert np.mean([reaction.stage <= 2 for reaction in early]) > 0.9
    assert np.mean([reaction.stage >= 4 for reaction in late]) > 0.9


def test_amygdala_kindling_takes_as_many_trains_as_in_the_field() -> None:
    """The first stage 5 after typically 8 to 20 trains; all rats within 34 (Akman, as quoted by the reference)."""
    lives = [kindled(Population(3).rat(number), 40) for number in range(200)]
    first = [next(n for n, (reaction, _) in enumerate(life.reactions, 1) if reaction.stage == 5) for life in lives]
    assert 8 <= np.median(first) <= 20
    assert np.quantile(first, 0.98) <= 34


def test_trains_that_evoke_nothing_do_not_kindle() -> None:
    life = Population(1).rat(1)
    for _ in range(40):
        life.had(life.reaction(0.0), discharged=False)
    assert life.kindled == 0.0
    assert life.last_stage == 0


def test_the_same_population_draws_the_same_rats_in_any_order() -> None:
    there = [Population(4).rat(number).nature for number in range(5)]
    back = [Population(4).rat(number).nature for number in reversed(range(5))]
    assert there == back[::-1]
    assert len({nature.seed for nature in there}) == 5


def test_a_drug_acts_from_its_injection_up_to_its_peak_and_then_fades() -> None:
    hours = np.linspace(0.01, 12, 400)
    levels = [VALPROATE.level(3600 * hour) for hour in hours]
    assert VALPROATE.level(0.0) == VALPROATE.level(-60.0) == 0.0
    assert max(levels) == pytest.approx(1.0, abs=0.01)
    peak = int(np.argmax(levels))
    assert levels[: peak + 1] == sorted(levels[: peak + 1])
    assert levels[peak:] == sorted(levels[peak:], reverse=True)
    assert levels[-1] < 0.01


@pytest.mark.parametrize("pretreatment_s", [300.0, 900.0, 7200.0])
def test_the_planted_ed50_protects_half_of_the_rats_at_its_pretreatment_time(pretreatment_s: float) -> None:
    dose = VALPROATE.ed50_after(pretreatment_s)
    protected = []
    for number in range(800):
        life = kindled(Population(6).rat(number), 30)
        life.inject(Given(VALPROATE, dose, 1000.0))
        protected.append(life.reaction(1000.0 + pretreatment_s).protected)
    assert np.mean(protected) == pytest.approx(0.5, abs=0.06)


def test_protection_keeps_seizures_partial_and_shortens_them() -> None:
    life = kindled(Population(1).rat(2))
    without = life.reaction(3600.0)
    life.inject(Given(VALPROATE, 400.0, 2700.0))
    drugged = life.reaction(3600.0)
    assert drugged.protected
    assert drugged.stage <= 2
    assert drugged.discharge_s < without.discharge_s
    assert drugged.expected_threshold_ua > without.expected_threshold_ua


@given(st.floats(1.0, 300.0), st.floats(1.0, 60.0), st.floats(0.1, 0.9))
def test_two_drugs_add_up_unless_they_interact(mg_first: float, mg_second: float, index: float) -> None:
    both = [Given(VALPROATE, mg_first, 0.0), Given(OTHER, mg_second, 0.0)]
    alone = [effect([one], (), 1800.0) for one in both]
    names = VALPROATE.name, OTHER.name
    assert effect(both, (), 1800.0) == pytest.approx(sum(alone))
    assert effect(both, [Interaction(*names, 1.0)], 1800.0) == pytest.approx(sum(alone))
    assert effect(both, [Interaction(*names, index)], 1800.0) > sum(alone)
    assert effect(both, [Interaction(*names, 1 / index)], 1800.0) < sum(alone)
    assert effect(both[:1], [Interaction(*names, index)], 1800.0) == alone[0]


def test_the_interaction_index_holds_where_both_parts_contribute_the_same() -> None:
    """Loewe: half an ED50 of each is an ED50 of the mixture if additive, and 1 / index of one otherwise."""
    half = [Given(drug, drug.ed50_after(1800.0) / 2, 0.0) for drug in (VALPROATE, OTHER)]
    assert effect(half, [Interaction(VALPROATE.name, OTHER.name, 0.5)], 1800.0) == pytest.approx(2.0)


def test_animals_are_lost_at_the_rate_that_is_planted() -> None:
    population = Population(8, electrode_lost_per_day=0.01, died_per_day=0.002)
    lost = [next((f for f, _ in zip(population.fates(n), range(60), strict=False) if f), None) for n in range(1000)]
    assert sum(fate is not None for fate in lost) / 1000 == pytest.approx(1 - 0.988**60, abs=0.05)
    assert 0 < lost.count("died") < lost.count("electrode_lost")


def test_the_rat_on_the_bench_answers_as_its_life_says_and_grows_older_by_it() -> None:
    life = kindled(Population(1).rat(3), 20)
    expected = life.reaction(500.0)
    rat = living_rat(life, 1000.0, 500.0)
    train = [Phase(20_000 * n, 20_000 * n + 1000, 2 * expected.threshold_ua) for n in range(50)]
    rat.hear(train, 5_000_000)
    (heard,) = rat.heard
    assert heard.discharge_us is not None
    first, last = heard.discharge_us
    assert (last - first) * 1e-6 == pytest.approx(expected.discharge_s, abs=0.01)
    assert life.n_trains == 21
    assert life.last_stage == expected.stage
    rat.hear([Phase(10_000_000 + p.start_us, 10_000_000 + p.end_us, 0.1) for p in train], 20_000_000)
    assert rat.heard[1].discharge_us is None
    assert life.last_stage == 0
