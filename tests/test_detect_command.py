"""`kindle detect` as a person types it, on the fixtures and, where they are, on the real recordings."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
RECORDINGS = ROOT.parent / "shared" / "recordings"
(FIXTURE,) = (ROOT / "fixtures" / "threshold").glob("recordings/*/*/signal.vhdr")
TRUTH = json.loads((ROOT / "fixtures" / "threshold" / "truth.json").read_text())

needs_shared = pytest.mark.skipif(not RECORDINGS.exists(), reason="needs ../shared")


def detect(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kindle", "detect", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, stdin=subprocess.DEVNULL)


def found(*words: object) -> list[dict[str, Any]]:
    done = detect(*words, "--json")
    assert done.returncode == 0, done.stderr
    recordings: list[dict[str, Any]] = json.loads(done.stdout)["recordings"]
    return recordings


@pytest.fixture(scope="module")
def criterion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("criterion") / "short.toml"
    path.write_text("onset_window_s = 8.0\nbaseline_s = 10.0\nsecondary_window_s = 10.0\n")
    return path


@pytest.mark.parametrize("stimulus", ["channel:TTL", "channel:Current", "annotation:train", "artefact", None])
def test_every_way_to_name_the_trains_finds_the_same_afterdischarge(criterion: Path, stimulus: str | None) -> None:
    spec = ("--stimulus", stimulus) if stimulus else ()
    (recording,) = found(FIXTURE, *spec, "--criterion", criterion)
    (channel,) = recording["channels"]
    assert [trial["verdict"] for trial in channel["trials"]] == ["none", "none", "afterdischarge"]
    onset_us, end_us = TRUTH["heard"][-1]["discharge_us"]
    (event,) = channel["trials"][-1]["afterdischarges"]
    assert event["onset_s"] == pytest.approx(onset_us * 1e-6, abs=0.25)
    assert event["end_s"] == pytest.approx(end_us * 1e-6, abs=0.25)
    for trial, heard in zip(channel["trials"], TRUTH["heard"], strict=True):
        assert trial["stimulus"]["onset_s"] == pytest.approx(heard["start_us"] * 1e-6, abs=0.003)


def test_the_json_has_exactly_the_fields_that_are_promised(criterion: Path) -> None:
    (recording,) = found(FIXTURE, "--criterion", criterion)
    assert set(recording) == {"path", "rate_hz", "duration_s", "channels"}
    (channel,) = recording["channels"]
    assert set(channel) == {"name", "flags", "trials", "seizures"}
    trial = channel["trials"][-1]
    assert set(trial) == {"stimulus", "verdict", "reason", "afterdischarges", "durations_s"}
    assert set(trial["stimulus"]) == {"onset_s", "end_s"}
    assert set(trial["durations_s"]) == {"from_train_end", "from_first_spike", "total"}
    assert set(trial["afterdischarges"][0]) == {
        "kind", "onset_s", "end_s", "duration_s", "n_spikes", "spike_hz", "median_ratio", "end_grade", "confidence",
    }  # fmt: skip


def test_the_table_names_verdict_onset_and_end(criterion: Path) -> None:
    done = detect(FIXTURE, "--criterion", criterion)
    assert done.returncode == 0
    assert "afterdischarge" in done.stdout
    assert "onset (s)" in done.stdout


@needs_shared
def test_the_seizure_of_the_real_recording_is_found() -> None:
    (recording,) = found(RECORDINGS / "rat_cortex_seizure.edf", "--stimulus", "none")
    (seizure,) = recording["channels"][0]["seizures"]
    assert set(seizure) == {"onset_s", "end_s", "duration_s", "confidence"}
    assert seizure["onset_s"] == pytest.approx(12.7, abs=0.5)
    assert min(abs(seizure["end_s"] - mark) for mark in (71.6, 68.5)) <= 1.0


@needs_shared
def test_real_recordings_without_a_seizure_yield_nothing() -> None:
    controls = ("rat_cortex_control", "rat_hippocampus_theta", "mouse_cortex_movement")
    recordings = found(*(RECORDINGS / f"{name}.edf" for name in controls), "--stimulus", "none")
    assert [channel["seizures"] for recording in recordings for channel in recording["channels"]] == [[]] * 12


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere.edf",), "nowhere.edf"),
        ((ROOT / "pyproject.toml",), "pyproject.toml"),
        ((FIXTURE, "--channel", "EEG9"), "EEG9"),
        ((FIXTURE, "--stimulus", "channel:None"), "None"),
        ((FIXTURE, "--stimulus", "nonsense"), "nonsense"),
        ((FIXTURE, "--stimulus", "times:12,abc"), "abc"),
        ((FIXTURE, "--stimulus", "annotation:nothing"), "nothing"),
        ((FIXTURE, "--preset", "nonsense"), "nonsense"),
        ((FIXTURE, "--criterion", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(words: tuple[object, ...], message: str) -> None:
    done = detect(*words)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("kindle: ")
    assert message in line
    assert done.stdout == ""


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    broken = tmp_path / "broken.edf"
    broken.write_bytes(b"0       " + b" " * 300)
    done = detect(broken, FIXTURE)
    assert done.returncode == 1
    assert "afterdischarge" in done.stdout
    assert "broken.edf" in done.stderr
