"""`kindle export` as a person types it: whole or not at all, never over anything, codes while the study is blind."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from exported_studies import blinded_study, fixture_study, gapped_study, opened

from kindle.cli import kindle
from kindle.errors import ConfigError, KindleError
from kindle.export.contents import contents_of, study_of
from kindle.export.destination import MANIFEST, Manifest, Meter, new_folder
from kindle.rows import Animal
from kindle.study import create_study, open_study
from tests.reported_sessions import BEGUN

FORMATS = ("nwb", "edf", "bids", "mne", "tables")


def export(*words: object) -> Result:
    return CliRunner().invoke(kindle, ["export", *map(str, words)])


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return gapped_study(tmp_path / "study")


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_written_with_a_note_of_what_it_was_made_of(tmp_path: Path, study: Path, format: str) -> None:
    done = export(format, study, tmp_path / "out")
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert (told["format"], told["study"]) == (format, "Reported")
    assert told["sessions"] == ["R01_20260304_093000_threshold"]
    with open_study(study) as one:
        assert told["journal_head"] == one.journal.head_hash
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "study"]


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_in_the_study_is_changed(tmp_path: Path, study: Path, format: str) -> None:
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert export(format, study, tmp_path / "out").exit_code == 0
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("format", FORMATS)
def test_a_blinded_study_exports_codes_and_never_what_they_hide(tmp_path: Path, format: str) -> None:
    study = blinded_study(tmp_path / "study")
    assert export(format, study, tmp_path / "out").exit_code == 0
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"valproate" not in content
            assert b"high dose" not in content


def test_the_code_itself_is_exported(tmp_path: Path) -> None:
    assert export("edf", blinded_study(tmp_path / "study"), tmp_path / "out").exit_code == 0
    (path,) = (tmp_path / "out").glob("*.edf")
    assert b"Dose/code B 2 ml/kg ip" in path.read_bytes()


def test_a_recording_folder_stands_for_its_session(tmp_path: Path, study: Path) -> None:
    folder = next((study / "recordings").glob("*/*_threshold"))
    assert study_of(folder) == study_of(folder / "signal.vhdr") == (study, folder.relative_to(study).as_posix())
    assert study_of(study) == study_of(study / "study.toml") == (study, "")
    assert export("edf", folder, tmp_path / "a").exit_code == 0
    assert export("edf", study, tmp_path / "b", "--session", "R01_20260304_093000_threshold").exit_code == 0
    assert [path.name for path in sorted((tmp_path / "a").iterdir())] == [
        path.name for path in sorted((tmp_path / "b").iterdir())
    ]


def test_an_export_is_replaced_by_force_only_and_anything_else_never(tmp_path: Path, study: Path) -> None:
    out = tmp_path / "out"
    assert export("edf", study, out).exit_code == 0
    again = export("edf", study, out)
    assert isinstance(again.exception, ConfigError)
    assert "--force" in str(again.exception)
    (out / "stale.txt").write_text("of the earlier export")
    assert export("edf", study, out, "--force").exit_code == 0
    assert not (out / "stale.txt").exists()
    other = export("nwb", study, out, "--force")
    assert isinstance(other.exception, ConfigError)
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.txt").write_text("years of work")
    refused = export("edf", study, thesis, "--force")
    assert isinstance(refused.exception, ConfigError)
    assert (thesis / "chapter.txt").read_text() == "years of work"


@pytest.mark.parametrize("where", ["", "recordings/out", "recordings"])
def test_nothing_is_exported_into_the_recordings(study: Path, where: str) -> None:
    refused = export("tables", study, study / where)
    assert isinstance(refused.exception, ConfigError)
    assert not (study / where / MANIFEST).exists()


def test_an_export_that_fails_leaves_nothing_and_keeps_the_earlier_one(tmp_path: Path, study: Path) -> None:
    out = tmp_path / "out"
    assert export("edf", study, out).exit_code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with opened(study) as (one, chosen, _):

        def failing() -> None:
            with new_folder(out, one, chosen, "edf", force=True) as folder:
                (folder / "half.edf").write_bytes(b"half")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            failing()
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "study"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("missing", "out"), "neither a study nor a recording"),
        (("study", "out", "--session", "R09"), "no session 'R09'"),
    ],
)
def test_what_is_not_there_is_refused_with_what_to_do(
    tmp_path: Path, study: Path, words: tuple[str, ...], said: str
) -> None:
    what, out, *rest = words
    refused = export("edf", tmp_path / what, tmp_path / out, *rest)
    assert isinstance(refused.exception, KindleError)
    assert said in str(refused.exception)
    assert not (tmp_path / "out").exists()


def test_a_study_without_sessions_has_nothing_to_export(tmp_path: Path) -> None:
    create_study(tmp_path / "study", 'name = "x"\n')
    with open_study(tmp_path / "study") as one:
        one.add_animal(Animal("R01"), BEGUN)
    refused = export("nwb", tmp_path / "study", tmp_path / "out")
    assert "no sessions yet" in str(refused.exception)


def test_a_recording_that_lies_elsewhere_is_told_and_written_down(tmp_path: Path, study: Path) -> None:
    folder = next((study / "recordings").glob("*/*_threshold"))
    folder.rename(tmp_path / "elsewhere")
    refused = export("edf", study, tmp_path / "out")
    assert "holds no signals to export" in str(refused.exception)
    with open_study(study) as one:
        (told,) = contents_of(one).left_out
    assert "export it on the computer that has it" in told
    assert export("tables", study, tmp_path / "tables").exit_code == 0


def test_progress_rises_to_the_whole(tmp_path: Path) -> None:
    from kindle.export.edf import write_edf

    shares: list[float] = []
    study = fixture_study(tmp_path / "study", "threshold")
    with open_study(study) as one:
        chosen = contents_of(one)
        write_edf(chosen, tmp_path, Meter(chosen.n_samples, shares.append))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_manifest_names_no_folder_of_this_computer(tmp_path: Path, study: Path) -> None:
    assert export("edf", study, tmp_path / "out").exit_code == 0
    assert str(tmp_path) not in (tmp_path / "out" / MANIFEST).read_text()
    assert set(Manifest.__struct_fields__) == set(json.loads((tmp_path / "out" / MANIFEST).read_text()))
