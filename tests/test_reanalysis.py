"""Recordings of other programs and of kindle's own, judged again; their JSON, their table, and what is refused."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import edfio
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import START

from detectors.criterion import Criterion
from drivers.interface import Channel
from drivers.simulated.eeg import Background, discharge
from kindle.errors import ConfigError, KindleError, RecordingError
from kindle.reanalysis import RecordingResult, parse_stimulus, reanalyse, table_rows
from kindle.recording import RecordingWriter
from kindle.stimulus_spec import AnnotationSpec, ArtefactSpec, ChannelSpec, NoStimulus, TimesSpec

RATE_HZ = 500.0
TRAIN_S, ONSET_S, DURATION_S, LENGTH_S = 40.0, 42.0, 15.0, 160.0
CRITERION = Criterion(onset_window_s=10, secondary_window_s=20)

Uv = NDArray[np.float64]


def trial(seed: int = 0, *, with_discharge: bool = True, pulses: bool = True) -> Uv:
    """A train of 1 s at ``TRAIN_S`` and, if asked, a discharge from ``ONSET_S`` for ``DURATION_S``."""
    uv = Background(RATE_HZ, seed).uv(0, round(LENGTH_S * RATE_HZ))
    if with_discharge:
        drawn = discharge(np.random.default_rng(seed), RATE_HZ, DURATION_S, 1000.0, (3, 5, 3))
        first = round(ONSET_S * RATE_HZ) - drawn.first_spike
        uv[first : first + drawn.uv.size] += drawn.uv
    train = slice(round(TRAIN_S * RATE_HZ), round((TRAIN_S + 1) * RATE_HZ))
    if pulses:
        uv[train] = np.where(np.arange(train.stop - train.start) % 10 < 5, 5000, -5000)
    return np.clip(uv, -5000, 5000)


def ttl() -> Uv:
    row = np.zeros(round(LENGTH_S * RATE_HZ))
    row[round(TRAIN_S * RATE_HZ) : round((TRAIN_S + 1) * RATE_HZ)] = 5.0
    return row


def edf(path: Path, channels: dict[str, Uv], notes: list[tuple[float, float | None, str]] | None = None) -> Path:
    signals = [
        edfio.EdfSignal(
            data,
            RATE_HZ,
            label=name,
            physical_dimension="uV" if np.abs(data).max() > 50 else "V",
            physical_range=(-5000, 5000) if np.abs(data).max() > 50 else (-10, 10),
        )
        for name, data in channels.items()
    ]
    annotations = [edfio.EdfAnnotation(*note) for note in notes or []]
    edfio.Edf(signals, annotations=annotations, data_record_duration=1).write(path)
    return path


def judged(path: Path, stimulus: str | None = None, **options: Any) -> RecordingResult:
    spec = None if stimulus is None else parse_stimulus(stimulus)
    return reanalyse(
        path, channels=options.pop("channels", None), stimulus=spec, criterion=CRITERION, train_s=1.0, **options
    )


def assert_found(result: RecordingResult, channel: int = 0) -> None:
    (judgement,) = result.channels[channel].trials
    assert judgement.stimulus.onset_s == pytest.approx(TRAIN_S, abs=0.03)
    assert judgement.stimulus.end_s == pytest.approx(TRAIN_S + 1, abs=0.03)
    assert judgement.verdict == "afterdischarge"
    (event,) = judgement.afterdischarges
    assert event.onset_s == pytest.approx(ONSET_S, abs=0.1)
    assert event.end_s == pytest.approx(ONSET_S + DURATION_S, abs=0.1)
    assert judgement.durations_s.from_first_spike == pytest.approx(DURATION_S, abs=0.15)
    assert judgement.durations_s.from_train_end == pytest.approx(ONSET_S + DURATION_S - TRAIN_S - 1, abs=0.15)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("none", NoStimulus()),
        ("artefact", ArtefactSpec()),
        ("channel:TTL in 2", ChannelSpec("TTL in 2")),
        ("channel:Dev1:ai3", ChannelSpec("Dev1:ai3")),
        ("annotation:Stim, left", AnnotationSpec("Stim, left")),
        ("times:12.5, 140", TimesSpec((12.5, 140.0))),
    ],
)
def test_a_stimulus_is_parsed(written: str, meant: object) -> None:
    assert parse_stimulus(written) == meant


@pytest.mark.parametrize(
    "written", ["", "TTL", "channel:", "channel", "times:", "times:a", "times:-1", "times:nan", "none:x"]
)
def test_a_stimulus_that_is_not_understood_is_refused_with_what_is_allowed(written: str) -> None:
    with pytest.raises(ConfigError, match="times"):
        parse_stimulus(written)


@pytest.mark.parametrize("stimulus", [None, "channel:TTL", "times:40", "artefact"])
def test_the_same_train_is_found_by_its_ttl_its_time_or_its_artefact(tmp_path: Path, stimulus: str | None) -> None:
    path = edf(tmp_path / "a.edf", {"HPC": trial(), "TTL": ttl()})
    result = judged(path, stimulus, channels=["HPC"])
    assert_found(result)


def test_the_ttl_is_not_analysed_as_a_brain_signal(tmp_path: Path) -> None:
    result = judged(edf(tmp_path / "a.edf", {"HPC": trial(), "TTL": ttl()}))
    assert [channel.name for channel in result.channels] == ["HPC"]


@pytest.mark.parametrize(("stimulus", "length_s"), [(None, 1.0), ("annotation:stim", 1.0), ("annotation:STIM", None)])
def test_trains_come_from_annotations(tmp_path: Path, stimulus: str | None, length_s: float | None) -> None:
    notes = [(5.0, None, "rat moves"), (TRAIN_S, length_s, "Stimulus/train 100 uA")]
    assert_found(judged(edf(tmp_path / "a.edf", {"HPC": trial()}, notes), stimulus))


def test_a_channel_without_discharge_is_none_and_its_durations_are_0(tmp_path: Path) -> None:
    path = edf(tmp_path / "a.edf", {"HPC": trial(), "CTX": trial(1, with_discharge=False), "TTL": ttl()})
    result = judged(path)
    assert_found(result, 0)
    (other,) = result.channels[1].trials
    assert (other.verdict, other.afterdischarges) == ("none", [])
    assert (other.durations_s.from_train_end, other.durations_s.total) == (0, 0)


def test_a_recording_that_ends_too_early_is_undetermined_with_unknown_durations(tmp_path: Path) -> None:
    n = round(45 * RATE_HZ)
    path = edf(tmp_path / "a.edf", {"HPC": trial(with_discharge=False)[:n]})
    (judgement,) = judged(path, "times:40").channels[0].trials
    assert judgement.verdict == "undetermined"
    assert judgement.durations_s.total is None


def test_the_json_has_the_documented_shape_and_only_numbers_that_json_knows(tmp_path: Path) -> None:
    flat = np.full(round(LENGTH_S * RATE_HZ), 300.0)
    path = edf(tmp_path / "a.edf", {"HPC": trial(), "FLAT": flat, "TTL": ttl()})
    encoded = msgspec.json.encode({"recordings": [judged(path)]})
    (recording,) = msgspec.json.decode(encoded)["recordings"]
    assert list(recording) == ["path", "rate_hz", "duration_s", "channels"]
    assert recording["duration_s"] == LENGTH_S
    channel, dead = recording["channels"]
    assert list(channel) == ["name", "flags", "trials", "seizures"]
    (found,) = channel["trials"]
    assert list(found) == ["stimulus", "verdict", "reason", "afterdischarges", "durations_s"]
    assert list(found["stimulus"]) == ["onset_s", "end_s"]
    assert list(found["durations_s"]) == ["from_train_end", "from_first_spike", "total"]
    assert list(found["afterdischarges"][0]) == [
        "kind", "onset_s", "end_s", "duration_s", "n_spikes", "spike_hz", "median_ratio", "end_grade", "confidence",
    ]  # fmt: skip
    assert dead["trials"][0]["verdict"] == "undetermined"
    assert dead["flags"] == ["flatline"]
    assert b"NaN" not in encoded
    assert b"Infinity" not in encoded


def test_without_a_train_a_recording_is_scanned_for_seizures(tmp_path: Path) -> None:
    path = edf(tmp_path / "a.edf", {"HPC": trial(pulses=False)})
    (channel,) = judged(path, "none").channels
    assert channel.trials == []
    (seizure,) = channel.seizures
    assert seizure.onset_s == pytest.approx(ONSET_S, abs=0.1)
    assert seizure.duration_s == pytest.approx(DURATION_S, abs=0.2)
    assert 0 <= seizure.confidence <= 1


def test_the_table_has_a_row_for_every_trial_seizure_and_quiet_channel(tmp_path: Path) -> None:
    rows = table_rows(judged(edf(tmp_path / "a.edf", {"HPC": trial(), "TTL": ttl()})))
    assert [row["verdict"] for row in rows] == ["afterdischarge"]
    assert float(rows[0]["duration (s)"]) == pytest.approx(DURATION_S, abs=0.2)
    scanned = edf(tmp_path / "b.edf", {"HPC": trial(pulses=False), "CTX": trial(1, with_discharge=False, pulses=False)})
    rows += table_rows(judged(scanned, "none"))
    assert [row["verdict"] for row in rows[1:]] == ["seizure", "no seizure"]
    assert len({tuple(row) for row in map(sorted, rows)}) == 1


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    told: list[float] = []
    judged(edf(tmp_path / "a.edf", {"HPC": trial(), "TTL": ttl()}), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_recording_does_not_change_when_read_in_small_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = edf(tmp_path / "a.edf", {"HPC": trial(), "CTX": trial(1, with_discharge=False), "TTL": ttl()})
    whole = judged(path)
    monkeypatch.setattr("kindle.reanalysis.WINDOW_SAMPLES", 2 * 1237)
    monkeypatch.setattr("kindle.stimulus_spec.WINDOW_SAMPLES", 997)
    assert judged(path) == whole


def test_flags_say_what_is_wrong_with_a_channel(tmp_path: Path) -> None:
    quiet, n = trial(2, with_discharge=False, pulses=False), round(LENGTH_S * RATE_HZ)
    hum = 60 * np.sin(2 * np.pi * 50 * np.arange(n) / RATE_HZ)
    channels = {
        "good": quiet,
        "flat": np.full(n, 100.0),
        "gone": hum + np.random.default_rng(0).standard_normal(n),
        "hum": quiet + 3 * hum,
        "clipped": np.clip(quiet * 3, -60, 60),
    }
    result = judged(edf(tmp_path / "a.edf", channels), "none")
    flags = {channel.name: channel.flags for channel in result.channels}
    assert flags["good"] == []
    assert flags["flat"] == ["flatline"]
    assert flags["gone"] == ["disconnected", "mains"]
    assert flags["hum"] == ["mains"]
    assert "clipped" in flags["clipped"]


EEG = Channel("HPC", "eeg", "µV", 5000 / 32767, (-32767, 32767))
GATE = Channel("TTL", "stimulus_ttl", "V", 0.001)


def counts(first_s: float, last_s: float) -> NDArray[np.int16]:
    span = slice(round(first_s * RATE_HZ), round(last_s * RATE_HZ))
    return np.rint([trial()[span] / EEG.resolution, ttl()[span] / GATE.resolution]).astype(np.int16)


@pytest.mark.parametrize("what", ["folder", "header"])
def test_a_recording_of_kindle_is_judged_by_its_own_ttl(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "recording"
    with RecordingWriter.create(folder, (EEG, GATE), RATE_HZ, START) as writer:
        writer.append(counts(0, LENGTH_S), monotonic_ns=0, utc_ns=0)
    result = judged(folder if what == "folder" else folder / "signal.vhdr")
    assert [channel.name for channel in result.channels] == ["HPC"]
    assert_found(result)


def test_a_gap_in_a_recording_of_kindle_keeps_its_length(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with RecordingWriter.create(folder, (EEG, GATE), RATE_HZ, START) as writer:
        writer.append(counts(0, 47), monotonic_ns=0, utc_ns=0)
        writer.new_segment(START + timedelta(seconds=48))
        writer.append(counts(48, LENGTH_S), monotonic_ns=0, utc_ns=0)
    result = judged(folder)
    assert result.duration_s == LENGTH_S
    assert_found(result)


def test_a_file_that_is_not_there_or_no_recording_is_refused_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "notes.edf"
    text.write_text("not a recording")
    unknown = tmp_path / "notes.doc"
    unknown.write_text("not a recording")
    for path in (tmp_path / "missing.edf", text, unknown, tmp_path):
        with pytest.raises(RecordingError) as refused:
            judged(path)
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": ["CA3"]}, r"no channel 'CA3'; it has: HPC, IDLE"),
        ({"stimulus": "channel:TTL"}, r"no channel 'TTL'; it has: HPC, IDLE"),
        ({"stimulus": "channel:IDLE"}, r"shows no train"),
        ({"stimulus": "annotation:pulse"}, r"no annotation with 'pulse'; it has: rat moves"),
        ({"stimulus": "times:500"}, r"500 s lies outside"),
        ({"stimulus": "times:40,40.5"}, r"overlap"),
        ({"stimulus": "artefact", "channels": ["IDLE"]}, r"no train by its artefact"),
    ],
)
def test_what_is_not_in_the_recording_is_refused_with_what_is(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    idle = 0.01 * np.random.default_rng(0).standard_normal(round(LENGTH_S * RATE_HZ))
    path = edf(tmp_path / "a.edf", {"HPC": trial(), "IDLE": idle}, [(5.0, None, "rat moves")])
    with pytest.raises(KindleError, match=message):
        judged(path, **options)


def test_every_number_of_a_result_is_finite(tmp_path: Path) -> None:
    result = judged(edf(tmp_path / "a.edf", {"HPC": trial(), "TTL": ttl()}))
    numbers = [value for value in _leaves(msgspec.to_builtins(result)) if isinstance(value, float)]
    assert numbers
    assert all(math.isfinite(number) for number in numbers)


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value]
