"""Onsets in the recovery of the amplifier, and what refinement leaves alone."""

import numpy as np
import pytest

from detectors.criterion import Afterdischarge, EndGrade, Judgement, Kind, Stimulus, Verdict
from detectors.recovery import recovery_uv
from detectors.refine import refine

RATE_HZ = 1000.0
BASELINE_UV = 100.0
N = 20_000
TIMES_S = np.linspace(0.5, 12.5, 49)


def with_spikes(times_s: np.ndarray, size_uv: float = 400.0) -> np.ndarray:
    """Sharp waves at ``times_s`` on noise, and an amplifier that comes back from 4 mV with 0.25 s; 20 s."""
    t = np.arange(N) / RATE_HZ
    noise = np.random.default_rng(3).standard_normal(N) * BASELINE_UV / 5
    waves = size_uv * np.exp(-0.5 * ((t[:, None] - times_s) / 0.015) ** 2).sum(axis=1)
    return noise + waves + 4000 * np.exp(-t / 0.25) - 20 * t


def judged(onset_s: float, end_s: float = 12.5, n_spikes: int = 49) -> Judgement:
    """A train that ended at 0, and a discharge as the live path may have seen it."""
    event = Afterdischarge(
        round(onset_s * RATE_HZ), round(end_s * RATE_HZ), Kind.PRIMARY, n_spikes, 400.0, 4.0, 4.0, EndGrade.CLEAR, 0.9
    )
    return Judgement(Stimulus(0, 0), Verdict.AFTERDISCHARGE, "", (event,), BASELINE_UV, ((0, 100),), True)


def refined(judgement: Judgement, uv: np.ndarray) -> tuple[float, float, int]:
    """Onset and end in s, and the number of spikes."""
    (event,) = refine(judgement, uv, 0, RATE_HZ).afterdischarges
    return event.onset_sample / RATE_HZ, event.end_sample / RATE_HZ, event.n_spikes


@pytest.mark.parametrize("tau_s", [0.05, 0.25, 0.8])
def test_the_recovery_is_told_from_large_spikes_that_ride_on_it(tau_s: float) -> None:
    t = np.arange(N) / RATE_HZ
    spikes = with_spikes(TIMES_S[TIMES_S <= 1.0], 2000.0) - 4000 * np.exp(-t / 0.25)
    exponential = 3000 * np.exp(-t / tau_s)
    found = recovery_uv(spikes + exponential, RATE_HZ, BASELINE_UV)
    assert np.abs(found - exponential)[t > 0.1].max() < 1.5 * BASELINE_UV


def test_spikes_hidden_in_the_recovery_are_found() -> None:
    onset_s, end_s, n_spikes = refined(judged(1.5, n_spikes=45), with_spikes(TIMES_S))
    assert onset_s == pytest.approx(0.5, abs=0.01)
    assert end_s == pytest.approx(12.5, abs=0.01)
    assert n_spikes == 49


def test_a_bend_of_the_recovery_is_no_first_spike() -> None:
    onset_s, _, n_spikes = refined(judged(0.3, n_spikes=50), with_spikes(TIMES_S))
    assert (onset_s, n_spikes) == (pytest.approx(0.5, abs=0.01), 49)


@pytest.mark.parametrize(
    ("lead_uv", "size_uv", "onset_s"),
    [(300.0, 400.0, 0.75), (140.0, 400.0, 1.0), (100.0, 220.0, 1.0), (160.0, 220.0, 0.75)],
)
def test_a_small_spike_is_the_first_if_it_is_more_than_background_and_like_the_others(
    lead_uv: float, size_uv: float, onset_s: float
) -> None:
    t = np.arange(N) / RATE_HZ
    lead = lead_uv * np.exp(-0.5 * ((t - 0.75) / 0.015) ** 2)
    assert refined(judged(1.0), with_spikes(TIMES_S[2:], size_uv) + lead)[0] == pytest.approx(onset_s, abs=0.02)


def test_a_spike_long_before_the_rhythm_is_not_its_first() -> None:
    uv = with_spikes(np.concatenate([[0.4], TIMES_S[4:]]))
    assert refined(judged(1.5), uv)[0] == pytest.approx(1.5, abs=0.01)


def test_an_onset_long_after_the_train_is_moved_to_its_peak_and_no_further() -> None:
    assert refined(judged(2.03), with_spikes(TIMES_S))[0] == pytest.approx(2.0, abs=0.01)
    assert refined(judged(2.12), with_spikes(TIMES_S))[0] >= 2.05


def test_no_discharge_is_made_shorter_than_the_criterion_asks() -> None:
    uv = with_spikes(TIMES_S[(TIMES_S >= 0.9) & (TIMES_S <= 3.6)])
    onset_s, end_s, _ = refined(judged(0.3, 3.5), uv)
    assert end_s == pytest.approx(3.5, abs=0.01)
    assert onset_s <= 0.36
