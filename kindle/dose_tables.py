"""Tables of doses and responses: of one drug, or of several told apart by a column."""

from dataclasses import dataclass
from pathlib import Path

from kindle.counted_rows import N, counted_rows
from kindle.csv_tables import CsvTable, Row, read_table
from kindle.dose_basis import factor_to, unit_on
from kindle.errors import ConfigError
from kindle.substances import Basis

DOSE = {"dose", "dosis", "dosage"}
DRUG = {"drug", "compound", "substance", "treatment", "group", "arm", "salt"}
ANIMAL = {"animal", "animal_id", "rat", "rat_id", "mouse", "mouse_id", "id", "subject"}


@dataclass(frozen=True, slots=True)
class DrugTable:
    """Rows of one drug in the order of the file; ``animals`` are empty where rows are groups."""

    drug: str
    unit: str
    doses: tuple[float, ...]
    n: tuple[int, ...]
    responded: tuple[int, ...]
    animals: tuple[str, ...] = ()


def read_dose_tables(path: Path, *, basis: Basis | None = None) -> tuple[DrugTable, ...]:
    """Raises ``ConfigError`` naming row and column, and ``OSError`` where the file cannot be read.

    ``basis`` expresses doses in mg/kg of the salt that the drug column names otherwise, as in mmol of what acts.
    """
    table = read_table(path)
    dose = _dose_column(table)
    drug, animal = table.find(DRUG), table.find(ANIMAL)
    groups = table.find(N) is not None
    read: dict[str, list[tuple[float, int, int, str]]] = {}
    for counted in counted_rows(table):
        row = counted.row
        name = table.text(row, drug) if drug is not None else ""
        owner = table.text(row, animal) if animal is not None and not groups else ""
        read.setdefault(name, []).append((_dose(table, row, dose), counted.n, counted.responded, owner))
    if basis is not None and drug is None:
        raise ConfigError(f"{path}: a column drug that names the salt is needed to express doses as {basis}")
    unit = table.headers[dose].unit
    return tuple(
        _drug_table(name, unit_on(basis, unit), factor_to(basis, name, unit, path), rows)
        for name, rows in _with_controls(read).items()
    )


def _drug_table(name: str, unit: str, factor: float, rows: list[tuple[float, int, int, str]]) -> DrugTable:
    doses, n, responded, owners = zip(*rows, strict=True)
    return DrugTable(name, unit, tuple(dose * factor for dose in doses), n, responded, owners if all(owners) else ())


def _with_controls(
    read: dict[str, list[tuple[float, int, int, str]]],
) -> dict[str, list[tuple[float, int, int, str]]]:
    """A group that got no drug at all is the vehicle control of every other."""
    vehicles = [name for name, rows in read.items() if all(dose == 0 for dose, *_ in rows)]
    if not vehicles or len(vehicles) == len(read):
        return read
    control = [row for name in vehicles for row in read[name]]
    return {name: control + rows for name, rows in read.items() if name not in vehicles}


def _dose_column(table: CsvTable) -> int:
    """The column called dose, or the only one with a dose's unit."""
    named = table.find(DOSE)
    if named is not None:
        return named
    with_unit = [i for i, header in enumerate(table.headers) if header.unit and "/kg" in header.unit]
    if len(with_unit) == 1:
        return with_unit[0]
    if len(with_unit) > 1:
        both = " and ".join(repr(table.headers[i].text) for i in with_unit)
        raise ConfigError(f"{table.path}: columns {both} are both doses; two drugs together go to kindle isobole")
    return table.need(DOSE, "the dose")


def _dose(table: CsvTable, row: Row, column: int) -> float:
    dose = table.number(row, column)
    if dose < 0:
        raise table.fault(row, column, f"a dose cannot be negative, got {dose:g}")
    return dose
