"""Trains found by their artefact: presets' pulses at many rates, what saturates, what leaks, and what is no train."""

import math
from pathlib import Path

import numpy as np
import pytest
from generators import Uv, autoregressive, with_theta
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.artefact import ArtefactTrains
from detectors.criterion import Stimulus
from drivers.simulated.scenarios import scenario

SHARED = Path(__file__).parents[3] / "shared"
RAIL_UV, ONSET_S = 5000.0, 20.0
RATES_HZ = (1000.0, 1017.25, 2000.0, 5000.0, 10_000.0)


def background(rate_hz: float, seconds: float, seed: int = 0) -> Uv:
    kind = (with_theta, autoregressive)[seed % 2]
    return kind(np.random.default_rng(seed), round(seconds * rate_hz), rate_hz)


def with_train(
    rate_hz: float,
    pulse_hz: float = 50.0,
    train_s: float = 1.0,
    shape: str = "biphasic",
    *,
    saturates: str = "no",
    seed: int = 0,
    size_uv: float = 8000.0,
) -> tuple[Uv, float]:
    """The signal, clipped at its rails, and the end of the train in s."""
    n_pulses = round(pulse_hz * train_s)
    uv = background(rate_hz, ONSET_S + train_s + 12, seed)
    since_onset = np.arange(uv.size) / rate_hz - ONSET_S
    number = np.floor(np.round(since_onset * pulse_hz, 9))
    since = np.round(since_onset - number / pulse_hz, 9)
    on = (number >= 0) & (number < n_pulses)
    phase_s = max(0.001, 1 / rate_hz)
    uv[on & (since < phase_s)] = size_uv
    over = phase_s
    if shape == "biphasic":
        uv[on & (since >= phase_s) & (since < 2 * phase_s)] = -size_uv
        over = 2 * phase_s
    falling = on & (since >= over)
    uv[falling] -= 0.3 * size_uv * np.exp(-(since[falling] - over) / 0.003)
    end_s = ONSET_S + n_pulses / pulse_hz
    begins_s = {"no": None, "with the last pulse": end_s - 1 / pulse_hz + over, "at the gate's end": end_s}[saturates]
    if begins_s is not None:
        first = math.ceil(round(begins_s * rate_hz, 6))
        uv[first : first + round(0.06 * rate_hz)] = RAIL_UV
    return np.clip(uv, -RAIL_UV, RAIL_UV), end_s


def found(uv: Uv, rate_hz: float, *cuts: int) -> list[Stimulus]:
    finder = ArtefactTrains(rate_hz)
    for piece in np.split(uv, sorted(cuts)):
        finder.push(piece)
    return finder.trains()


def assert_exact(uv: Uv, rate_hz: float, end_s: float) -> None:
    (train,) = found(uv, rate_hz)
    assert train.onset_sample / rate_hz == pytest.approx(ONSET_S, abs=0.002)
    assert train.end_sample / rate_hz == pytest.approx(end_s, abs=0.002)


@pytest.mark.parametrize("saturates", ["no", "with the last pulse", "at the gate's end"])
@pytest.mark.parametrize("shape", ["monophasic", "biphasic"])
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_second_of_pulses_is_found_to_2_ms_however_the_amplifier_comes_back(
    rate_hz: float, shape: str, saturates: str
) -> None:
    for pulse_hz in (50.0, 60.0):
        uv, end_s = with_train(rate_hz, pulse_hz, shape=shape, saturates=saturates, seed=int(rate_hz) % 7)
        assert_exact(uv, rate_hz, end_s)


@pytest.mark.parametrize(
    ("pulse_hz", "train_s"), [(50, 0.1), (60, 0.1), (50, 0.5), (60, 2), (62.5, 0.8), (62.5, 2), (20, 1), (1, 12)]
)
def test_the_trains_of_the_presets_are_found(pulse_hz: float, train_s: float) -> None:
    for rate_hz in (1000.0, 2000.0, 10_000.0):
        uv, end_s = with_train(rate_hz, pulse_hz, train_s, "monophasic")
        assert_exact(uv, rate_hz, end_s)


@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 512.0])
@pytest.mark.parametrize("number", ["1", "6", "16", "23b"])
def test_at_low_rates_a_train_is_found_to_the_sample(number: str, rate_hz: float) -> None:
    recording = scenario(number, 11, family="spike_wave", rate_hz=rate_hz)
    (train,) = found(recording.counts * recording.resolution_uv, rate_hz)
    assert (train.onset_sample, train.end_sample) == recording.stimulus


def test_a_small_artefact_without_clipping_is_found() -> None:
    uv, end_s = with_train(2000.0, size_uv=900.0)
    assert_exact(uv, 2000.0, end_s)


def test_several_trains_are_found_each() -> None:
    uv, _ = with_train(1000.0)
    assert [train.onset_sample for train in found(np.tile(uv, 4), 1000.0)] == [20_000 + k * uv.size for k in range(4)]


def test_pulses_that_leak_on_after_the_train_are_not_a_second_one() -> None:
    recording = scenario("23b", 3, family="smooth")
    (train,) = found(recording.counts * recording.resolution_uv, recording.rate_hz)
    assert (train.onset_sample, train.end_sample) == recording.stimulus


@pytest.mark.parametrize("number", ["10", "17b", "18", "19", "20", "24"])
def test_spikes_muscle_movement_and_cables_are_no_train(number: str) -> None:
    for seed in range(3):
        recording = scenario(number, seed, family=("polyspike", "spike_wave", "sawtooth")[seed], ratio=None)
        uv = recording.counts * recording.resolution_uv
        uv[recording.stimulus[0] : recording.stimulus[1] + 200] = 0.0
        assert found(uv, recording.rate_hz) == []


def test_a_burst_of_mains_is_refused_with_the_reason() -> None:
    uv = background(1000.0, 60.0)
    uv[20_000:21_500] += 2500 * np.sin(2 * np.pi * 50 * np.arange(1500) / 1000)
    finder = ArtefactTrains(1000.0)
    finder.push(uv)
    assert finder.trains() == []
    assert "mains" in finder.refused()[0].reason


def test_few_pulses_before_a_long_saturation_are_refused_with_the_reason() -> None:
    uv, end_s = with_train(1000.0, train_s=0.1, saturates="with the last pulse")
    first = round((end_s - 0.018) * 1000)
    uv[first : first + 1500] = RAIL_UV
    finder = ArtefactTrains(1000.0)
    finder.push(uv)
    assert finder.trains() == []
    assert "saturation" in finder.refused()[0].reason


@pytest.mark.parametrize("rate_hz", [250.0, 1017.25, 2000.0])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_trains_do_not_depend_on_how_the_signal_is_cut(rate_hz: float, data: st.DataObject) -> None:
    uv, _ = with_train(rate_hz, saturates="with the last pulse", seed=data.draw(st.integers(0, 3)))
    uv = np.concatenate([uv, uv])
    uv[data.draw(st.integers(0, uv.size - 200)) :][:200] = np.nan
    cuts = data.draw(st.lists(st.integers(0, uv.size), max_size=20))
    assert found(uv, rate_hz, *cuts) == found(uv, rate_hz)


def test_lost_samples_are_no_jump() -> None:
    uv = background(1000.0, 60.0)
    for first in range(20_000, 21_000, 20):
        uv[first : first + 5] = np.nan
    assert found(uv + 3000, 1000.0) == []


def test_samples_after_the_answer_are_refused() -> None:
    finder = ArtefactTrains(1000.0)
    finder.push(np.zeros(10))
    assert finder.trains() == []
    with pytest.raises(ValueError, match="make a new one"):
        finder.push(np.zeros(10))


@pytest.mark.parametrize("seconds", [0.0, 0.05, 3.0])
def test_short_signals_have_no_train(seconds: float) -> None:
    assert found(background(1000.0, 5.0)[: round(1000 * seconds)], 1000.0) == []


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_nothing_is_found_in_real_recordings_without_a_train() -> None:
    from kindle.loading import load

    for path in sorted((SHARED / "recordings").glob("*.edf")):
        signals = load(path)
        for row in signals.read(signals.brain, 0, signals.n_samples):
            assert found(row, signals.rate_hz) == [], path.name
