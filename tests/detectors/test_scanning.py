"""Scanning without a train: drawn seizures, and real recordings where they are at hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from generators import UV_PER_COUNT, draw, regular

from detectors.afterdischarge import AfterdischargeDetector
from detectors.criterion import Criterion, Seizure
from detectors.scanning import BaselineScan, quiet_level

SHARED = Path(__file__).parents[3] / "shared" / "recordings"
needs_recordings = pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")


def scanned(uv: np.ndarray, rate_hz: float) -> list[list[Seizure]]:
    """Both passes over ``(n_channels, n)`` in uV."""
    ones = [1.0] * len(uv)
    first = BaselineScan(len(uv), rate_hz, ones)
    first.push(uv)
    second = AfterdischargeDetector(len(uv), rate_hz, ones, Criterion(), baseline_uv=first.baseline_uv())
    second.push(uv)
    second.finish()
    return second.seizures()


def test_a_level_is_the_median_unless_there_are_two() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(100, 20, 200)
    assert quiet_level(one) == pytest.approx(np.median(one))
    assert quiet_level(np.concatenate([one, rng.normal(600, 80, 300)])) == pytest.approx(100, rel=0.1)


def test_too_few_seconds_have_no_level() -> None:
    assert np.isnan(quiet_level(np.array([1.0, 2, 3])))
    assert np.isnan(quiet_level(np.zeros(50)))


def test_a_seizure_at_the_very_beginning_is_found_in_two_passes() -> None:
    recording = draw(0, after_s=60)
    recording.units(regular(4, -59, -20), 5)
    uv = recording.uv[None]
    ((seizure,),) = scanned(uv, 1000.0)
    assert recording.seconds_after(seizure.onset_sample) == pytest.approx(-59, abs=0.3)
    assert recording.seconds_after(seizure.end_sample) == pytest.approx(-20, abs=0.3)


def test_a_seizure_after_a_quiet_stretch_is_found_in_one_pass() -> None:
    recording = draw(1, after_s=60)
    recording.units(regular(4, -20, 20), 5)
    live = AfterdischargeDetector(1, 1000.0, [UV_PER_COUNT], Criterion())
    live.push(np.rint(recording.uv / UV_PER_COUNT).astype(np.int16)[None])
    live.finish()
    ((seizure,),) = live.seizures()
    assert recording.seconds_after(seizure.end_sample) == pytest.approx(20, abs=0.3)


def test_a_discharge_shorter_than_a_seizure_is_none() -> None:
    recording = draw(2, after_s=60)
    recording.units(regular(4, 5, 13), 5)
    assert scanned(recording.uv[None], 1000.0) == [[]]


def real(name: str) -> tuple[np.ndarray, float]:
    import mne

    raw = mne.io.read_raw_edf(SHARED / name, verbose="ERROR")
    return raw.get_data() * 1e6, float(raw.info["sfreq"])


def truth(name: str) -> dict[str, float]:
    index = json.loads((SHARED / "index.json").read_text())
    (recording,) = (r for r in index["recordings"] if r["file"] == name)
    return recording["seizures"][0]


@needs_recordings
def test_the_seizure_of_a_rat_is_found_with_both_its_boundaries() -> None:
    name = "rat_cortex_seizure.edf"
    uv, rate_hz = real(name)
    ((seizure,),) = scanned(uv, rate_hz)
    marked = truth(name)
    assert seizure.onset_sample / rate_hz == pytest.approx(marked["onset"], abs=0.5)
    ends = [abs(seizure.end_sample / rate_hz - marked[end]) for end in ("offset", "alt_offset")]
    assert min(ends) <= 1.0


@needs_recordings
def test_the_end_of_an_electrically_induced_seizure_is_found() -> None:
    name = "human_ect_seizure.edf"
    uv, rate_hz = real(name)
    ((seizure,),) = scanned(uv, rate_hz)
    marked = truth(name)
    ends = [abs(seizure.end_sample / rate_hz - marked[end]) for end in ("offset", "alt_offset")]
    assert min(ends) <= marked["offset_unc"]


@needs_recordings
@pytest.mark.parametrize("name", ["rat_hippocampus_theta.edf", "mouse_cortex_movement.edf", "rat_cortex_control.edf"])
def test_no_seizure_is_found_where_there_is_none(name: str) -> None:
    uv, rate_hz = real(name)
    assert scanned(uv, rate_hz) == [[] for _ in uv]
