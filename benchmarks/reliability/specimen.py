"""A sound study with one recorded session, for others to damage."""

import shutil
import subprocess
import sys
from pathlib import Path

ANIMAL = "R01"
STUDY = """\
name = "specimen"
preset = "hannover_ascending"
[threshold]
start_ua = 24.0
max_ua = 200.0
interval_s = 30.0
baseline_s = 10.0
watch_s = 15.0
onset_window_s = 10.0
lockout_after_ad_s = 60.0
[threshold.train]
shape = "biphasic"
"""


def kindle(*arguments: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """The command as a person starts it, its terminal being no terminal."""
    command = [sys.executable, "-m", "kindle", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)


def specimen(folder: Path) -> Path:
    """A study in ``folder``, made by the commands that people use. Raises ``RuntimeError`` where one of them fails."""
    study = folder / "specimen"
    _done("study", "init", str(study))
    (study / "study.toml").write_text(STUDY)
    _done("animal", "add", ANIMAL, "--study", str(study))
    _done("run", "threshold", "--study", str(study), "--animal", ANIMAL, "--rig", "simulated")
    return study


def recorded(folder: Path) -> Path:
    """A study in ``folder`` with one recorded session, which is quicker to copy than to run."""
    return Path(shutil.copytree(Path(__file__).parents[2] / "fixtures" / "threshold", folder / "specimen"))


def _done(*arguments: str) -> None:
    ran = kindle(*arguments)
    if ran.returncode:
        raise RuntimeError(f"kindle {' '.join(arguments)}: {ran.stderr.strip() or ran.stdout.strip()}")
