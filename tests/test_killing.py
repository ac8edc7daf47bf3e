"""SIGKILL of the real program on the emulated rig, in the middle of a session; then the same command again."""

import json
import subprocess
import sys
from pathlib import Path

import mne
import pytest
import tomli_w

from kindle.rig_config import load_rig
from kindle.study import open_study
from kindle.verification import verify_study
from tests.bench import new_study

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


def emulated_rig(folder: Path, log: Path) -> Path:
    text = (Path(__file__).parents[1] / "kindle" / "rigs" / "emulated.toml").read_text(encoding="utf-8")
    import tomllib

    raw = tomllib.loads(text)
    raw["bench"] |= {"threshold_ua": 40.0, "log": str(log)}
    path = folder / "rig.toml"
    path.write_text(tomli_w.dumps(raw), encoding="utf-8")
    assert load_rig(str(path)).bench is not None
    return path


@pytest.mark.parametrize("kill_after_lines", [2, 4])
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
