"""Tables as people save them, and faults told by line and column."""

from pathlib import Path

import pytest

from kindle.csv_tables import read_table
from kindle.dose_tables import DrugTable, read_dose_tables
from kindle.errors import ConfigError


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


PLAIN = (DrugTable("", "mg/kg", (50.0, 100.5, 200.0), (8, 8, 8), (1, 4, 8)),)


@pytest.mark.parametrize(
    "text",
    [
        "dose (mg/kg),n,responded\n50,8,1\n100.5,8,4\n200,8,8\n",
        "Dose [mg/kg];N;Protected\r\n50;8;1\r\n100,5;8;4\r\n200,0;8;8\r\n",
        "dose_mg_per_kg\tn\tr\n50\t8\t1\n100.5\t8\t4\n200\t8\t8",
        '"Dose (mg/kg)","n","responded"\n"50","8","1"\n"100,5","8","4"\n"200","8","8"\n',
        "# made by hand\n\ndose mg/kg , animals , protected \n\n 50 , 8 , 1 \n100.5,8,4\n,,\n200,8,8,,\n\n",
        "sep=;\ndose (mg/kg);n;responded\n50;8;1\n100.5;8;4\n2e2;8;8\n",
        "\ufeffdose (mg/kg),n,responded\n50,8,1\n100.5,8,4\n200,8,8\n",
        "dose (mg/kg),n,responded\n50,8,1\n100.5,8,4\n200,8,8\n".encode("utf-16"),
        "n;responded;dose (mg/kg);remark\n8;1;50;gut verträglich\n8;4;100,5;\n8;8;200;\n".encode("cp1252"),
        "dose (mg/kg),n,responded\n50,8.0,1\n100.5,8,4.0\n200,8,8\n",
    ],
)
def test_every_common_way_to_write_a_table_reads_the_same(tmp_path: Path, text: str | bytes) -> None:
    assert read_dose_tables(written(tmp_path, text)) == PLAIN


def test_one_row_for_each_animal_is_counted(tmp_path: Path) -> None:
    text = "rat,dose (mg/kg),protected\nR1,50,no\nR2,50,+\nR1,100,1\nR2,100,True\n"

    (table,) = read_dose_tables(written(tmp_path, text))
    assert table.doses == (50, 50, 100, 100)
    assert (table.n, table.responded) == ((1, 1, 1, 1), (0, 1, 1, 1))
    assert table.animals == ("R1", "R2", "R1", "R2")


def test_a_column_of_drugs_gives_a_table_each_and_a_vehicle_is_everybodys_control(tmp_path: Path) -> None:
    text = "drug,dose (mg/kg),n,protected\nNaV,100,8,4\nvehicle,0,8,0\nMgV,120,8,3\nNaV,200,8,8\n"

    first, second = read_dose_tables(written(tmp_path, text))
    assert (first.drug, first.doses, first.responded) == ("NaV", (0, 100, 200), (0, 4, 8))
    assert (second.drug, second.doses, second.responded) == ("MgV", (0, 120), (0, 3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dose,n,responded\n50,8,1\n100,8,x\n", r"line 3, column 'responded': 'x' is no number"),
        ("dose,n,responded\n50,8,1\n\n100,8,9\n", r"line 4, column 'responded': r > n: 9 responded of 8 animals"),
        ("dose,n,responded\n50,0,0\n", r"line 2, column 'n': n = 0"),
        ("dose,n,responded\n50,8,1.5\n", r"line 2, column 'responded': '1.5' is no count"),
        ("dose,n,responded\n50,8,-1\n", r"line 2, column 'responded': '-1' is no count"),
        ("dose,n,responded\n-50,8,1\n", r"line 2, column 'dose': a dose cannot be negative, got -50"),
        ("dose,n,responded\n50,,1\n", r"line 2, column 'n': the cell is empty"),
        ("dose,n,responded\n12,5,8,1\n", r"line 2: 4 cells under 3 headers; with decimal commas"),
        ('dose,n,responded\n"1,000",8,1\n', r"line 2, column 'dose': '1,000' can be read in two ways"),
        ("dose;n;responded\n1.234,5;8;1\n", r"line 2, column 'dose': '1.234,5' is no number"),
        ("dose;n;responded\n1,234,567;8;1\n", r"line 2, column 'dose': '1,234,567' is no number"),
        ("dose,n,responded\n1e999,8,1\n", r"line 2, column 'dose': '1e999' is too large"),
        ("dose,n,responded\nnan,8,1\n", r"line 2, column 'dose': 'nan' is no number"),
        ("dose,responded\n50,3\n", r"line 2, column 'responded': '3' does not say.*needs a column n"),
        ("dose,responded\n50,maybe\n", r"write 1 or 0, yes or no"),
        ("dose,n,protected (%)\n50,8,12\n", r"column 'protected \(%\)' is in per cent"),
        ("dose,n,responded,protected\n50,8,1,1\n", r"columns 'responded' and 'protected' mean the same"),
        ("amount,n,responded\n50,8,1\n", r"no column for the dose; the header has 'amount', 'n', 'responded'"),
        ("a (mg/kg),b (mg/kg),n,responded\n5,5,8,1\n", r"'a \(mg/kg\)' and 'b \(mg/kg\)' are both doses"),
        ("dose,n\n50,8\n", r"no column for how many animals responded"),
        ("dose,n,responded\n", r"has a header and no rows"),
        ("", r"is empty; its first line must name the columns"),
    ],
)
def test_a_fault_is_told_by_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_dose_tables(written(tmp_path, text))


def test_quoted_cells_may_hold_the_delimiter_and_lines_are_counted_as_the_editor_does(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, '\n# two\n"drug, salt",n\n"NaV, batch 2",8\n'))

    assert [header.name for header in table.headers] == ["drug,_salt", "n"]
    assert (table.rows[0].line, table.rows[0].cells) == (4, ("NaV, batch 2", "8"))
