"""Commands that write, killed anywhere in it: nothing half-written is taken for whole, and the next run mends all."""

import shutil
import sys
from pathlib import Path

import edfio
import numpy as np
import pytest
from click.testing import CliRunner

from kindle.cli import kindle
from kindle.imported import imported_recordings
from kindle.study import open_study
from kindle.verification import verify_study
from tests.bench import bench, config, new_study, threshold

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and forkserver are POSIX")

N_KILLS = 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = new_study(tmp_path_factory.mktemp("dying") / "study")
    with bench(config(), threshold_ua=24.0) as rig:
        threshold(folder, config(), rig.instruments)
    return folder


def typed(*words: object) -> str:
    done = CliRunner().invoke(kindle, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def spread(n: int) -> list[int]:
    """The first, the last and some between."""
    return sorted({1, n, *(1 + (n - 1) * step // (N_KILLS - 1) for step in range(N_KILLS))})


def test_a_report_that_is_killed_leaves_a_whole_page_or_none_and_the_next_one_is_whole(
    whole: Path, tmp_path: Path
) -> None:
    from tests.dying_commands import killed, n_touched

    undisturbed = shutil.copytree(whole, tmp_path / "undisturbed")
    n = n_touched(["report", undisturbed], undisturbed)
    names = {path.name for path in (undisturbed / "report").iterdir()}
    for at in spread(n):
        study = shutil.copytree(whole, tmp_path / f"killed-{at}")
        killed(["report", study], study, at)
        page = study / "report" / "index.html"
        assert not page.exists() or page.read_text(encoding="utf-8").rstrip().endswith("</html>")
        assert verify_study(study) == []
        typed("report", study)
        assert {path.name for path in (study / "report").iterdir()} == names
        assert verify_study(study) == []


def test_an_export_that_is_killed_is_there_whole_or_not_at_all(whole: Path, tmp_path: Path) -> None:
    from tests.dying_commands import killed, n_touched

    n = n_touched(["export", "tables", whole, tmp_path / "undisturbed"], tmp_path)
    names = {path.name for path in (tmp_path / "undisturbed").iterdir()}
    for at in spread(n):
        out = tmp_path / f"killed-{at}"
        killed(["export", "tables", whole, out], tmp_path, at)
        if out.exists():
            assert {path.name for path in out.iterdir()} == names
        typed("export", "tables", whole, out, "--force")
        assert {path.name for path in out.iterdir()} == names
    assert verify_study(whole) == []


def test_an_import_that_is_killed_says_what_is_left_of_it_and_is_then_made_anew(whole: Path, tmp_path: Path) -> None:
    from tests.dying_commands import killed, n_touched

    file = tmp_path / "other.edf"
    counts = np.random.default_rng(0).integers(-30_000, 30_000, 5000).astype(np.int16)
    signal = edfio.EdfSignal.from_digital(
        counts, 500.0, label="HPC", physical_dimension="uV", physical_range=(-3276.8, 3276.7)
    )
    edfio.Edf([signal], data_record_duration=1).write(file)
    undisturbed = shutil.copytree(whole, tmp_path / "undisturbed")
    n = n_touched(["import", file, "--study", undisturbed, "--animal", "R01"], undisturbed)
    for at in spread(n):
        study = shutil.copytree(whole, tmp_path / f"killed-{at}")
        command = ["import", file, "--study", study, "--animal", "R01"]
        killed(command, study, at)
        with open_study(study) as opened:
            n_known = len(list(imported_recordings(opened)))
        left = [path for path in (study / "recordings" / "R01").iterdir() if "_import" in path.name]
        if n_known:
            assert verify_study(study) == []
            continue
        problems = verify_study(study)
        assert {problem.path for problem in problems} <= set(left)
        assert all("remove the folder and import again" in problem.message for problem in problems)
        for path in left:
            shutil.rmtree(path)
        typed(*command)
        assert verify_study(study) == []


def test_a_correction_that_is_killed_stands_whole_or_not_at_all(whole: Path, tmp_path: Path) -> None:
    from tests.dying_commands import killed, n_touched

    first = shutil.copytree(whole, tmp_path / "first")
    typed("animal", "weigh", "--study", first, "R01", "250")
    with open_study(first) as opened:
        row = opened.journal.last_seq

    def corrected(study: Path) -> list[object]:
        return ["amend", "--study", study, "--by", "A. Person", "--reason", "mistyped", row, "weight_g", "260"]

    undisturbed = shutil.copytree(first, tmp_path / "undisturbed")
    for at in spread(n_touched(corrected(undisturbed), undisturbed)):
        study = shutil.copytree(first, tmp_path / f"killed-{at}")
        killed(corrected(study), study, at)
        assert verify_study(study) == []
        typed(*corrected(study))
        assert verify_study(study) == []
