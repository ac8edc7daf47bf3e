"""The scenarios of a kindling laboratory: what follows the train, and what a person would say about it.

Times are seconds from the train's end; tolerances 0.25 s for an onset and 1 s for an end unless stated.
"""

import numpy as np
import pytest
from detecting import end_s, judge, onset_s
from generators import Recording, Uv, draw, falling, movement, pink, regular, with_theta

from detectors.criterion import EndGrade, Judgement, Kind, Verdict

SEEDS = [0, 1, 2]
RATES_HZ = [500.0, 512.0, 1000.0, 2000.0]

seeds = pytest.mark.parametrize("seed", SEEDS)
rates = pytest.mark.parametrize("rate_hz", RATES_HZ)


def assert_discharge(recording: Recording, judgement: Judgement, onset: float, end: float, n_events: int = 1) -> None:
    assert judgement.verdict is Verdict.AFTERDISCHARGE, judgement.reason
    first = judgement.afterdischarges[0]
    assert first.kind is Kind.PRIMARY
    assert onset_s(recording, first) == pytest.approx(onset, abs=0.25)
    assert end_s(recording, first) == pytest.approx(end, abs=1.0)
    assert len(judgement.afterdischarges) == n_events


@seeds
@rates
def test_a_short_clean_discharge_is_found(seed: int, rate_hz: float) -> None:
    recording = draw(seed, rate_hz, after_s=60)
    recording.units(regular(3, 0.8, 4.8), 4)
    judgement = judge(recording)
    assert_discharge(recording, judgement, 0.8, 4.8)
    assert judgement.afterdischarges[0].end_grade is EndGrade.CLEAR


@seeds
@rates
def test_a_run_just_too_short_is_none_and_mentioned(seed: int, rate_hz: float) -> None:
    recording = draw(seed, rate_hz, after_s=60)
    recording.units(regular(5, 0.6, 3.4), 4)
    judgement = judge(recording)
    assert judgement.verdict is Verdict.NONE
    assert "s of spiking" in judgement.reason


@seeds
@rates
def test_a_run_just_long_enough_is_an_afterdischarge(seed: int, rate_hz: float) -> None:
    recording = draw(seed, rate_hz, after_s=60)
    recording.units(regular(5, 0.6, 3.8), 4)
    assert_discharge(recording, judge(recording), 0.6, 3.8)


@seeds
@rates
def test_background_alone_is_none(seed: int, rate_hz: float) -> None:
    assert judge(draw(seed, rate_hz, after_s=60)).verdict is Verdict.NONE


@seeds
def test_a_slow_decay_is_none(seed: int) -> None:
    recording = draw(seed, after_s=60)
    recording.exponential(4000, 1.2)
    assert judge(recording).verdict is Verdict.NONE


@seeds
def test_saturation_longer_than_the_shortest_discharge_is_undetermined(seed: int) -> None:
    recording = draw(seed, after_s=60)
    recording.exponential(4900, 0.3, from_s=3.5)
    recording.saturate(0, 3.5)
    judgement = judge(recording)
    assert judgement.verdict is Verdict.UNDETERMINED
    assert judgement.blind[0][1] - judgement.blind[0][0] >= 3500


@seeds
def test_a_discharge_that_begins_in_blind_time_has_a_censored_onset(seed: int) -> None:
    recording = draw(seed, after_s=60)
    recording.units(regular(4, 0.5, 20.5), 5)
    recording.saturate(0, 2.0)
    judgement = judge(recording)
    assert_discharge(recording, judgement, 2.375, 20.5)
    assert judgement.afterdischarges[0].earliest_onset_sample == recording.stimulus.end_sample


@seeds
@pytest.mark.parametrize(("silence_s", "rates_hz", "end"), [(3, (2, 5), 33), (12, (4, 4), 52)])
def test_suppression_before_the_discharge_does_not_hide_it(
    seed: int, silence_s: float, rates_hz: tuple[float, float], end: float
) -> None:
    recording = draw(seed, after_s=130)
    recording.scale(0, silence_s, 0.3)
    recording.units(falling(recording.rng, silence_s, end, *rates_hz), 5)
    judgement = judge(recording)
    assert_discharge(recording, judgement, silence_s, end)
    assert judgement.afterdischarges[0].earliest_onset_sample is None


@seeds
def test_a_chirp_is_one_discharge(seed: int) -> None:
    recording = draw(seed)
    times = [0.7]
    while times[-1] < 75.0:
        times.append(times[-1] + 1 / np.interp(times[-1], [0.7, 25.7, 50.7, 75.7], [2, 6, 6, 1.5]))
    spikes = np.array([*times[:-1], 75.7])
    recording.units(spikes, np.interp(spikes, [0.7, 38, 75.7], [3, 8, 5]))
    assert_discharge(recording, judge(recording), 0.7, 75.7)


@seeds
@rates
def test_a_pause_of_4_s_does_not_split_a_discharge(seed: int, rate_hz: float) -> None:
    recording = draw(seed, rate_hz, after_s=110)
    recording.units(regular(4, 0.7, 18.7), 5)
    recording.units(regular(4, 22.7, 40.7), 5)
    assert_discharge(recording, judge(recording), 0.7, 40.7)


@seeds
def test_the_tolerated_pause_grows_with_the_pauses_before_it(seed: int) -> None:
    recording = draw(seed, after_s=130)
    recording.units(regular(4, 0.7, 20.7), 5)
    for burst in (22.5, 25.1, 28.1, 32.1):
        recording.units(burst + np.arange(4) / 5, 5)
    recording.units(regular(4, 41.7, 51.7), 5)
    assert_discharge(recording, judge(recording), 0.7, 51.7)


@seeds
def test_a_small_discharge_after_a_silence_is_secondary(seed: int) -> None:
    recording = draw(seed)
    recording.units(regular(4, 0.7, 30.7), 6)
    recording.scale(31.0, 45.5, 0.3)
    recording.units(regular(2, 45.7, 57.7), 3)
    judgement = judge(recording)
    assert_discharge(recording, judgement, 0.7, 30.7, n_events=2)
    second = judgement.afterdischarges[1]
    assert second.kind is Kind.SECONDARY
    assert onset_s(recording, second) == pytest.approx(45.7, abs=0.25)
    assert end_s(recording, second) == pytest.approx(57.7, abs=1.0)


@seeds
def test_interictal_spikes_do_not_extend_a_discharge(seed: int) -> None:
    recording = draw(seed)
    recording.units(regular(4, 0.7, 25.7), 6)
    intervals = 2 + recording.rng.exponential(1.33, 40)
    single = 25.7 + np.cumsum(intervals)
    recording.units(single[single < 120], 4)
    assert_discharge(recording, judge(recording), 0.7, 25.7)


@seeds
def test_a_fading_discharge_ends_gradually(seed: int) -> None:
    recording = draw(seed, after_s=110)
    times = regular(4, 0.7, 35.0)
    recording.units(times, np.where(times < 20.7, 6, 6 * np.exp(-(times - 20.7) / 8)))
    judgement = judge(recording)
    (event,) = judgement.afterdischarges
    assert event.end_grade is EndGrade.GRADUAL
    assert 28.5 <= end_s(recording, event) <= 36.0


@seeds
@rates
def test_an_abrupt_end_into_flattening_is_clear(seed: int, rate_hz: float) -> None:
    recording = draw(seed, rate_hz, after_s=110)
    after = recording.span(40.9, 110)
    recording.scale(40.9, 110, np.interp(np.arange(after.stop - after.start) / rate_hz, [0, 20, 40], [0.15, 0.15, 1]))
    recording.units(regular(5, 0.7, 40.7), 8)
    judgement = judge(recording)
    assert_discharge(recording, judgement, 0.7, 40.7)
    assert judgement.afterdischarges[0].end_grade is EndGrade.CLEAR
    assert judgement.afterdischarges[0].confidence > 0.8


@seeds
def test_a_cable_off_truncates_the_discharge(seed: int) -> None:
    recording = draw(seed, after_s=110)
    recording.units(regular(5, 0.7, 40), 6)
    gone = recording.span(40, 110)
    n = gone.stop - gone.start
    hum = 20 * np.sin(2 * np.pi * 50 * np.arange(n) / recording.rate_hz)
    recording.uv[gone] = 3000 + 5 * recording.rng.standard_normal(n) + hum
    judgement = judge(recording)
    assert_discharge(recording, judgement, 0.7, 40.0)
    (event,) = judgement.afterdischarges
    assert event.end_grade is EndGrade.TRUNCATED
    assert end_s(recording, event) - onset_s(recording, event) >= 39.2


@seeds
@rates
def test_chewing_and_shakes_are_none(seed: int, rate_hz: float) -> None:
    recording = draw(seed, rate_hz, after_s=60)
    for burst in np.arange(5, 12, 0.2):
        recording.add(burst, 300 * movement(recording.rng, round(0.15 * rate_hz), rate_hz, 20, 200))
    t = np.arange(round(rate_hz)) / rate_hz
    for shake in (15, 19, 24):
        recording.add(shake, 1500 * np.sin(2 * np.pi * 9 * t) * np.hanning(t.size) ** 0.3)
    assert judge(recording).verdict is Verdict.NONE


@seeds
def test_a_rhythm_of_the_baseline_is_none_after_the_train_too(seed: int) -> None:
    recording = draw(seed, after_s=120)
    for start in np.arange(-58, 110, 10.0):
        if not -12 < start < -1:
            recording.add(start + recording.rng.uniform(2, 4), spindle(recording, recording.rng.uniform(3, 6)))
    assert judge(recording).verdict is Verdict.NONE


def spindle(recording: Recording, length_s: float) -> Uv:
    """8 Hz spike and wave, 450 uV from peak to peak."""
    t = np.arange(round(length_s * recording.rate_hz)) / recording.rate_hz
    phase = t * 8 % 1
    wave = np.exp(-0.5 * ((phase - 0.3) / 0.08) ** 2) - 0.35 * np.exp(-0.5 * ((phase - 0.65) / 0.15) ** 2)
    wave -= wave.mean()
    return wave * 450 / np.ptp(wave) * np.minimum(1, np.minimum(t, length_s - t) * 4)


def large_background(rng: np.random.Generator, n: int, rate_hz: float) -> Uv:
    return with_theta(rng, n, rate_hz) + 3 * pink(rng, n, rate_hz) + 100 * movement(rng, n, rate_hz, 1, 3)


@seeds
def test_a_large_background_alone_is_none(seed: int) -> None:
    assert judge(draw(seed, after_s=60, background=large_background)).verdict is Verdict.NONE


@seeds
def test_a_discharge_is_measured_against_its_own_background(seed: int) -> None:
    recording = draw(seed, after_s=90, background=large_background)
    recording.units(regular(4, 0.7, 20.7), 2.5)
    assert_discharge(recording, judge(recording), 0.7, 20.7)


@seeds
def test_lost_samples_inside_a_discharge_neither_end_nor_split_it(seed: int) -> None:
    recording = draw(seed, after_s=110)
    recording.units(regular(4, 0.7, 35.7), 6)
    judgement = judge(recording, lost_s=[(10, 12)])
    assert_discharge(recording, judgement, 0.7, 35.7)
    assert any(first <= recording.at(10.1) and last >= recording.at(11.9) for first, last in judgement.blind)


@seeds
def test_lost_samples_that_could_hide_a_discharge_are_undetermined(seed: int) -> None:
    judgement = judge(draw(seed, after_s=60), lost_s=[(0.5, 4.5)])
    assert judgement.verdict is Verdict.UNDETERMINED
    assert "could be hidden" in judgement.reason


@seeds
def test_a_run_cut_by_blindness_so_that_it_may_have_been_long_enough_is_undetermined(seed: int) -> None:
    recording = draw(seed, after_s=60)
    recording.units(regular(5, 5.0, 8.0), 5)
    recording.saturate(6.7, 9.2)
    assert judge(recording).verdict is Verdict.UNDETERMINED


@seeds
def test_movement_inside_a_discharge_does_not_split_it(seed: int) -> None:
    recording = draw(seed, after_s=140)
    recording.units(regular(5, 0.7, 65.7), 6)
    swings = movement(recording.rng, 20_000, 1000.0, 0.5, 4)
    recording.add(25, swings * 5000 / np.quantile(np.abs(swings), 0.9))
    assert_discharge(recording, judge(recording), 0.7, 65.7)
