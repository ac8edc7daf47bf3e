"""The command as a person types it: what it prints, and how it leaves when something is wrong."""

import io
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import click.testing
import pytest

from kindle.cli import kindle as kindle_command
from kindle.cli import main
from kindle.errors import ConfigError
from kindle.prepared import check_plan
from kindle.preset_reader import sourced_fields
from kindle.presets import load_threshold_preset, open_fields, resolve, threshold_presets
from kindle.rig_config import load_rig
from kindle.rows import Animal
from kindle.study import open_study
from kindle.study_template import study_toml
from tests.bench import STUDY, new_study

FIXTURES = Path(__file__).parents[1] / "fixtures"


def kindle(*words: object, cwd: Path | None = None, timeout_s: float = 110) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kindle", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)


def here(*words: object) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has what it needs in memory already."""
    argv = ["kindle", *map(str, words)]
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", argv)
        try:
            main()
        except SystemExit as left:
            code = left.code
        else:
            code = 0
    assert isinstance(code, int)
    return subprocess.CompletedProcess(argv, code, out.getvalue(), err.getvalue())


def refused(*words: object) -> str:
    """The one line that a refusal prints."""
    done = here(*words)
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
    assert here("study", "init", study).returncode == 0
    (study / "study.toml").write_text(STUDY)
    assert here("animal", "add", "--study", study, "R01").returncode == 0
    done = here("run", "threshold", "--study", study, "--animal", "R01")
    assert done.returncode == 0, done.stderr
    assert "R01: threshold in (" in done.stdout or "R01: no afterdischarge" in done.stdout
    assert "journal and recordings are whole" in here("verify", study).stdout
    shown = here("study", "show", study).stdout
    assert "test: 1 animal, 1 session, preset hannover_ascending" in shown
    assert "rig simulated" in shown
    assert "no animal is stimulated" in done.stdout


def test_a_new_study_asks_for_what_the_preset_leaves_open(tmp_path: Path) -> None:
    study = tmp_path / "study"
    here("study", "init", study)
    here("animal", "add", "--study", study, "R01")
    said = refused("run", "threshold", "--study", study, "--animal", "R01")
    assert "does not state onset_window_s, max_ua, lockout_after_ad_s" in said


def test_a_stored_session_replays(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FIXTURES / "threshold", tmp_path / "threshold"))
    (header,) = copy.glob("recordings/*/*/signal.vhdr")
    done = here("replay", header.parent)
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
    assert "missing key `max_phase_us` under [limits]" in said


def test_a_new_study_runs_once_its_open_values_are_filled_in(tmp_path: Path) -> None:
    study = tmp_path / "Ratten im Käfig 2"
    assert here("study", "init", study, "--name", 'Käfig "2"\n').returncode == 0
    config = study / "study.toml"
    text = config.read_text(encoding="utf-8")
    for key, value in (("onset_window_s", "10.0"), ("max_ua", "8.0"), ("lockout_after_ad_s", "14400.0")):
        assert re.search(rf"^# {key} = +#", text, re.MULTILINE), text
        text = re.sub(rf"^# {key} = +#", f"{key} = {value}  #", text, flags=re.MULTILINE)
    config.write_text(text, encoding="utf-8")
    assert here("animal", "add", "--study", study, "R01", "--strain", "Wistar").returncode == 0
    assert here("animal", "list", "--study", study).stdout == "R01  rat, Wistar\n"
    done = here("run", "threshold", "--study", study, "--animal", "R01")
    assert done.returncode == 0, done.stderr
    assert "threshold > 8 uA" in done.stdout
    (header,) = study.glob("recordings/R01/*/signal.vhdr")
    assert "nothing to cut" in here("recover", header.parent).stdout
    with (header.parent / "signal.eeg").open("ab") as signal:
        signal.write(b"torn")
    assert "4 bytes cut, kept in tail.bin" in here("recover", header.parent).stdout


@pytest.mark.parametrize("name", threshold_presets())
def test_every_line_of_a_new_study_is_a_setting_that_the_preset_knows(name: str) -> None:
    """Uncommented, what the preset states is read back as it was; what it leaves open is there to be filled in."""
    preset = load_threshold_preset(name)
    text = study_toml("x", preset)
    stated = re.sub(r"^# (\w+ = [^ #]|\[electrode)", r"\1", text, flags=re.MULTILINE)
    again = load_threshold_preset(name, tomllib.loads(stated)["threshold"])
    before, after = dict(sourced_fields(preset)), dict(sourced_fields(again))
    assert {field: value.value for field, value in after.items()} == {f: v.value for f, v in before.items()}
    assert any(value.status == "laboratory" for value in after.values())
    for field in open_fields(preset):
        assert re.search(rf"^# {field.rpartition('.')[2]} = +# ", text, re.MULTILINE), field


@pytest.mark.parametrize("id", ["../x", "CON", "nul.txt", "R01.", "", "a" * 65, "Ratte ä", "-x", "R\n1"])
def test_an_animal_that_cannot_name_a_folder_is_refused(study: Path, id: str) -> None:
    with open_study(study) as opened, pytest.raises(ConfigError, match=r"^animal '[^\n]*; (use|choose)|device; choose"):
        opened.add_animal(Animal(id), datetime.now(UTC))
    assert sorted(path.name for path in study.iterdir()) == ["journal.sqlite", "recordings", "study.toml"]


def test_a_study_cannot_be_made_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot make the study" in refused("study", "init", tmp_path / "file" / "study")
    assert "cannot make the study" in refused("study", "init", tmp_path / ("x" * 300))


def test_a_folder_that_is_no_study_is_neither_verified_nor_reported(tmp_path: Path) -> None:
    assert "is not a study" in refused("verify", tmp_path)
    assert "is not a study" in refused("report", tmp_path)
    assert "has no sessions yet" in refused("report", new_study(tmp_path / "empty"))


def test_a_changed_byte_of_the_signal_is_found(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FIXTURES / "threshold", tmp_path / "threshold"))
    (signal,) = copy.glob("recordings/*/*/signal.eeg")
    content = bytearray(signal.read_bytes())
    content[len(content) // 2] ^= 1
    signal.write_bytes(content)
    done = here("verify", copy)
    assert done.returncode == 1
    assert "are not as they were written" in done.stdout
    assert (
        done.stderr == f"kindle: {copy}: 1 problem found, listed above; compare the files with a copy before going on\n"
    )


def test_a_recording_that_ends_too_soon_is_not_replayed(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FIXTURES / "threshold", tmp_path / "threshold"))
    (signal,) = copy.glob("recordings/*/*/signal.eeg")
    signal.write_bytes(signal.read_bytes()[:-3])
    assert "ends before its protocol does" in refused("replay", signal.parent)


def test_a_study_is_no_recording_to_replay(study: Path) -> None:
    assert "is a study; give one of its recordings" in refused("replay", study)


def test_every_preset_is_listed_with_what_is_to_be_filled_in() -> None:
    said = here("study", "presets").stdout
    assert said.count("to fill in") == len(threshold_presets())
    assert "its stop, first_convulsion, is not available" in said


def test_the_example_of_a_rig_is_one_that_the_hannover_series_runs_on() -> None:
    rig = load_rig(str(Path(__file__).parents[1] / "docs" / "rigs" / "pulsepal_nidaq.toml"))
    assert rig.bench is None
    values = {"max_ua": 500.0, "onset_window_s": 30.0, "lockout_after_ad_s": 14_400.0}
    check_plan(resolve(load_threshold_preset("hannover_ascending", values)), rig.limits)


@pytest.mark.parametrize(
    ("written", "instead", "message"),
    [
        ('address = "COM5"', "", "has no address; give the serial port"),
        ("sync_channel = 2", "sync_channel = 1", "channel and sync_channel are both 1"),
        ('role = "stimulus_ttl"', 'role = "aux"', '0 of [[daq.inputs]] have role = "stimulus_ttl"; a rig has one'),
        ('role = "eeg"', 'role = "aux"', '0 of [[daq.inputs]] have role = "eeg"; a rig has at least one'),
        ('name = "Ground"', 'name = "TTL"', '2 of [[daq.inputs]] have name = "TTL"; give each a name of its own'),
        ('name = "Ground"', 'name = ""', '1 of [[daq.inputs]] have name = ""; give each a name of its own'),
    ],
)
def test_a_rig_wired_wrongly_in_its_file_is_refused(tmp_path: Path, written: str, instead: str, message: str) -> None:
    example = (Path(__file__).parents[1] / "docs" / "rigs" / "pulsepal_nidaq.toml").read_text(encoding="utf-8")
    assert example.count(written) == 1
    path = tmp_path / "rig.toml"
    path.write_text(example.replace(written, instead), encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_rig(str(path))


def test_a_rig_without_its_instruments_says_which_is_missing(study: Path, tmp_path: Path) -> None:
    import tomli_w

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
    assert here("nonsense").returncode == 2


def test_a_refusal_leaves_with_1_and_without_a_traceback(tmp_path: Path) -> None:
    done = kindle("study", "show", tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(r"kindle: [^\n]* is not a study: [^\n]*\n", done.stderr)


def test_help_of_every_command_answers() -> None:
    for words in ((), ("run",), ("run", "threshold"), ("detect",), ("study",), ("animal",), ("replay",), ("demo",)):
        done = here(*words, "--help")
        assert done.returncode == 0
        assert done.stdout.startswith("Usage: ")


def test_the_list_of_commands_is_told_in_whole_sentences_at_80_columns() -> None:
    inner = [command for command in kindle_command.commands.values() if isinstance(command, click.Group)]
    for group in (kindle_command, *inner):
        shown = click.testing.CliRunner().invoke(group, ["--help"], env={"COLUMNS": "80"}).output
        assert "..." not in shown.partition("Commands:")[2]
        assert max(map(len, shown.splitlines())) <= 80
