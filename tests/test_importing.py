"""`kindle import`: what another program recorded, in a study as a recording of an animal; and what is refused."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import edfio
import mne
import numpy as np
import pytest
from click.testing import CliRunner, Result

from detectors.criterion import Criterion
from kindle.cli import kindle
from kindle.errors import ConfigError, KindleError, RecordingError
from kindle.imported import imported_recordings
from kindle.importing import Wanted, import_recording
from kindle.loading import load
from kindle.reanalysis import reanalyse
from kindle.recording import open_recording
from kindle.rows import Animal, RecordingImported
from kindle.study import create_study, open_study
from kindle.verification import verify_study

RATE_HZ = 500.0
NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
BEGUN = datetime(2026, 3, 4, 9, 30, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    create_study(tmp_path / "study", 'name = "x"\n')
    with open_study(tmp_path / "study") as opened:
        opened.add_animal(Animal("R01"), NOW)
    return tmp_path / "study"


def counts(n_samples: int = 20_000, n_channels: int = 2) -> np.ndarray:
    return np.random.default_rng(0).integers(-30_000, 30_000, (n_channels, n_samples)).astype(np.int16)


def edf(path: Path, *, notes: tuple[tuple[float, float, str], ...] = ()) -> Path:
    """Two channels of whole counts, at 0.1 µV and 1 mV."""
    hpc, ttl = counts()
    signals = [
        edfio.EdfSignal.from_digital(
            hpc, RATE_HZ, label="HPC", physical_dimension="uV", physical_range=(-3276.8, 3276.7)
        ),
        edfio.EdfSignal.from_digital(
            ttl, RATE_HZ, label="TTL", physical_dimension="V", physical_range=(-32.768, 32.767)
        ),
    ]
    annotations = [edfio.EdfAnnotation(*note) for note in notes]
    edfio.Edf(signals, annotations=annotations, data_record_duration=1).write(path)
    return path


def fif(path: Path, data: Any, names: list[str], types: list[str], **annotations: Any) -> Path:
    raw = mne.io.RawArray(data, mne.create_info(names, RATE_HZ, types), verbose="error").set_meas_date(BEGUN)
    if annotations:
        raw.set_annotations(mne.Annotations(**annotations, orig_time=BEGUN), verbose="error")
    raw.save(path, fmt="double", verbose="error")
    return path


def imported(study: Path, path: Path, **wanted: Any) -> RecordingImported:
    with open_study(study) as opened:
        return import_recording(opened, "R01", path, Wanted(**wanted), NOW)


def run(*words: object) -> Result:
    return CliRunner().invoke(kindle, ["import", *map(str, words)])


def test_sixteen_bit_counts_are_kept_as_they_were(tmp_path: Path, study: Path) -> None:
    row = imported(study, edf(tmp_path / "a.edf"))
    recording = open_recording(study / row.folder)
    np.testing.assert_array_equal(recording.counts, counts())
    assert [channel.resolution for channel in recording.channels] == pytest.approx([0.1, 0.001])
    assert [(channel.role, channel.exact) for channel in row.channels] == [("eeg", True), ("stimulus_ttl", True)]


def test_the_journal_tells_the_source_its_digest_and_the_sealed_files(tmp_path: Path, study: Path) -> None:
    from hashlib import sha256

    path = edf(tmp_path / "a.edf")
    imported(study, path)
    with open_study(study) as opened:
        (row,) = imported_recordings(opened)
    (file,) = row.files
    assert (row.source, file.name, file.n_bytes) == ("a.edf", "a.edf", path.stat().st_size)
    assert file.sha256 == sha256(path.read_bytes()).hexdigest()
    assert {sealed.name for sealed in row.sealed} == {"signal.vhdr", "signal.vmrk"}
    assert verify_study(study) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("signal.vhdr", b"HPC", b"CTX"),
        ("signal.vmrk", b"stim weak", b"stim high"),
        ("signal.eeg", b"\x00", b"\x01"),
    ],
)
def test_an_imported_recording_that_was_changed_is_found(
    tmp_path: Path, study: Path, name: str, old: bytes, new: bytes
) -> None:
    row = imported(study, edf(tmp_path / "a.edf", notes=((2.0, 1.0, "stim weak"),)))
    changed = study / row.folder / name
    content = changed.read_bytes()
    assert old in content
    changed.write_bytes(content.replace(old, new))
    assert any(problem.path == changed for problem in verify_study(study))


def test_an_imported_recording_that_is_gone_is_found(tmp_path: Path, study: Path) -> None:
    row = imported(study, edf(tmp_path / "a.edf"))
    (study / row.folder).rename(tmp_path / "gone")
    assert "not there" in str(verify_study(study)[0])


def test_annotations_become_markers_and_those_that_cannot_are_told(tmp_path: Path, study: Path) -> None:
    notes = ((2.0, 1.0, "Stimulus/train 100 µA"), (5.0, 0.0, "Anfall = 5"), (7.0, 0.5, "発作"))
    row = imported(study, edf(tmp_path / "a.edf", notes=notes))
    markers = open_recording(study / row.folder).markers
    assert [(m.type, m.description, m.sample, m.n_samples) for m in markers] == [
        ("Stimulus", "train 100 uA", 1000, 500),
        ("Comment", "Anfall - 5", 2500, 1),
        ("Comment", "??", 3500, 250),
    ]
    assert [(note.sample, note.source) for note in row.altered_notes] == [
        (1000, "Stimulus/train 100 µA"),
        (2500, "Anfall = 5"),
        (3500, "発作"),
    ]


def test_floats_are_rounded_to_a_step_that_is_told_and_none_is_farther_off(tmp_path: Path, study: Path) -> None:
    values = np.random.default_rng(1).normal(0, 200e-6, (1, 20_000))
    row = imported(study, fif(tmp_path / "a_raw.fif", values, ["HPC"], ["eeg"]))
    (channel,) = row.channels
    assert not channel.exact
    kept = open_recording(study / row.folder).counts[0] * channel.resolution
    assert np.abs(kept - values[0] * 1e6).max() <= channel.resolution / 2 * 1.000001
    assert np.abs(values).max() * 1e6 / channel.resolution == pytest.approx(32_000, rel=0.01)


def test_the_start_of_the_file_is_kept_to_the_microsecond_and_one_that_is_given_overrides_it(
    tmp_path: Path, study: Path
) -> None:
    values = np.ones((1, 5000)) * 1e-6
    row = imported(study, fif(tmp_path / "a_raw.fif", values, ["HPC"], ["eeg"]))
    assert (row.start_known, open_recording(study / row.folder).start_utc) == (True, BEGUN)
    given = imported(study, fif(tmp_path / "b_raw.fif", 2 * values, ["HPC"], ["eeg"]), start_utc=NOW)
    assert open_recording(study / given.folder).start_utc == NOW
    assert given.folder == "recordings/R01/20260401_120000_import"


def test_a_file_without_a_date_gets_the_time_of_the_import_and_that_is_told(tmp_path: Path, study: Path) -> None:
    path = edf(tmp_path / "a.edf")
    content = path.read_bytes()
    path.write_bytes(content[:88] + b"Startdate X X X X".ljust(80) + b"01.01.8500.00.00" + content[184:])
    row = imported(study, path)
    assert (row.start_known, row.start_utc) == (False, NOW.isoformat())


def test_a_gap_begins_a_segment_at_its_own_time_and_shifts_no_marker(tmp_path: Path, study: Path) -> None:
    values = counts(10_000, 1) * 1e-7
    path = fif(
        tmp_path / "a_raw.fif", values, ["HPC"], ["eeg"],
        onset=[4.0, 12.0], duration=[6.0, 1.0], description=["BAD_ACQ_SKIP", "stim"],
    )  # fmt: skip
    row = imported(study, path)
    recording = open_recording(study / row.folder)
    first, second = recording.segments
    assert (first.n_samples, second.n_samples, second.n_lost) == (2000, 5000, 3000)
    assert (second.start_utc - first.start_utc).total_seconds() == 10.0
    assert row.gaps == ((2000, 3000),)
    assert [(marker.sample, marker.n_samples) for marker in recording.markers] == [(3000, 500)]
    signals = load(study / row.folder)
    assert signals.gaps == ((2000, 5000),)
    assert signals.notes[0].onset_s == 12.0
    assert verify_study(study) == []


def test_an_imported_recording_is_detected_as_the_file_is(tmp_path: Path, study: Path) -> None:
    from drivers.simulated.eeg import Background, discharge

    uv = Background(RATE_HZ, 0).uv(0, round(160 * RATE_HZ))
    drawn = discharge(np.random.default_rng(0), RATE_HZ, 15.0, 1000.0, (3, 5, 3))
    uv[round(60 * RATE_HZ) : round(60 * RATE_HZ) + drawn.uv.size] += drawn.uv
    whole = np.rint(uv / 0.1) * 0.1e-6
    path = fif(tmp_path / "a_raw.fif", whole[None], ["HPC"], ["eeg"])
    criterion = Criterion(onset_window_s=10, secondary_window_s=20)

    def judged(what: Path) -> list[Any]:
        return reanalyse(what, channels=None, stimulus=None, criterion=criterion, train_s=1.0).channels

    row = imported(study, path)
    found = judged(study / row.folder)
    assert len(found[0].seizures) == 1
    before, after = judged(path)[0].seizures[0], found[0].seizures[0]
    assert (after.onset_s, after.end_s) == (before.onset_s, before.end_s)


def test_that_the_source_was_cut_short_stands_in_the_journal(tmp_path: Path, study: Path) -> None:
    path = edf(tmp_path / "a.edf")
    path.write_bytes(path.read_bytes()[:-5000])
    row = imported(study, path)
    assert row.n_samples < 20_000
    assert "is cut short" in row.remarks[0]


def test_channels_and_roles_are_chosen_and_the_rest_is_told(tmp_path: Path, study: Path) -> None:
    values = counts(5000, 3) * 1e-7
    path = fif(tmp_path / "a_raw.fif", values, ["HPC1", "HPC2", "gate box"], ["eeg", "eeg", "eeg"])
    row = imported(study, path, channels=["HPC2", "gate*"], roles={"gate box": "stimulus_ttl"})
    assert [(channel.name, channel.role) for channel in row.channels] == [
        ("HPC2", "eeg"),
        ("gate box", "stimulus_ttl"),
    ]
    assert row.left_out == ("HPC1",)


def test_names_that_a_header_cannot_hold_are_changed_and_told(tmp_path: Path, study: Path) -> None:
    path = fif(tmp_path / "a_raw.fif", counts(5000, 3) * 1e-7, ["a=b", "a-b", " x "], ["eeg"] * 3)
    row = imported(study, path)
    assert [(channel.name, channel.source) for channel in row.channels] == [
        ("a-b", "a=b"),
        ("a-b-2", "a-b"),
        ("x", " x "),
    ]
    assert load(study / row.folder).names == ("a-b", "a-b-2", "x")


def refusal(study: Path, path: Path, kind: type[KindleError], **wanted: Any) -> str:
    """What is said; the study holds afterwards what it held before."""
    with pytest.raises(kind) as refused:
        imported(study, path, **wanted)
    assert not [one for one in (study / "recordings").rglob("*") if one.is_file()]
    with open_study(study) as opened:
        assert not list(imported_recordings(opened))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_an_offset_that_would_cost_the_background_its_steps_is_refused(tmp_path: Path, study: Path) -> None:
    values = np.random.default_rng(1).normal(0.2, 50e-6, (1, 5000))
    path = fif(tmp_path / "a_raw.fif", values, ["HPC"], ["eeg"])
    assert "remove its offset first" in refusal(study, path, RecordingError)


def test_a_channel_with_holes_of_its_own_is_refused(tmp_path: Path, study: Path) -> None:
    values = counts(5000, 2) * 1e-7
    values[1, 1234] = np.nan
    path = fif(tmp_path / "a_raw.fif", values, ["HPC", "CTX"], ["eeg", "eeg"])
    assert "channel 'CTX'" in (said := refusal(study, path, RecordingError))
    assert "no value at 2.468 s" in said
    assert imported(study, path, channels=["HPC"]).n_samples == 5000


def test_a_channel_that_is_no_voltage_is_no_eeg(tmp_path: Path, study: Path) -> None:
    hpc, temperature = counts()
    signals = [
        edfio.EdfSignal.from_digital(
            row, RATE_HZ, label=name, physical_dimension=unit, physical_range=(-3276.8, 3276.7)
        )
        for row, name, unit in ((hpc, "HPC", "uV"), (temperature, "T", "degC"))
    ]
    edfio.Edf(signals, data_record_duration=1).write(tmp_path / "a.edf")
    assert "not in volts" in refusal(study, tmp_path / "a.edf", ConfigError, roles={"T": "eeg"})


def test_a_role_of_a_channel_that_is_not_there_is_refused(tmp_path: Path, study: Path) -> None:
    said = refusal(study, edf(tmp_path / "a.edf"), ConfigError, roles={"X": "eeg"})
    assert "it has: HPC, TTL" in said


def test_the_same_file_is_not_taken_twice_for_one_animal(tmp_path: Path, study: Path) -> None:
    path = edf(tmp_path / "a.edf")
    first = imported(study, path)
    renamed = path.rename(tmp_path / "b.edf")
    with pytest.raises(ConfigError, match=f"already, as {first.folder}"):
        imported(study, renamed)


def test_an_import_that_is_interrupted_leaves_the_study_as_it_was(tmp_path: Path, study: Path) -> None:
    path = edf(tmp_path / "a.edf")

    def stop(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with open_study(study) as opened, pytest.raises(KeyboardInterrupt):
        import_recording(opened, "R01", path, Wanted(), NOW, stop)
    assert not [one for one in (study / "recordings" / "R01").iterdir() if one.is_dir()]
    assert imported(study, path).n_samples == 20_000


class TestCommand:
    def test_it_says_what_is_kept(self, tmp_path: Path, study: Path) -> None:
        done = run(edf(tmp_path / "a.edf", notes=((1.0, 1.0, "Anfall = 5"),)), "--study", study, "--animal", "R01")
        assert done.exit_code == 0, done.output
        assert "2 channels, 40.0 s at 500 Hz" in done.output
        assert "HPC: eeg, counts as they were" in done.output
        assert "1 annotation" in done.output

    def test_kindle_show_lists_it_and_export_takes_it(self, tmp_path: Path, study: Path) -> None:
        run(edf(tmp_path / "a.edf"), "--study", study, "--animal", "R01")
        shown = CliRunner().invoke(kindle, ["study", "show", str(study)])
        assert "imported from a.edf, 40.0 s" in shown.output
        done = CliRunner().invoke(kindle, ["export", "edf", str(study), str(tmp_path / "out")])
        assert done.exit_code == 0, done.output
        (path,) = (tmp_path / "out").glob("*.edf")
        np.testing.assert_array_equal(edfio.read_edf(path).signals[0].digital[:20_000], counts()[0])

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--role", "HPC"), "is not NAME=ROLE"),
            (("--role", "HPC=brain"), "is not NAME=ROLE"),
            (("--start", "yesterday"), "is no time"),
            (("--start", "2026-03-04T09:30"), "has no time zone"),
        ],
    )
    def test_wrong_words_are_wrong_usage(self, tmp_path: Path, study: Path, words: tuple[str, ...], said: str) -> None:
        done = run(edf(tmp_path / "a.edf"), "--study", study, "--animal", "R01", *words)
        assert done.exit_code == 2
        assert said in " ".join(done.output.split())

    def test_an_animal_that_is_not_there_is_refused(self, tmp_path: Path, study: Path) -> None:
        done = run(edf(tmp_path / "a.edf"), "--study", study, "--animal", "R02")
        assert isinstance(done.exception, KindleError)
        assert "no animal 'R02'" in str(done.exception)
