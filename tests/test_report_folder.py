"""The folder of a report: made anew by every report, and nobody else's file is lost."""

from hashlib import sha256
from pathlib import Path

import pytest

from kindle.errors import KindleError
from kindle.report.report_folder import PAGE, WRITTEN, write_folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {WRITTEN}


def test_what_an_earlier_report_wrote_and_this_one_does_not_is_removed(tmp_path: Path) -> None:
    write_folder(tmp_path, {PAGE: b"old", "paired_1.svg": b"1", "paired_2.svg": b"2"})
    write_folder(tmp_path, {PAGE: b"new", "paired_1.svg": b"1"})
    assert names(tmp_path) == {PAGE, "paired_1.svg"}
    assert (tmp_path / PAGE).read_bytes() == b"new"


def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    write_folder(tmp_path, {PAGE: b"page"})
    write_folder(tmp_path, {PAGE: b"page"})
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_stale_file_that_somebody_changed_stays(tmp_path: Path) -> None:
    write_folder(tmp_path, {PAGE: b"page", "figure.svg": b"drawn"})
    (tmp_path / "figure.svg").write_bytes(b"drawn, with an arrow added")
    write_folder(tmp_path, {PAGE: b"page"})
    assert (tmp_path / "figure.svg").read_bytes() == b"drawn, with an arrow added"


def test_what_somebody_wrote_into_a_file_of_the_report_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / PAGE).write_bytes(b"a page of somebody else")
    write_folder(tmp_path, {PAGE: b"one"})
    (tmp_path / PAGE).write_bytes(b"one, with a remark")
    write_folder(tmp_path, {PAGE: b"two"})
    write_folder(tmp_path, {PAGE: b"three"})
    assert (tmp_path / "index.kept-1.html").read_bytes() == b"a page of somebody else"
    assert (tmp_path / "index.kept-2.html").read_bytes() == b"one, with a remark"
    assert names(tmp_path) == {PAGE, "index.kept-1.html", "index.kept-2.html"}


def test_a_report_that_broke_off_is_cleared_by_the_next_one(tmp_path: Path) -> None:
    write_folder(tmp_path, {PAGE: b"old", "old.csv": b"1"})
    (tmp_path / "blocked.csv.partial").mkdir()
    with pytest.raises(KindleError, match="cannot write the report"):
        write_folder(tmp_path, {PAGE: b"broken off", "a.csv": b"2", "blocked.csv": b"3"})
    assert (tmp_path / PAGE).read_bytes() == b"old", "the page is written last"
    assert "a.csv" in names(tmp_path)
    (tmp_path / "blocked.csv.partial").rmdir()
    write_folder(tmp_path, {PAGE: b"new"})
    assert names(tmp_path) == {PAGE}


@pytest.mark.parametrize(
    "list_of_files", ["not json", f'{{"../kept.txt": ["{sha256(b"kept").hexdigest()}"]}}', '["kept.txt"]']
)
def test_a_damaged_list_removes_nothing(list_of_files: str, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept", encoding="utf-8")
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / WRITTEN).write_text(list_of_files, encoding="utf-8")
    write_folder(folder, {PAGE: b"page"})
    assert (tmp_path / "kept.txt").exists()
    assert names(folder) == {PAGE}
