"""One changed byte in a header or a marker file is found, and what cannot be checked is said to be unchecked."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kindle.cli import kindle
from kindle.exchange import Trial
from kindle.progress import Progress, Read
from kindle.recording import open_recording
from kindle.rows import RecordingClosed, RecordingSealed, decode
from kindle.study import open_study
from kindle.verification import notes_on, verify_study
from tests.bench import bench, config, new_study, threshold


class Died(BaseException):
    """Stands for the end of the process at this instant."""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with one session, with a gap in it."""

    def listener(fact: Progress) -> None:
        if isinstance(fact, Read) and fact.first_sample == 10_000:
            rig.board.faults.overrun_now()

    study = new_study(tmp_path_factory.mktemp("sealed") / "study")
    with bench(config(), threshold_ua=15.0) as rig:
        threshold(study, config(), rig.instruments, listener=listener)
    return study


@pytest.fixture
def study(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "study"))


def text_files(study: Path) -> list[Path]:
    return sorted(study.glob("recordings/*/*/signal*.v*"))


def test_an_untouched_study_is_whole_and_nothing_in_it_is_unchecked(study: Path) -> None:
    assert len(text_files(study)) == 4
    assert verify_study(study) == []
    assert not any("unchecked" in note for note in notes_on(study))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 3), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_changed_bit_is_found(done: Path, which: int, place: float, bit: int) -> None:
    path = text_files(done)[which]
    original = path.read_bytes()
    changed = bytearray(original)
    changed[int(place * len(changed))] ^= 1 << bit
    try:
        path.write_bytes(bytes(changed))
        assert any(problem.path == path for problem in verify_study(done))
    finally:
        path.write_bytes(original)


@pytest.mark.parametrize("what", ["cut short", "longer", "gone"])
def test_a_marker_file_of_another_length_is_found(study: Path, what: str) -> None:
    path = next(path for path in text_files(study) if path.name == "signal.vmrk")
    content = path.read_bytes()
    match what:
        case "cut short":
            path.write_bytes(content[: content.rindex(b"Mk")])
        case "longer":
            path.write_bytes(content + b"Mk99=Comment,seizure/stage 5,30000,1,0\r\n")
        case _:
            path.unlink()
    assert any(problem.path == path for problem in verify_study(study))


def test_markers_that_the_journal_itself_has_restored_are_no_change(study: Path) -> None:
    """The program may die between a restored marker and its digest."""
    with open_study(study) as opened:
        (view,) = opened.sessions()
    trial = view.trials[0]
    assert isinstance(trial, Trial)
    segment = open_recording(study / trial.recording).segments[1]
    path = segment.header_path.with_suffix(".vmrk")
    at = trial.measured.onset_sample - segment.first_sample + 1
    length = trial.measured.end_sample - trial.measured.onset_sample
    path.write_bytes(path.read_bytes() + f"Mk99=Stimulus,train/20 uA,{at},{length},0\r\n".encode())
    assert verify_study(study) == []


def test_a_settled_trial_is_marked_and_sealed_again(tmp_path: Path) -> None:
    def die(fact: Progress) -> None:
        if isinstance(fact, Read) and fact.first_sample >= 70_000:
            raise Died

    study = new_study(tmp_path / "study")
    with bench(config(), threshold_ua=15.0) as rig, pytest.raises(Died):
        threshold(study, config(), rig.instruments, listener=die)
    with bench(config(), threshold_ua=15.0) as rig:
        threshold(study, config(), rig.instruments)
    assert verify_study(study) == []
    with open_study(study) as opened:
        rows = opened.journal.rows()
    first_closed = next(decode(r.kind, r.payload, RecordingClosed) for r in rows if r.kind == "recording_closed")
    (sealed,) = [decode(r.kind, r.payload, RecordingSealed) for r in rows if r.kind == "recording_sealed"]
    assert sealed.folder == first_closed.folder
    assert sealed.files != first_closed.files
    marker_file = next(path for path in text_files(study) if path.parent.name in sealed.folder)
    assert marker_file.exists()


def test_recordings_from_before_there_were_digests_are_said_to_be_unchecked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kindle.session_record.digests", lambda folder: ())
    study = new_study(tmp_path / "study")
    with bench(config(), threshold_ua=15.0) as rig:
        threshold(study, config(), rig.instruments)
    told = CliRunner().invoke(kindle, ["verify", str(study)])
    assert told.exit_code == 0, told.output
    assert "headers and markers are unchecked" in told.output
    assert "journal and recordings are whole" in told.output


def test_verify_tells_of_gaps_and_of_the_sample_clock(study: Path) -> None:
    told = CliRunner().invoke(kindle, ["verify", str(study)])
    assert told.exit_code == 0, told.output
    assert "samples (0.0005 s) were lost before sample" in told.output
    assert "no drift of the sample clock can be told" in told.output
