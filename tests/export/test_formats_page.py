"""Every command of docs/formats.md, as it stands there."""

import shlex
import shutil
from pathlib import Path

import edfio
import numpy as np
import pytest
from click.testing import CliRunner
from exported_studies import fixture_study

from drivers.simulated.eeg import Background
from kindle.cli import kindle
from kindle.rows import Animal
from kindle.study import open_study
from tests.reported_sessions import BEGUN

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
COMMANDS = [line.strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("    kindle ")]
RATE_HZ = 500.0


@pytest.fixture
def laboratory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the study and the old files that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    fixture_study(tmp_path / "rats", "threshold")
    with open_study(tmp_path / "rats") as study:
        study.add_animal(Animal("R01"), BEGUN)
    (tmp_path / "old").mkdir()
    for number, name in enumerate(("cage3.edf", "cage4.edf")):
        n = round(90 * RATE_HZ)
        gate = np.zeros(n)
        gate[round(40 * RATE_HZ) : round(41 * RATE_HZ)] = 5.0
        signals = [
            edfio.EdfSignal(Background(RATE_HZ, number).uv(0, n), RATE_HZ, label="HPC r", physical_dimension="uV"),
            edfio.EdfSignal(gate, RATE_HZ, label="TTL", physical_dimension="V"),
        ]
        note = edfio.EdfAnnotation(40.0, 1.0, "stim")
        edfio.Edf(signals, annotations=[note], data_record_duration=1).write(tmp_path / "old" / name)
    return tmp_path


def test_every_command_of_the_page_does_what_it_says(laboratory: Path) -> None:
    pytest.importorskip("pynwb")
    pytest.importorskip("mne_bids")
    assert len(COMMANDS) == 10
    for command in COMMANDS:
        done = CliRunner().invoke(kindle, shlex.split(command)[1:])
        assert done.exit_code == 0, f"{command}: {done.output} {done.exception}"
    assert {path.name for path in (laboratory / "out").iterdir()} == {"nwb", "edf", "bids", "fif", "tables"}
    imported = {path.name for path in (laboratory / "rats" / "recordings" / "R01").iterdir() if path.is_dir()}
    assert len(imported) == 2
    assert "20260305_093000_import" in imported


def test_the_python_line_of_the_page_opens_a_recording(laboratory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = [line.strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if 'open_recording("' in line]
    recorded = next((laboratory / "rats" / "recordings").glob("*/*_threshold"))
    named = laboratory / "rats" / "recordings" / "R01" / "20260304_093000_threshold"
    shutil.copytree(recorded, named)
    spoken: dict[str, object] = {}
    exec(f"import kindle\n{line}", spoken)
    assert type(spoken["raw"]).__name__ == "LoadedRaw"
