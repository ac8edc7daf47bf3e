"""The drift of the sample clock, planted in an index and found again from it."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from kindle.cli import kindle
from kindle.recording_index import RECORD, ClockDrift, NoDrift, clock_drift, read_records, record
from tests.bench import bench, config, new_study, threshold

RATE_HZ = 2000.0


def index_of(ppm: float, *, seconds: float = 600.0, block_s: float = 0.1, seed: int = 1) -> NDArray[np.void]:
    """Blocks that arrive some milliseconds late, a few of them very late, from a clock that runs ``ppm`` fast."""
    random = np.random.default_rng(seed)
    n_blocks = round(seconds / block_s)
    records = np.zeros(n_blocks, RECORD)
    records["n_samples"] = round(block_s * RATE_HZ)
    records["first_sample"] = np.arange(n_blocks) * round(block_s * RATE_HZ)
    true_s = (np.arange(n_blocks) + 1) * block_s / (1 + ppm * 1e-6)
    late_s = random.exponential(0.003, n_blocks) + (random.random(n_blocks) < 0.02) * random.uniform(0.1, 0.8, n_blocks)
    records["monotonic_ns"] = 10**15 + np.rint((true_s + 0.004 + late_s) * 1e9).astype(np.int64)
    return records


@pytest.mark.parametrize("ppm", [-120.0, -3.0, 0.0, 37.0, 500.0])
def test_a_planted_drift_is_found(ppm: float) -> None:
    found = clock_drift(index_of(ppm), RATE_HZ)
    assert isinstance(found, ClockDrift)
    assert found.ppm == pytest.approx(ppm, abs=2.0)
    assert found.low_ppm < found.ppm < found.high_ppm
    assert found.high_ppm - found.low_ppm < 8.0
    assert found.span_s == pytest.approx(600.0, abs=0.2)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = 0
    for seed in range(200):
        found = clock_drift(index_of(37.0, seconds=120.0, seed=seed), RATE_HZ)
        assert isinstance(found, ClockDrift)
        held += found.low_ppm <= 37.0 <= found.high_ppm
    assert 180 <= held <= 199


def test_steps_of_the_wall_clock_do_not_matter() -> None:
    records = index_of(37.0)
    records["utc_ns"] = np.random.default_rng(2).integers(0, 10**18, len(records))
    assert clock_drift(records, RATE_HZ) == clock_drift(index_of(37.0), RATE_HZ)


def test_blocks_of_changing_size_tell_the_same() -> None:
    """Around a train the blocks are shorter."""
    records = index_of(37.0, block_s=0.02)
    merged = np.concatenate([records[:5000], records[5000:][4::5]])
    merged["n_samples"][5000:] *= 5
    found = clock_drift(merged, RATE_HZ)
    assert isinstance(found, ClockDrift)
    assert found.ppm == pytest.approx(37.0, abs=0.5)


@pytest.mark.parametrize("n_blocks", [0, 1, 79, 500])
def test_too_short_a_stretch_says_nothing(n_blocks: int) -> None:
    found = clock_drift(index_of(37.0)[:n_blocks], RATE_HZ)
    assert isinstance(found, NoDrift)
    assert "too short" in found.reason


def test_a_recording_that_was_not_made_in_real_time_has_no_drift() -> None:
    records = index_of(0.0)
    records["monotonic_ns"] //= 50
    found = clock_drift(records, RATE_HZ)
    assert isinstance(found, NoDrift)
    assert "not in real time" in found.reason


def test_verify_tells_the_drift_of_each_recording(tmp_path: Path) -> None:
    """A session whose blocks are noted as by a computer against which the sample clock runs 37 ppm fast."""
    study = new_study(tmp_path / "study")
    with bench(config(), threshold_ua=22.0) as rig:
        threshold(study, config(), rig.instruments)
    (index,) = study.glob("recordings/*/*/index.bin")
    signal, row_bytes = index.with_name("signal.eeg").read_bytes(), 2 * len(config().daq.inputs)
    noted = b""
    for each in read_records(index):
        first, n = int(each["first_sample"]), int(each["n_samples"])
        arrived_ns = round((first + n) / RATE_HZ / (1 + 37e-6) * 1e9)
        noted += record(first, n, arrived_ns, 10**18 + arrived_ns, signal[first * row_bytes : (first + n) * row_bytes])
    index.write_bytes(noted)
    told = CliRunner().invoke(kindle, ["verify", str(study)])
    assert told.exit_code == 0, told.output
    assert "the sample clock ran +37.00 ppm against this computer's (+3" in told.output
