"""Files for GraphPad Prism: titles in the first row, replicates of a group side by side under its own title."""

import pytest

from kindle.report.prism import Replicates, prism_columns, prism_grouped, prism_survival, prism_xy
from kindle.report.tables import JournalRow, Table


def test_replicates_stand_side_by_side_under_the_title_of_their_group() -> None:
    groups: Replicates[float] = {"control": {1.0: [0.5, None], 2.0: [1.5, 2.5]}, "drug": {1.0: [3.0]}}
    assert prism_xy("p", "stimulation", groups).csv().splitlines() == [
        "stimulation,control,control,drug,drug",
        "1.0,0.5,,3.0,",
        "2.0,1.5,2.5,,",
    ]


def test_every_group_has_as_many_subcolumns_as_the_largest() -> None:
    table = prism_xy("p", "x", {"a": {1.0: [1.0, 2.0, 3.0]}, "b": {1.0: [4.0]}})
    assert table.headers == ("x", "a", "a", "a", "b", "b", "b")
    assert table.layout == "XY, 3 replicates side by side"


def test_rows_of_a_grouped_table_have_titles() -> None:
    table = prism_grouped("p", {"male": {"control": [1.0], "drug": [2.0]}, "female": {"drug": [3.0]}})
    assert table.csv().splitlines() == [",male,female", "control,1.0,", "drug,2.0,3.0"]


def test_columns_of_unequal_length_end_blank() -> None:
    assert prism_columns("p", {"a": [1.0, 2.0], "b": [3.0]}).csv().splitlines() == ["a,b", "1.0,3.0", "2.0,"]


def test_row_titles_name_the_animals_of_a_column_table() -> None:
    table = prism_columns("p", {"control": [1.0], "drug": [2.0]}, ["R1"])
    assert table.csv().splitlines() == [",control,drug", "R1,1.0,2.0"]
    with pytest.raises(ValueError, match="zip"):
        prism_columns("p", {"control": [1.0]}, ["R1", "R2"])


def test_a_survival_table_has_one_row_for_each_animal_and_a_code_in_the_column_of_its_group() -> None:
    table = prism_survival("p", "days", {"a": [(3.0, True)], "b": [(5.0, False), (4.0, True)]})
    assert table.csv().splitlines() == ["days,a,b", "3.0,1,", "5.0,,0", "4.0,,1"]


def test_headers_and_cells_are_no_formulas_and_a_row_is_named_with_its_folder() -> None:
    table = Table("t", ("=a", "row"), (("+b", JournalRow("rig 1", 7)), (-1.5, JournalRow("", 8))))
    assert table.csv().splitlines() == ["'=a,row", "'+b,rig 1 7", "-1.5,8"]


def test_each_row_of_each_folder_has_an_anchor_of_its_own() -> None:
    folders = ("a b", "a-b", "a_b", "", "a", "ä<b", 'a"b')
    anchors = [JournalRow(folder, seq).anchor for folder in folders for seq in (1, 11)]
    assert len(set(anchors)) == len(anchors)
    assert all(letter.isalnum() or letter in "-_" for anchor in anchors for letter in anchor)
