"""What the campaign looks for in pages, rights and browsers, it finds."""

import sys
from pathlib import Path

import pytest

from benchmarks.reliability.access_pages import TEXT, pages

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="rights of files are POSIX")


def test_a_text_that_is_not_escaped_is_found_in_a_page(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f"<p title='{TEXT}</p>", encoding="utf-8")
    _, wrong = pages([tmp_path])
    assert wrong[0] == "page.html: the text made 3 elements"


def test_pages_that_do_not_show_the_text_prove_nothing(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>nothing</p>", encoding="utf-8")
    _, wrong = pages([tmp_path])
    assert wrong == ["1 pages show the text 0 times; 10 times on 3 pages were expected"]


@pytest.mark.parametrize(("mode", "told"), [(0o644, "has rights 644"), (0o700, "has rights 700"), (0o4600, "4600")])
def test_a_file_with_more_rights_than_the_user_gave_is_found(tmp_path: Path, mode: int, told: str) -> None:
    from benchmarks.reliability.access import _rights

    tmp_path.chmod(0o700)
    path = tmp_path / "file"
    path.touch(0o600)
    assert _rights(tmp_path)[1] == []
    path.chmod(mode)
    (wrong,) = _rights(tmp_path)[1]
    assert told in wrong
