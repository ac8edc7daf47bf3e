"""EDF and BDF files as other programs write them, odd ones included: read as they are, or refused in one sentence."""

from datetime import datetime
from pathlib import Path

import edfio
import numpy as np
import pyedflib
import pytest
from numpy.typing import NDArray

from kindle.errors import RecordingError
from kindle.loading import Note, load

RATE_HZ = 200


def wave(n_samples: int, rate_hz: float = RATE_HZ, seed: int = 0) -> NDArray[np.float64]:
    t = np.arange(n_samples) / rate_hz
    return np.asarray(300 * np.sin(2 * np.pi * 3 * t) + np.random.default_rng(seed).normal(0, 20, n_samples))


def by_pyedflib(
    path: Path,
    channels: dict[str, tuple[NDArray[np.float64], int, str]],
    notes: tuple[tuple[float, float, str], ...] = (),
    *,
    bdf: bool = False,
) -> Path:
    """``channels`` are samples, rate and unit by name; full scale is 1,000 units."""
    kind = pyedflib.FILETYPE_BDFPLUS if bdf else pyedflib.FILETYPE_EDFPLUS
    full = 8_388_607 if bdf else 32_767
    writer = pyedflib.EdfWriter(str(path), len(channels), file_type=kind)
    for number, (name, (_, rate_hz, unit)) in enumerate(channels.items()):
        writer.setSignalHeader(
            number,
            {
                "label": name, "dimension": unit, "sample_frequency": rate_hz, "transducer": "", "prefilter": "",
                "physical_max": 1000.0, "physical_min": -1000.0, "digital_max": full, "digital_min": -full - 1,
            },
        )  # fmt: skip
    writer.setStartdatetime(datetime(2026, 3, 4, 9, 30))
    writer.writeSamples([samples for samples, _, _ in channels.values()])
    for onset_s, duration_s, text in notes:
        writer.writeAnnotation(onset_s, duration_s, text)
    writer.close()
    return path


def discontinuous(path: Path, begins_s: tuple[float, ...]) -> NDArray[np.int16]:
    """An EDF+D file with records of one second at ``begins_s``: edfio's continuous one with its times rewritten."""
    counts = np.arange(len(begins_s) * RATE_HZ, dtype=np.int16)
    signal = edfio.EdfSignal.from_digital(counts, RATE_HZ, label="HPC", physical_dimension="uV")
    notes = [edfio.EdfAnnotation(number, 0.1, "x" * 30) for number in range(len(begins_s))]
    edfio.Edf([signal], annotations=notes, data_record_duration=1).write(path)
    content = bytearray(path.read_bytes())
    content[192:197] = b"EDF+D"
    header = 256 * 3
    record = (len(content) - header) // len(begins_s)
    for number, begin_s in enumerate(begins_s):
        at = header + number * record + 2 * RATE_HZ
        told = f"+{begin_s:g}\x14\x14\0".encode()
        content[at : header + (number + 1) * record] = told.ljust(record - 2 * RATE_HZ, b"\0")
    path.write_bytes(bytes(content))
    return counts


def refusal(path: Path) -> str:
    with pytest.raises(RecordingError) as refused:
        load(path)
    said = str(refused.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize("bdf", [False, True])
def test_samples_are_what_another_reader_says(tmp_path: Path, bdf: bool) -> None:
    channels = {"HPC": (wave(2000), RATE_HZ, "uV"), "CTX": (wave(2000, seed=1), RATE_HZ, "mV")}
    path = by_pyedflib(tmp_path / ("a.bdf" if bdf else "a.edf"), channels, bdf=bdf)
    signals = load(path)
    with pyedflib.EdfReader(str(path)) as reader:
        microvolts = [reader.readSignal(0), 1000 * reader.readSignal(1)]
    np.testing.assert_allclose(signals.read(["HPC", "CTX"], 0, 2000), microvolts, rtol=0, atol=1e-6)
    assert (signals.rate_hz, signals.n_samples, signals.brain) == (RATE_HZ, 2000, ("HPC", "CTX"))
    assert signals.start_utc is not None
    assert signals.start_utc.isoformat() == "2026-03-04T09:30:00+00:00"


def test_annotations_keep_onset_duration_and_text_in_any_alphabet(tmp_path: Path) -> None:
    notes = ((1.5, 1.0, "Stimulus 100 µA"), (4.25, 2.0, "Anfall: Stufe 5, größer"))
    signals = load(by_pyedflib(tmp_path / "a.edf", {"HPC": (wave(2000), RATE_HZ, "uV")}, notes))
    assert signals.notes == tuple(Note(*note) for note in notes)


def test_gaps_of_a_discontinuous_file_stay_gaps(tmp_path: Path) -> None:
    path = tmp_path / "d.edf"
    counts = discontinuous(path, (0.0, 1.0, 4.0, 5.0, 9.5))
    signals = load(path)
    assert signals.gaps == ((2 * RATE_HZ, 4 * RATE_HZ), (6 * RATE_HZ, round(9.5 * RATE_HZ)))
    assert signals.n_samples == round(10.5 * RATE_HZ)
    values = signals.read(["HPC"], 0, signals.n_samples)[0]
    there = np.isfinite(values)
    np.testing.assert_allclose(values[there], counts, atol=1e-3)
    assert np.flatnonzero(there)[2 * RATE_HZ] == 4 * RATE_HZ


def test_a_discontinuous_file_whose_times_run_back_is_refused(tmp_path: Path) -> None:
    discontinuous(tmp_path / "d.edf", (0.0, 1.0, 0.5))
    assert "data record 3 begins at 0.5 s" in refusal(tmp_path / "d.edf")


def test_slower_channels_are_interpolated_the_same_in_every_window(tmp_path: Path) -> None:
    ramp = np.arange(50.0)
    channels = {"HPC": (wave(2000), RATE_HZ, "uV"), "SLOW": (ramp, 5, "uV"), "TEMP": (ramp, 5, "degC")}
    signals = load(by_pyedflib(tmp_path / "a.edf", channels))
    assert signals.rate_hz == RATE_HZ
    slow, held = signals.read(["SLOW", "TEMP"], 0, 2000)
    np.testing.assert_allclose(slow[: 49 * 40], np.arange(49 * 40) / 40, atol=0.05)
    np.testing.assert_allclose(held, np.repeat(ramp, 40), atol=0.05)
    pieces = [signals.read(["SLOW", "TEMP"], first, min(2000, first + 37)) for first in range(0, 2000, 37)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), [slow, held])


@pytest.mark.parametrize(
    ("label", "unit", "role", "is_brain"),
    [
        ("HPC", "uV", "eeg", True),
        ("HPC", "", "eeg", True),
        ("HPC", "mV", "eeg", True),
        ("TTL", "V", "stimulus_ttl", True),
        ("TTL", "", "stimulus_ttl", True),
        ("Iso out", "uA", "current_monitor", False),
        ("EMG", "uV", "aux", False),
        ("Temp rectal", "degC", "aux", False),
        ("Pressure", "mmHg", "aux", False),
    ],
)
def test_roles_follow_name_and_unit(tmp_path: Path, label: str, unit: str, role: str, is_brain: bool) -> None:
    signals = load(by_pyedflib(tmp_path / "a.edf", {label: (wave(2000), RATE_HZ, unit)}))
    assert [(track.role, track.name in signals.brain) for track in signals.tracks] == [(role, is_brain)]


def test_a_channel_without_a_unit_counts_in_microvolts(tmp_path: Path) -> None:
    with_unit = load(by_pyedflib(tmp_path / "a.edf", {"HPC": (wave(2000), RATE_HZ, "uV")}))
    without = load(by_pyedflib(tmp_path / "b.edf", {"HPC": (wave(2000), RATE_HZ, "")}))
    np.testing.assert_array_equal(without.read(["HPC"], 0, 2000), with_unit.read(["HPC"], 0, 2000))


def test_names_beyond_ascii_are_read(tmp_path: Path) -> None:
    path = by_pyedflib(tmp_path / "größe.edf", {"HPC xx": (wave(2000), RATE_HZ, "uV")})
    content = path.read_bytes()
    for encoding in ("latin-1", "utf-8"):
        label = "Höhe µ".encode(encoding).ljust(16)
        path.write_bytes(content[:256] + label + content[272:])
        assert load(path).names == ("Höhe µ",)


def test_a_label_that_stands_twice_or_is_empty_can_still_be_named(tmp_path: Path) -> None:
    path = by_pyedflib(tmp_path / "a.edf", {name: (wave(2000), RATE_HZ, "uV") for name in "abc"})
    content = path.read_bytes()
    path.write_bytes(content[:256] + b"HPC".ljust(16) + b"HPC".ljust(16) + b"".ljust(16) + content[304:])
    assert load(path).names == ("HPC", "HPC-2", "channel 3")


def test_a_file_of_one_second_is_read(tmp_path: Path) -> None:
    signals = load(by_pyedflib(tmp_path / "a.edf", {"HPC": (wave(RATE_HZ), RATE_HZ, "uV")}))
    assert signals.n_samples == RATE_HZ
    assert np.isfinite(signals.read(["HPC"], 0, RATE_HZ)).all()


def test_a_file_that_is_cut_short_is_read_as_far_as_it_goes_and_that_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = by_pyedflib(tmp_path / "a.edf", {"HPC": (wave(2000), RATE_HZ, "uV")})
    whole = load(path).read(["HPC"], 0, 2000)
    path.write_bytes(path.read_bytes()[:-700])
    signals = load(path)
    load(path)
    assert 0 < signals.n_samples < 2000
    np.testing.assert_array_equal(signals.read(["HPC"], 0, 2000), whole[:, : signals.n_samples])
    (told,) = [record.getMessage() for record in caplog.records]
    assert "is cut short" in told


def test_a_file_that_was_never_closed_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = by_pyedflib(tmp_path / "a.edf", {"HPC": (wave(2000), RATE_HZ, "uV")})
    content = path.read_bytes()
    path.write_bytes(content[:236] + b"-1".ljust(8) + content[244:])
    assert load(path).n_samples == 2000


@pytest.mark.parametrize("n_bytes", [0, 100, 256, 400, 512 + 256])
def test_a_file_that_ends_in_or_with_its_header_is_refused(tmp_path: Path, n_bytes: int) -> None:
    path = by_pyedflib(tmp_path / "a.edf", {"HPC": (wave(2000), RATE_HZ, "uV")})
    path.write_bytes(path.read_bytes()[:n_bytes])
    assert str(path) in (said := refusal(path))
    assert ("holds no samples" if n_bytes == 768 else "ends within its header") in said


def test_the_status_channel_of_a_biosemi_file_is_its_trigger_bits(tmp_path: Path) -> None:
    n = 2000
    channels = {"A1": (wave(n), RATE_HZ, "uV"), "Status": (np.zeros(n), RATE_HZ, "Boolean")}
    path = by_pyedflib(tmp_path / "a.bdf", channels, bdf=True)
    content = bytearray(path.read_bytes())
    header = 256 * 4
    record = (len(content) - header) // 10
    status = header + 3 * record + 3 * RATE_HZ
    for place in range(50, 80):
        # Trigger 1 among the bits by which the amplifier tells of itself.
        content[status + 3 * place : status + 3 * place + 3] = (0x1F0001).to_bytes(3, "little")
    path.write_bytes(bytes(content))
    signals = load(path)
    assert signals.stimulus == ("Status",)
    assert signals.brain == ("A1",)
    high = np.flatnonzero(signals.read(["Status"], 0, n)[0] == 1)
    assert (high[0], high[-1]) == (3 * RATE_HZ + 50, 3 * RATE_HZ + 79)


def test_the_padding_of_another_writer_is_left_out(tmp_path: Path) -> None:
    import mne

    raw = mne.io.RawArray(wave(1230)[None] * 1e-6, mne.create_info(["HPC"], RATE_HZ, "eeg"), verbose="error")
    mne.export.export_raw(tmp_path / "a.edf", raw, verbose="error")
    signals = load(tmp_path / "a.edf")
    assert signals.n_samples == 1230
    assert not signals.gaps
    np.testing.assert_allclose(signals.read(["HPC"], 0, 1230)[0], wave(1230), atol=0.05)
