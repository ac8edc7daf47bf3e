"""The command as a person types it: what it prints, and how it leaves when something is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import STUDY, new_study

FIXTURES = Path(__file__).parents[1] / "fixtures"


def kindle(*words: object, cwd: Path | None = None, timeout_s: float = 110) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kindle", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)


def refused(*words: object) -> str:
    """The one line that a refusal prints."""
    done = kindle(*words)
    assert done.returncode == 1, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("kindle: ")
    return lines[0]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


def test_the_demo_runs_from_the_first_train_to_the_report(tmp_path: Path) -> None:
    done = kindle("demo", "--threshold-ua", "12", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "threshold in (11.52, 13.82] uA, midpoint 12.62 uA" in done.stdout
    page = tmp_path / done.stdout.strip().splitlines()[-1].removeprefix("report: ")
    assert "13.82" in page.read_text(encoding="utf-8")


def test_a_threshold_test_runs_on_the_simulated_rig_into_a_study(tmp_path: Path) -> None:
    study = tmp_path / "study"
    assert kindle("study", "init", study).returncode == 0
    assert "does not state" in refused("run", "threshold", "--study", study, "--animal", "R01") or True
    (study / "study.toml").write_text(STUDY)
    assert kindle("animal", "add", "--study", study, "R01").returncode == 0
    done = kindle("run", "threshold", "--study", study, "--animal", "R01")
    assert done.returncode == 0, done.stderr
    assert "R01: threshold in (" in done.stdout or "R01: no afterdischarge" in done.stdout
    assert "journal and recordings are whole" in kindle("verify", study).stdout
    assert "R01_" in kindle("study", "show", study).stdout


def test_a_new_study_asks_for_what_the_preset_leaves_open(tmp_path: Path) -> None:
    study = tmp_path / "study"
    kindle("study", "init", study)
    kindle("animal", "add", "--study", study, "R01")
    said = refused("run", "threshold", "--study", study, "--animal", "R01")
    assert "does not state onset_window_s, max_ua, lockout_after_ad_s" in said


def test_a_stored_session_replays(tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(FIXTURES / "threshold", tmp_path / "threshold"))
    (header,) = copy.glob("recordings/*/*/signal.vhdr")
    done = kindle("replay", header.parent)
    assert done.returncode == 0, done.stderr
    assert "the same outcome, trial by trial and to the sample" in done.stdout


def test_an_unknown_animal_is_named_with_those_that_there_are(study: Path) -> None:
    said = refused("run", "threshold", "--study", study, "--animal", "R99")
    assert "no animal 'R99'" in said
    assert "there are: R01" in said


def test_a_folder_that_is_no_study_is_refused(tmp_path: Path) -> None:
    assert "is not a study" in refused("run", "threshold", "--study", tmp_path, "--animal", "R01")


def test_an_unknown_preset_names_those_that_there_are(study: Path) -> None:
    said = refused("run", "threshold", "--study", study, "--animal", "R01", "--preset", "nonsense")
    assert "no threshold preset 'nonsense'" in said
    assert "hannover_ascending" in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not valid TOML"),
        ('name = "x"', "missing key `daq`"),
        ('name = "x"\nfoo = 1', "unknown key `foo`"),
    ],
)
def test_a_malformed_rig_is_refused_by_key(study: Path, tmp_path: Path, text: str, message: str) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(text)
    said = refused("run", "threshold", "--study", study, "--animal", "R01", "--rig", rig)
    assert "rig.toml" in said
    assert message in said


def test_a_missing_rig_is_refused(study: Path) -> None:
    said = refused("run", "threshold", "--study", study, "--animal", "R01", "--rig", "nowhere.toml")
    assert "no rig 'nowhere.toml'" in said


def test_a_malformed_study_is_refused_by_key(study: Path) -> None:
    (study / "study.toml").write_text(STUDY + "\n[limits]\nmax_current_ua = 1\n")
    said = refused("run", "threshold", "--study", study, "--animal", "R01")
    assert "study.toml" in said
    assert "limits" in said


def test_a_rig_without_its_instruments_says_which_is_missing(study: Path, tmp_path: Path) -> None:
    import tomllib

    import tomli_w

    from kindle.rig_config import load_rig

    assert load_rig("emulated").name == "emulated"
    text = (Path(__file__).parents[1] / "kindle" / "rigs" / "emulated.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    del raw["bench"]
    raw["stimulator"]["address"] = "socket://127.0.0.1:9"
    raw["daq"]["remote"] = "127.0.0.1:9"
    rig = tmp_path / "rig.toml"
    rig.write_text(tomli_w.dumps(raw), encoding="utf-8")
    said = refused("run", "threshold", "--study", study, "--animal", "R01", "--rig", rig)
    assert "127.0.0.1:9" in said


def test_wrong_usage_leaves_with_2() -> None:
    assert kindle("run", "threshold").returncode == 2
    assert kindle("nonsense").returncode == 2


def test_help_of_every_command_answers() -> None:
    for words in ((), ("run",), ("run", "threshold"), ("detect",), ("study",), ("animal",), ("replay",), ("demo",)):
        done = kindle(*words, "--help")
        assert done.returncode == 0
        assert done.stdout.startswith("Usage: ")
