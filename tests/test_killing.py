"""SIGKILL of the real program on the emulated rig, in the middle of a session; then the same command again."""

import json
import subprocess
import sys
from pathlib import Path

import mne
import pytest
import tomli_w

from kindle.protocols.kindling import KindlingDone
from kindle.rig_config import load_rig
from kindle.study import open_study
from kindle.verification import verify_study
from tests.bench import new_study

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


def emulated_rig(folder: Path, log: Path, **limits: float) -> Path:
    text = (Path(__file__).parents[1] / "kindle" / "rigs" / "emulated.toml").read_text(encoding="utf-8")
    import tomllib

    raw = tomllib.loads(text)
    raw["bench"] |= {"threshold_ua": 40.0, "log": str(log)}
    raw["limits"] |= limits
    path = folder / "rig.toml"
    path.write_text(tomli_w.dumps(raw), encoding="utf-8")
    assert load_rig(str(path)).bench is not None
    return path


@pytest.mark.parametrize("kill_after_lines", [3])
def test_killed_in_mid_session_the_same_command_goes_on_without_repeating_a_train(
    tmp_path: Path, kill_after_lines: int
) -> None:
    study, log = new_study(tmp_path / "study"), tmp_path / "heard.jsonl"
    rig = emulated_rig(tmp_path, log)
    command = [
        sys.executable, "-m", "kindle", "run", "threshold",
        "--study", str(study), "--animal", "R01", "--rig", str(rig), "--last-train", "delivered",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    for _ in range(kill_after_lines + 1):
        assert process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    with open_study(study) as opened:
        (view,) = opened.sessions()
        assert view.outcome is None
        assert len(view.trials) >= kill_after_lines - 1
    folder = study / view.recordings[0].folder
    untouched = mne.io.read_raw_brainvision(folder / "signal.vhdr", verbose="error")
    assert untouched.n_times > 20 * 2000

    again = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=110)
    assert again.returncode == 0, again.stderr
    heard_ua = [round(json.loads(line)["current_ua"], 1) for line in log.read_text().splitlines()]
    assert heard_ua == sorted(set(heard_ua)), "a train was repeated"
    assert verify_study(study) == []
    with open_study(study) as opened:
        (view,) = opened.sessions()
    assert view.outcome is not None
    assert len(view.recordings) == 2


KINDLING = """\
name = "killed"
schedule = "guide_at_adt"
[threshold]
start_ua = 20.0
max_ua = 200.0
interval_s = 30.0
baseline_s = 5.0
watch_s = 6.0
onset_window_s = 5.0
lockout_after_ad_s = 60.0
[threshold.train]
shape = "biphasic"
[threshold.criterion]
secondary_window_s = 5.0
[kindling]
trains_per_day = 2
interval_s = 20.0
lockout_after_ad_s = 10.0
baseline_s = 5.0
watch_s = 6.0
current = { kind = "fixed", current_ua = 80.0 }
[kindling.train]
shape = "biphasic"
phase_us = 1000.0
pulse_hz = 50.0
train_s = 1.0
"""


@pytest.mark.parametrize("killed_when", ["before its first train", "after its first train"])
def test_a_kindling_session_that_was_killed_gives_each_of_its_trains_once(tmp_path: Path, killed_when: str) -> None:
    study, log = new_study(tmp_path / "study", KINDLING), tmp_path / "heard.jsonl"
    rig = emulated_rig(tmp_path, log, lockout_after_afterdischarge_s=10.0)
    command = [
        sys.executable, "-m", "kindle", "run", "kindling", "--study", str(study), "--animal", "R01", "--rig", str(rig),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    for _ in ("connecting", "preset"):
        assert process.stdout.readline()
    while killed_when == "after its first train" and not heard(log):
        assert process.poll() is None
    process.kill()
    process.wait()
    process.stdout.close()
    with open_study(study) as opened:
        rows = opened.journal.rows()
        n_known = sum(len(view.trials) for view in opened.sessions())
    n_heard = len(heard(log))

    came = "delivered" if n_heard > n_known else "void"
    again = subprocess.run(
        [*command, "--last-train", came], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=110
    )
    assert again.returncode == 0, again.stderr
    assert len(heard(log)) == 2
    assert verify_study(study) == []
    with open_study(study) as opened:
        assert opened.journal.rows()[: len(rows)] == rows
        (view,) = opened.sessions()
    assert isinstance(view.outcome, KindlingDone)
    assert [one.current_ua for one in view.outcome.stimulations] == [80.0, 80.0]


def heard(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []
