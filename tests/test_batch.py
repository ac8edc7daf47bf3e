"""Many recordings into one table: here, in processes and on a Dask cluster; killed, gone on with, and compared."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from matplotlib.image import imread
from test_reanalysis import CRITERION, edf, trial, ttl

from detectors.criterion import Criterion
from kindle import batch, batch_identity, reanalysis
from kindle.batch import AlreadyDone, Analysed, Failed, analysed
from kindle.batch_comparing import compare as compare_results
from kindle.batch_table import Stored, open_table
from kindle.commands.compare import compare
from kindle.commands.detect import detect
from kindle.commands.reanalyse import reanalyse
from kindle.errors import ConfigError
from kindle.reanalysis import Asked, RecordingResult
from kindle.spreading import at_once, cluster, processes

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "fixtures" / "threshold"
ASKED = Asked(CRITERION)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four with a discharge or without, and a corrupt one among them."""
    folder = tmp_path_factory.mktemp("recordings")
    paths = [edf(folder / f"rat-{n}.edf", {"HPC": trial(n, with_discharge=n % 2 == 0), "TTL": ttl()}) for n in range(4)]
    corrupt = folder / "rat-corrupt.edf"
    corrupt.write_bytes(b"0       " + b"\xff" * 700)
    return [*paths[:2], corrupt, *paths[2:]]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="needs the extra cluster")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as local:
        yield local.scheduler_address


def into(table: Path, recordings: list[Path], asked: Asked = ASKED, *, how: Any = None, workers: int = 1) -> list[Any]:
    with open_table(table, create=True) as opened, how or at_once() as executor:
        return list(analysed(recordings, asked, executor, workers, opened))


def stored(table: Path, asked: Asked = ASKED) -> dict[str, Stored]:
    with open_table(table) as opened:
        return {Path(row.recording).name: row for row in opened.results(batch_identity.analysis_id(asked))}


def rows(table: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(table)) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def on_cluster(address: str) -> Iterator[Any]:
    with cluster(address) as found:
        yield found.executor


def results_of(table: Path) -> dict[str, RecordingResult | None]:
    return {name: row.result for name, row in stored(table).items()}


def test_a_corrupt_file_among_good_ones_stops_none_and_its_reason_stands_in_the_table(
    recordings: list[Path], tmp_path: Path
) -> None:
    outcomes = into(tmp_path / "t.sqlite", recordings)
    assert [type(outcome) for outcome in outcomes] == [Analysed, Analysed, Failed, Analysed, Analysed]
    found = stored(tmp_path / "t.sqlite")
    assert "rat-corrupt.edf" in found["rat-corrupt.edf"].reason
    verdicts = rows(tmp_path / "t.sqlite", "SELECT verdict FROM trials ORDER BY recording")
    assert verdicts == [("afterdischarge",), ("none",), ("afterdischarge",), ("none",)]


def test_processes_and_a_dask_cluster_find_what_is_found_here(
    recordings: list[Path], scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into(tmp_path / "here.sqlite", recordings)
    into(tmp_path / "two.sqlite", recordings, how=processes(2), workers=2)
    monkeypatch.setattr(reanalysis, "WORTH_SPLITTING", 0)
    into(tmp_path / "dask.sqlite", recordings, how=on_cluster(scheduler), workers=2)
    here = results_of(tmp_path / "here.sqlite")
    assert len(here) == 5
    assert results_of(tmp_path / "two.sqlite") == here
    assert results_of(tmp_path / "dask.sqlite") == here


def test_the_channels_of_a_long_recording_are_shared_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = edf(tmp_path / "four.edf", {name: trial(n) for n, name in enumerate("ABCD")} | {"TTL": ttl()})
    into(tmp_path / "whole.sqlite", [path])
    monkeypatch.setattr(reanalysis, "WORTH_SPLITTING", 0)
    judged: list[Any] = []
    judge = batch.judge
    monkeypatch.setattr(batch, "judge", lambda part: judged.append(part.names) or judge(part))
    into(tmp_path / "shared.sqlite", [path], workers=3)
    assert sorted(judged) == [("A",), ("B",), ("C", "D")]
    assert results_of(tmp_path / "shared.sqlite") == results_of(tmp_path / "whole.sqlite")


def test_what_is_done_is_not_done_again_wherever_it_lies(recordings: list[Path], tmp_path: Path) -> None:
    table = tmp_path / "t.sqlite"
    into(table, recordings)
    before = rows(table, "SELECT rowid, recording FROM results WHERE status = 'done'")
    again = into(table, recordings)
    assert [type(outcome) for outcome in again] == [AlreadyDone, AlreadyDone, Failed, AlreadyDone, AlreadyDone]
    moved = shutil.copy(recordings[0], tmp_path / "moved.edf")
    assert into(table, [Path(moved)]) == [AlreadyDone(Path(moved))]
    assert rows(table, "SELECT rowid, recording FROM results WHERE status = 'done'") == before


def test_another_criterion_detector_or_content_is_done_anew(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, path = tmp_path / "t.sqlite", Path(shutil.copy(recordings[0], tmp_path / "a.edf"))
    assert isinstance(into(table, [path])[0], Analysed)
    assert isinstance(into(table, [path], Asked(replace(CRITERION, amplitude_ratio=3.0)))[0], Analysed)
    assert isinstance(into(table, [path], replace(ASKED, channels=("HPC",)))[0], Analysed)
    edf(path, {"HPC": trial(7), "TTL": ttl()})
    assert isinstance(into(table, [path])[0], Analysed)
    newer = batch_identity.software() | {"detector": "newer"}
    for module in (batch_identity, batch, sys.modules["kindle.batch_table"]):
        monkeypatch.setattr(module, "software", lambda: newer)
    assert isinstance(into(table, [path])[0], Analysed)
    assert rows(table, "SELECT COUNT(*) FROM analyses") == [(4,)]


def test_versions_and_parameters_stand_with_each_result(recordings: list[Path], tmp_path: Path) -> None:
    table = tmp_path / "t.sqlite"
    into(table, recordings[:1])
    ((parameters, software),) = rows(
        table, "SELECT parameters, software FROM results JOIN analyses ON analyses.id = analysis"
    )
    assert json.loads(parameters)["criterion"]["onset_window_s"] == CRITERION.onset_window_s
    assert json.loads(parameters)["stimulus"] == {"kind": "Automatic"}
    assert set(json.loads(software)) == {"kindle", "detector", "python", "numpy", "scipy", "mne"}


def test_a_worker_with_another_detector_is_refused(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = batch._begun

    def elsewhere(*given: Any) -> Any:
        done = begun(*given)
        return replace(done, by=done.by | {"detector": "older"})

    monkeypatch.setattr(batch, "_begun", elsewhere)
    (outcome,) = into(tmp_path / "t.sqlite", recordings[:1])
    assert isinstance(outcome, Failed)
    assert "a worker has detector older" in outcome.reason


def test_a_recording_that_changes_while_it_is_analysed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = edf(tmp_path / "a.edf", {"HPC": trial(), "TTL": ttl()})
    begun = batch._begun

    def touched(*given: Any) -> Any:
        done = begun(*given)
        os.utime(path, ns=(1, 1))
        return done

    monkeypatch.setattr(batch, "_begun", touched)
    (outcome,) = into(tmp_path / "t.sqlite", [path])
    assert isinstance(outcome, Failed)
    assert "was changed" in outcome.reason


def killer(recording: Path) -> None:
    os._exit(9)


def test_a_process_that_dies_leaves_a_reason_for_each_recording(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "identify", killer)
    outcomes = into(tmp_path / "t.sqlite", recordings, how=processes(1), workers=2)
    assert {outcome.path for outcome in outcomes} == set(recordings)
    assert all(isinstance(outcome, Failed) and "ended by the system" in outcome.reason for outcome in outcomes)
    monkeypatch.undo()
    assert sum(isinstance(outcome, Analysed) for outcome in into(tmp_path / "t.sqlite", recordings)) == 4


def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    paths = [edf(tmp_path / f"{n}.edf", {"HPC": trial(n), "TTL": ttl()}) for n in range(12)]
    table = tmp_path / "t.sqlite"
    command = [sys.executable, "-m", "kindle", "detect", *map(str, paths), "--table", str(table), "--jobs", "1"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    unhurried = threading.Event()
    while not table.exists() or n_done(table) < 2:
        assert running.poll() is None
        unhurried.wait(0.01)
    running.kill()
    running.wait()
    before = rows(table, "SELECT rowid, recording, finished_utc FROM results")
    assert 2 <= len(before) < 12
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=110, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["already_done"], told["analysed"]) == (len(before), 12 - len(before))
    after = rows(table, "SELECT rowid, recording, finished_utc FROM results")
    assert set(before) < set(after)
    assert len(after) == 12


def n_done(table: Path) -> int:
    try:
        return int(rows(table, "SELECT COUNT(*) FROM results")[0][0])
    except sqlite3.OperationalError:  # its tables are being made
        return 0


def typed(command: Any, *words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_the_command_counts_what_failed_and_fails_itself(recordings: list[Path], tmp_path: Path) -> None:
    done = typed(detect, *recordings, tmp_path / "nowhere.edf", "--table", tmp_path / "t.sqlite")
    assert done.exit_code == 1
    assert "4 analysed, 0 done before, 2 failed" in done.output
    assert "2 of 6 recordings failed" in str(done.exception)
    assert "nowhere.edf" in stored(tmp_path / "t.sqlite", Asked(Criterion()))["nowhere.edf"].reason


def test_a_cluster_is_named_by_its_address(recordings: list[Path], scheduler: str, tmp_path: Path) -> None:
    table = tmp_path / "t.sqlite"
    good = [path for path in recordings if "corrupt" not in path.name]
    done = typed(detect, *good, "--table", table, "--scheduler", scheduler, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["analysed"] == 4
    shown = typed(detect, good[0], "--scheduler", scheduler)
    assert "afterdischarge" in shown.output


def test_a_scheduler_that_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra cluster")
    monkeypatch.setattr("kindle.spreading.CONNECT_S", 0.5)
    with (
        pytest.raises(ConfigError, match="no Dask scheduler answers at"),
        cluster("tcp://127.0.0.1:1"),
    ):
        pass


def test_a_study_is_judged_again_and_compared_with_another_criterion(tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(STUDY, study)
    table = study / "reanalysis.sqlite"
    short = "onset_window_s = 8.0\nbaseline_s = 10.0\nsecondary_window_s = 10.0\n"
    (tmp_path / "short.toml").write_text(short)
    first = typed(reanalyse, study, "--criterion", tmp_path / "short.toml", "--json")
    assert first.exit_code == 0, first.output
    assert json.loads(first.output)["analysed"] == 1
    (tmp_path / "strict.toml").write_text(f"{short}min_duration_s = 300.0\n")
    second = typed(reanalyse, study, "--criterion", tmp_path / "strict.toml", "--json")
    a, b = (f"{table}@{json.loads(done.output)['analysis']}" for done in (first, second))
    found = json.loads(typed(compare, a, b, "--json").output)
    (change,) = found["verdict_changes"]
    assert (change["verdict_a"], change["verdict_b"]) == ("afterdischarge", "none")
    assert found["n_trials"] == found["n_same_verdict"] + 1
    assert [only["which"] for only in found["only"]] == ["A"]
    assert "afterdischarge -> none" in typed(compare, a, b).output
    refused = typed(compare, table, b)
    assert "holds 2 analyses, say which" in str(refused.exception)


def lengthened(row: Stored, by_s: float) -> Stored:
    assert row.result is not None
    value = msgspec.to_builtins(row.result)
    for channel in value["channels"]:
        for judged in channel["trials"]:
            if judged["durations_s"]["total"]:
                judged["durations_s"]["total"] += by_s
    return replace(row, result=msgspec.convert(value, RecordingResult))


def test_the_criterion_of_a_study_is_that_of_its_study_toml(tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(STUDY, study)
    config = (study / "study.toml").read_text()
    assert "baseline_s = 10.0" in config
    (study / "study.toml").write_text(config.replace("baseline_s = 10.0", "baseline_s = 11.0"))
    done = typed(reanalyse, study, "--table", tmp_path / "t.sqlite")
    assert done.exit_code == 0, done.output
    ((parameters,),) = rows(tmp_path / "t.sqlite", "SELECT parameters FROM analyses")
    assert json.loads(parameters)["criterion"]["baseline_s"] == 11.0


def test_bias_and_limits_are_of_b_minus_a(recordings: list[Path], tmp_path: Path) -> None:
    table = tmp_path / "t.sqlite"
    into(table, recordings)
    base = [row for row in stored(table).values() if row.result and row.result.channels[0].trials[0].afterdischarges]
    several = [replace(row, content=f"{row.content}{n}") for row in base for n in range(3)]
    found = compare_results(several, [lengthened(row, by) for row, by in zip(several, (1, 2, 3) * 2, strict=True)])
    agreement = found.durations
    assert agreement is not None
    assert (agreement.n, agreement.bias) == (6, pytest.approx(2.0))
    assert agreement.upper_limit - agreement.bias == pytest.approx(1.96 * 0.8944, abs=0.001)
    assert not found.changes


def test_recordings_of_only_one_analysis_are_named_with_the_reason(recordings: list[Path], tmp_path: Path) -> None:
    into(tmp_path / "a.sqlite", recordings[:1])
    into(tmp_path / "b.sqlite", recordings[1:3])
    shown = typed(compare, tmp_path / "a.sqlite", tmp_path / "b.sqlite").output
    assert "0 recordings in both" in shown
    assert f"only in A: recording {recordings[0]} not analysed there" in shown
    assert f"only in B: recording {recordings[1]} not analysed there" in shown
    assert "rat-corrupt" not in shown


def test_the_figure_is_drawn_on_request_and_refused_without_pairs(tmp_path: Path) -> None:
    paths = [edf(tmp_path / f"{n}.edf", {"HPC": trial(n), "TTL": ttl()}) for n in range(3)]
    into(tmp_path / "t.sqlite", paths)
    table, figure = tmp_path / "t.sqlite", tmp_path / "agreement.png"
    assert typed(compare, table, table, "--figure", figure).exit_code == 0
    assert imread(figure).std() > 0.01
    into(tmp_path / "one.sqlite", paths[:1])
    refused = typed(compare, tmp_path / "one.sqlite", tmp_path / "one.sqlite", "--figure", tmp_path / "none.png")
    assert "too few to draw" in str(refused.exception)
    assert not (tmp_path / "none.png").exists()


def test_what_is_no_table_of_results_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.sqlite", tmp_path / "text.sqlite", STUDY / "journal.sqlite"):
        if path.name == "text.sqlite":
            path.write_text("no database at all, but a text that is long enough to be mistaken for one" * 3)
        refused = typed(compare, path, path)
        assert isinstance(refused.exception, ConfigError)
        assert path.name in str(refused.exception)
    assert isinstance(typed(detect, "x.edf", "--table", STUDY / "journal.sqlite").exception, ConfigError)
