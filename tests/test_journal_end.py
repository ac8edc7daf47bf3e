"""Rows cut off the journal's end leave a chain that is whole; what rests on them still tells of them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kindle.journal_schema import TRIGGERS
from kindle.report import write_session_report
from kindle.rows import Asked, decode
from kindle.study import open_study
from kindle.verification import verify_study
from tests.bench import bench, config, new_study, threshold


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A threshold test of several trains."""
    folder = new_study(tmp_path_factory.mktemp("journal_end") / "study")
    with bench(config(), threshold_ua=32.0) as rig:
        threshold(folder, config(), rig.instruments)
    return folder


@pytest.fixture
def study(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "study")


def cut(study: Path, last_seq: int) -> None:
    """As somebody would who knows SQLite: what is left of the journal is consistent."""
    with closing(sqlite3.connect(study / "journal.sqlite", isolation_level=None)) as connection:
        for name in TRIGGERS:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM rows WHERE seq > ?", (last_seq,))
        for statement in TRIGGERS.values():
            connection.execute(statement)


def rows_of(study: Path) -> list[tuple[int, str]]:
    with open_study(study) as opened:
        return [(row.seq, row.kind) for row in opened.journal.rows()]


def told(study: Path) -> list[str]:
    return [str(problem) for problem in verify_study(study)]


def test_a_session_that_ended_and_its_report_rest_on_rows_that_are_there(study: Path) -> None:
    with open_study(study) as opened:
        write_session_report(opened, opened.sessions()[0].id)
    assert verify_study(study) == []


def test_a_recording_that_no_row_names_is_found(study: Path) -> None:
    seq = next(seq for seq, kind in rows_of(study) if kind == "recording_started")
    cut(study, seq - 1)
    (problem,) = verify_study(study)
    assert problem.path.parent.name == "R01"
    assert "no row of the journal names this recording" in problem.message


def test_every_cut_that_takes_a_train_away_is_found_at_its_sample(study: Path, tmp_path: Path) -> None:
    with open_study(study) as opened:
        asked = [row for row in opened.journal.rows() if row.kind == "asked"]
        trains = [row for row in asked if "stimulate" in str(decode(row.kind, row.payload, Asked).request).lower()]
        onsets = [trial.measured.onset_sample for trial in opened.sessions()[0].trials if trial.measured]
    assert len(trains) == len(onsets) > 2
    for row, onset in zip(trains, onsets, strict=True):
        shortened = shutil.copytree(study, tmp_path / f"before-{row.seq}")
        cut(shortened, row.seq - 1)
        problems = verify_study(shortened)
        at = [problem.samples[0] for problem in problems if problem.samples and "TTL shows a train" in problem.message]
        assert at == [later for later in onsets if later >= onset]


def test_a_cut_between_a_train_and_its_trial_is_found_by_the_marker(study: Path) -> None:
    last_train = [seq for seq, kind in rows_of(study) if kind == "answered"][-1]
    cut(study, last_train - 1)
    found = told(study)
    assert not any("TTL shows" in one for one in found)
    assert any("signal.vmrk" in one and "which no row of the journal tells of" in one for one in found)


def test_a_cut_that_only_a_report_can_show_is_found_by_its_hash(study: Path) -> None:
    with open_study(study) as opened:
        page = write_session_report(opened, opened.sessions()[0].id)
        head = opened.journal.head_hash
    cut(study, rows_of(study)[-1][0] - 1)
    (problem,) = verify_study(study)
    assert head in problem.message
    assert page.name in problem.message


def test_a_recording_left_without_a_sample_by_a_session_that_never_began_is_none(study: Path) -> None:
    (folder,) = (study / "recordings" / "R01").glob("*_threshold")
    empty = shutil.copytree(folder, folder.with_name("20200101_000000_threshold"))
    for name in ("signal.eeg", "index.bin"):
        (empty / name).write_bytes(b"")
    assert verify_study(study) == []


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_what_lies_beside_an_uncut_journal_raises_no_alarm(n_rows: int, tmp_path: Path) -> None:
    """The program dies after so many trains; what it leaves is no sign of a cut."""
    study, n_done = new_study(tmp_path / "study"), 0

    def dies(fact: object) -> None:
        nonlocal n_done
        n_done += type(fact).__name__ == "Done"
        if n_done == n_rows:
            raise KeyboardInterrupt

    with bench(config(), threshold_ua=60.0) as rig, pytest.raises(KeyboardInterrupt):
        threshold(study, config(), rig.instruments, listener=dies)
    assert verify_study(study) == []
