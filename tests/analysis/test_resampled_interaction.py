"""Interaction of drugs in rats that were tested repeatedly: whole animals are drawn, and a verdict has to bear it."""

from dataclasses import replace

import numpy as np
import pytest
from numeric import numbers_in

from kindle.analysis.interaction import Verdict
from kindle.analysis.interaction_report import lines_of
from kindle.analysis.isoboles import Isobole
from kindle.analysis.partner_shift import PartnerShift
from kindle.analysis.two_drug_designs import Arm, Choices, Interaction, Study, analyse

STEPS = (1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.2)
LINES = {"A": (10.0, 0.0), "B": (0.0, 20.0), "both": (5.0, 10.0)}


def rats(
    n: int, seed: int, *, index: float = 0.6, spread: float = 0.25, lines: dict[str, tuple[float, float]]
) -> Study:
    """``n`` rats for each line, each at every dose of it; rats differ much, days little."""
    rng = np.random.default_rng(seed)
    arms = []
    for line, (a, b) in lines.items():
        for rat in range(n):
            own = np.log10(3) + rng.normal(0, spread)
            for step in STEPS:
                effect = step / index if a and b else step
                arms.append(
                    Arm(a * step, b * step, 1, int(np.log10(effect) > own + rng.normal(0, 0.03)), f"{line}{rat}")
                )
    return Study(("A", "B"), "mg/kg", tuple(arms))


def analysed(study: Study, **choices: object) -> Interaction:
    found = analyse(study, replace(Choices(n_resamples=200), **choices))  # type: ignore[arg-type]
    assert isinstance(found, Interaction)
    return found


def test_synergy_that_rests_on_tests_taken_as_different_rats_is_none() -> None:
    study = rats(6, 0, lines=LINES)
    rows, animals = analysed(study, n_resamples=0), analysed(study)
    assert isinstance(rows.result, Isobole)
    assert isinstance(animals.result, Isobole)
    assert rows.result.verdict == Verdict.SYNERGY
    assert animals.result.verdict == Verdict.NONE
    assert animals.result.index == rows.result.index
    assert animals.resampled is not None
    assert animals.resampled.interval.high is not None
    assert animals.resampled.interval.high > 1
    words, *_ = lines_of(animals)
    assert words.startswith("no interaction shown at this ratio: interaction index ")
    assert "limits over whole animals" in words
    assert "(18 animals, 200 resamples, seed 0)" in words


def test_synergy_that_whole_animals_bear_as_well_stays_synergy() -> None:
    found = analysed(rats(8, 4, index=0.4, lines=LINES))
    assert isinstance(found.result, Isobole)
    assert found.result.verdict == Verdict.SYNERGY
    assert found.resampled is not None
    assert found.resampled.interval.high is not None
    assert found.resampled.interval.high < 1


def test_the_same_seed_gives_the_same_limits() -> None:
    study = rats(6, 1, lines=LINES)
    first, again, other = (analysed(study, seed=seed).resampled for seed in (3, 3, 4))
    assert first == again
    assert first is not None
    assert other is not None
    assert first.interval != other.interval


def test_rows_of_different_rats_are_not_drawn_again() -> None:
    study = rats(6, 1, lines=LINES)
    arms = tuple(replace(arm, animal=f"R{n}") for n, arm in enumerate(study.arms))
    found = analysed(replace(study, arms=arms))
    assert found.resampled is None
    assert "repeated_animals" not in {note.code for note in found.notes}


def test_without_resampling_the_note_says_that_limits_are_too_narrow() -> None:
    found = analysed(rats(6, 1, lines=LINES), n_resamples=0)
    (note,) = [note for note in found.notes if note.code == "repeated_animals"]
    assert note.message == "18 animals in 144 tests are taken as independent: limits and p are too narrow"


def with_partner(active: bool) -> Study:
    """Drug A with and without 7 mg/kg of B in the same rats; B alone does nothing, or protects as A does."""
    alone = rats(8, 2, lines={"A": (10.0, 0.0)})
    beside = tuple(Arm(arm.dose_a / 2, 7.0, 1, arm.responded, arm.animal) for arm in alone.arms)
    partner = rats(8, 5, lines={"B": (0.0, 2.0)}) if active else None
    inactive = [Arm(0.0, dose, 1, 0, f"A{rat}") for rat in range(8) for dose in (7.0, 14.0)]
    return replace(alone, arms=(*alone.arms, *beside, *(inactive if partner is None else partner.arms)))


def test_the_shift_beside_an_inactive_partner_is_drawn_over_animals() -> None:
    """The doses were halved in every rat, so that the shift is one half whichever rats are drawn."""
    found = analysed(with_partner(active=False))
    assert isinstance(found.result, PartnerShift)
    assert found.result.verdict == Verdict.POTENTIATION
    assert found.resampled is not None
    assert found.resampled.interval.low == pytest.approx(0.5)
    assert found.resampled.interval.high == pytest.approx(0.5)


def test_beside_an_active_partner_its_dose_counts() -> None:
    found = analysed(with_partner(active=True))
    assert isinstance(found.result, PartnerShift)
    assert found.result.index is not None
    assert found.resampled is not None
    assert found.resampled.interval.low is not None
    assert found.resampled.interval.low > 0.5 + 0.2


def test_lines_that_are_not_parallel_are_drawn_against_both_curves() -> None:
    flat = rats(10, 6, spread=0.5, lines={"A": LINES["A"], "both": LINES["both"]})
    steep = rats(10, 7, spread=0.2, lines={"B": LINES["B"]})
    found = analysed(replace(flat, arms=(*flat.arms, *steep.arms)))
    assert isinstance(found.result, Isobole)
    assert found.result.kind == "I-nonparallel"
    assert found.resampled is not None
    low, high = found.resampled.interval.low, found.resampled.interval.high
    assert low is not None
    assert high is not None
    assert low < min(one.value for one in found.result.index) < max(one.value for one in found.result.index) < high


def test_every_number_is_one() -> None:
    for seed in range(3):
        plain = analysed(rats(3, seed, lines=LINES), n_resamples=100).as_dict()
        assert np.isfinite(list(numbers_in(plain))).all()
