"""EDF+ as MNE, pyEDFlib and edfio read it: the counts, the times and the words that were recorded."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import edfio
import mne
import numpy as np
import pyedflib
import pytest
from exported_studies import fixture_study, gapped_study, opened
from hypothesis import given
from hypothesis import strategies as st

from drivers.interface import Channel
from kindle.edf_header import parse_annotations
from kindle.errors import ConfigError
from kindle.export.edf import write_edf
from kindle.export.edf_bytes import labels, packed, records_for, scale_of
from kindle.loading import load
from kindle.recording import Recording, open_recording

RATES = (40.0, 200.0, 256.0, 512.0, 1000.0, 1000 / 3, 2000.0, 10_000.0, 30_000.0, 24_414.0625, 3_125_000 / 3072)
SI = {"µV": 1e-6, "uV": 1e-6, "mV": 1e-3, "V": 1.0, "µA": 1e-6, "uA": 1e-6, "mA": 1e-3}


def exported(folder: Path, study: Path) -> tuple[list[Path], Recording]:
    folder.mkdir()
    with opened(study) as (_, chosen, meter):
        written = write_edf(chosen, folder, meter)
        recording = chosen.contents[0].recordings[0].recording
    return written, recording


@pytest.mark.parametrize("name", ["threshold", "no_afterdischarge"])
def test_other_readers_see_every_sample_to_half_a_step_and_the_very_counts(tmp_path: Path, name: str) -> None:
    (path,), recording = exported(tmp_path / "edf", fixture_study(tmp_path / "study", name))
    n_samples = recording.n_samples
    by_mne = mne.io.read_raw_edf(path, verbose="error").get_data()[:, :n_samples]
    by_edfio = [signal.digital[:n_samples] for signal in edfio.read_edf(path).signals]
    with pyedflib.EdfReader(str(path)) as reader:
        for row, channel in enumerate(recording.channels):
            step, unit = channel.resolution * SI[channel.unit], reader.getPhysicalDimension(row)
            truth = recording.counts[row] * step
            np.testing.assert_allclose(reader.readSignal(row)[:n_samples] * SI[unit], truth, rtol=0, atol=step / 2)
            # MNE knows units of voltage and leaves all others as they are.
            known = 1.0 if unit.endswith("V") else SI[unit]
            np.testing.assert_allclose(by_mne[row] * known, truth, rtol=0, atol=step / 2)
            np.testing.assert_array_equal(reader.readSignal(row, digital=True)[:n_samples], recording.counts[row])
            np.testing.assert_array_equal(by_edfio[row], recording.counts[row])


def test_annotations_are_the_markers_and_what_the_journal_knows(tmp_path: Path) -> None:
    written, _ = exported(tmp_path / "edf", gapped_study(tmp_path / "study"))
    # MNE would leave out what lies behind the end.
    heard = [[note.text for note in edfio.read_edf(path).annotations] for path in written]
    assert heard[1][1:] == list(mne.io.read_raw_edf(written[1], verbose="error").annotations.description)[1:]
    assert "Stimulus/train/300 uA" not in heard[0]
    assert heard[1].count("Comment/afterdischarge/primary") == heard[1].count("Comment/afterdischarge/secondary") == 1
    assert "Score/3 (racine_1972@1)" in heard[1]
    assert "Dose/valproate 200 mg/kg ip" in heard[1]


def test_a_gap_ends_a_file_and_the_next_begins_at_its_own_time(tmp_path: Path) -> None:
    written, recording = exported(tmp_path / "edf", gapped_study(tmp_path / "study"))
    assert [path.name for path in written] == ["R01_1_threshold.edf", "R01_1_threshold-2.edf"]
    for path, segment in zip(written, recording.segments, strict=True):
        signals = load(path)
        assert (signals.start_utc, signals.n_samples) == (segment.start_utc, segment.n_samples)
        with pyedflib.EdfReader(str(path)) as reader:
            assert reader.getStartdatetime().replace(tzinfo=UTC, microsecond=0) == segment.start_utc


def test_the_identification_follows_edf_plus_and_is_plain_ascii(tmp_path: Path) -> None:
    (path, _), _ = exported(tmp_path / "edf", gapped_study(tmp_path / "study"))
    patient = edfio.read_edf(path).patient
    assert (patient.code, patient.sex, patient.name) == ("R01", "F", "rat_Gottingen_-_Wistar")
    assert edfio.read_edf(path).recording.startdate.isoformat() == "2026-03-04"
    assert path.read_bytes()[: 256 * 5].isascii()


def test_labels_are_short_and_distinct_and_the_whole_name_is_told(tmp_path: Path) -> None:
    names = ["Hippocampus, left ventral", "Hippocampus, left dorsal", "Höhe µ", "Höhe u"]
    assert labels([Channel(name, "eeg", "µV", 0.1) for name in names]) == [
        "Hippocampus, lef",
        "Hippocampus,-2",
        "Hohe u",
        "Hohe u-2",
    ]


@given(
    resolution=st.floats(1e-4, 20) | st.sampled_from([0.1, 0.195, 0.30517578125, 0.0003204345703125, 1.0]),
    unit=st.sampled_from(["µV", "uV", "mV", "V", "µA", "mA", "n/a", "°C"]),
    negative=st.booleans(),
)
def test_the_limits_in_the_header_give_every_count_back_to_half_a_step(
    resolution: float, unit: str, negative: bool
) -> None:
    channel = Channel("x", "aux", unit, -resolution if negative else resolution)
    scale = scale_of(channel)
    assert len(scale.lowest) <= 8
    assert len(scale.highest) <= 8
    lowest, highest = Fraction(scale.lowest), Fraction(scale.highest)
    gain = (highest - lowest) / 65535
    factor = gain / Fraction(channel.resolution)
    prefix = min((Fraction(10) ** power for power in range(-9, 10, 3)), key=lambda p: abs(factor / p - 1))
    for count in (-32768, -1, 0, 1, 32767):
        read = lowest + (count + 32768) * gain
        assert abs(read - count * Fraction(channel.resolution) * prefix) <= abs(gain) / 2


@given(st.sampled_from(RATES), st.integers(1, 64))
def test_a_record_holds_a_whole_number_of_samples_of_the_exact_rate(rate_hz: float, n_channels: int) -> None:
    records = records_for(rate_hz, n_channels)
    assert len(records.text) <= 8
    assert float(records.n_samples / records.record_s) == pytest.approx(rate_hz, rel=1e-12)
    assert 2 * records.n_samples * n_channels <= 61_440


def test_a_rate_without_a_decimal_record_is_refused_with_a_way_out() -> None:
    with pytest.raises(ConfigError, match="decimal number of seconds: export as NWB or BIDS instead"):
        records_for(314.1592653589793, 1)


@given(
    notes=st.lists(
        st.tuples(
            st.floats(0, 1e5).map(lambda s: round(s, 6)),
            st.none() | st.floats(0, 1e4).map(lambda s: round(s, 6)),
            st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40),
        ),
        max_size=30,
    ),
    n_records=st.integers(1, 12),
)
def test_every_annotation_comes_back_whatever_the_number_of_records(
    notes: list[tuple[float, float | None, str]], n_records: int
) -> None:
    records = packed(notes, records_for(1000.0, 1), n_records)
    assert len({len(record) for record in records}) == 1
    assert len(records) == n_records
    assert len(records[0]) % 2 == 0
    read = [parse_annotations(record) for record in records]
    assert [begins for begins, _ in read] == list(range(n_records))
    heard = [note for _, found in read for note in found]
    assert [(n.onset_s, n.duration_s, n.text) for n in heard] == [(at, long or 0.0, text) for at, long, text in notes]


def test_a_scale_beyond_the_header_is_refused_with_a_way_out() -> None:
    with pytest.raises(ConfigError, match="export as NWB or BIDS instead"):
        scale_of(Channel("x", "aux", "n/a", 1e6))


def test_the_start_is_kept_to_the_microsecond_though_the_header_has_whole_seconds(tmp_path: Path) -> None:
    study = gapped_study(tmp_path / "study")
    header = next(study.rglob("signal.vhdr"))
    content = header.read_bytes()
    header.write_bytes(content.replace(b"T09:30:00.000000", b"T09:30:00.123456"))
    (path, _), _ = exported(tmp_path / "edf", study)
    assert load(path).start_utc == datetime(2026, 3, 4, 9, 30, 0, 123_456, UTC)


def test_a_recording_that_is_longer_than_the_writer_takes_at_once_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = fixture_study(tmp_path / "study", "threshold")
    (whole,), _ = exported(tmp_path / "whole", study)
    monkeypatch.setattr("kindle.export.edf._BYTES_AT_ONCE", 20_000)
    (pieces,), _ = exported(tmp_path / "pieces", study)
    assert pieces.read_bytes() == whole.read_bytes()
    assert open_recording(next((study / "recordings").glob("*/*_threshold"))).n_samples == load(pieces).n_samples
