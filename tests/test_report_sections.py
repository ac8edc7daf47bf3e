"""What the drawer of a report promises its sections: drawn once, escaped, every cited row to be found."""

import csv
import io

import pytest

from kindle.analysis.drawing import label, new_figure
from kindle.report.markup import NOTHING
from kindle.report.prism import prism_columns
from kindle.report.section import FOLDED_FROM, Drawer, Section
from kindle.report.tables import JournalRow, Table

HOSTILE = '"><script>alert(1)</script>'


def drawn() -> Drawer:
    figure, axes = new_figure()
    axes.plot([1, 2], [3, 4])
    label(axes, HOSTILE, "stage")
    draw = Drawer()
    draw.figure("f", figure, HOSTILE, prism_columns("prism_f", {"a": [1.0]}))
    return draw


def test_the_same_figure_gives_the_same_bytes_every_time() -> None:
    once, again = drawn().files, drawn().files
    assert once == again
    assert set(once) == {"f.svg", "f.png", "prism_f.csv"}
    assert once["f.png"].startswith(b"\x89PNG")


def test_a_caption_is_text() -> None:
    figure, _ = new_figure()
    html = Drawer().figure("f", figure, HOSTILE)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_two_parts_of_a_report_cannot_overwrite_each_other() -> None:
    draw = drawn()
    with pytest.raises(ValueError, match=r"two parts of the report are called prism_f\.csv"):
        draw.file(Table("prism_f", ("a",), ()))


def test_a_long_table_is_folded_and_whole_in_its_file() -> None:
    draw = Drawer()
    rows = tuple((n, HOSTILE) for n in range(FOLDED_FROM + 1))
    html = draw.table(Table("long", ("n", "name"), rows))
    assert html.startswith("<details><summary>Table of 17 rows")
    assert "<script" not in html
    assert len(list(csv.reader(io.StringIO(draw.files["long.csv"].decode())))) == FOLDED_FROM + 2
    assert draw.table(Table("short", ("n",), rows[:1])).startswith("<table")


def test_a_cited_row_is_remembered_so_that_the_page_can_list_it() -> None:
    draw = Drawer()
    row = JournalRow("rig-1", 12)
    assert draw.rows([row, JournalRow("rig-1", 2), row]).count("<a ") == 2
    draw.table(Table("t", ("journal row",), ((JournalRow("", 3),),)))
    assert draw.cited == {row, JournalRow("rig-1", 2), JournalRow("", 3)}
    assert draw.rows([]) == ""


def test_a_section_is_jumped_to_by_its_title() -> None:
    assert Section("Exclusions and missing data", NOTHING).anchor == "exclusions-and-missing-data"
