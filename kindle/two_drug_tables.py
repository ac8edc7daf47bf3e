"""Tables of two drugs as laboratories write them: a dose column for each drug, or one drug and dose a row, or ED50s."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, log10
from pathlib import Path

from kindle.analysis.outcome import Interval, Note
from kindle.analysis.potencies import Potency
from kindle.analysis.two_drug_designs import Arm, Study
from kindle.counted_rows import N, counted_rows
from kindle.csv_tables import CsvTable, Row, read_table
from kindle.dose_basis import factor_to, unit_on
from kindle.dose_tables import ANIMAL, DRUG
from kindle.errors import ConfigError
from kindle.substances import SUBSTANCES, Basis

TOTAL_DOSE = {"dose", "total_dose"}
ED50 = {"ed50"}
SEM = {"sem", "se", "ed50_sem"}
SE_LOG10 = {"se_log10", "se_log10_ed50"}
SLOPE = {"slope"}
SE_SLOPE = {"se_slope", "slope_se", "slope_sem"}
MIXTURES = {"mixture", "mix", "combination", "both"}

_PER_KG = re.compile(r"\s*([mµu]?g|[mµu]?mol)\b.*", re.IGNORECASE)
_UNIT = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*$")
_WORD_DOSE = re.compile(r"^dose\b( of)?|\bdose$", re.IGNORECASE)
_OF_A_DRUG = re.compile(r"dose_(.+)|(.+)_dose")


@dataclass(frozen=True, slots=True)
class Potencies:
    """Of a table that holds ED50s with their errors instead of animals."""

    a: Potency
    b: Potency
    mixture: Potency


def read_two_drugs(
    path: Path, *, mass_fraction_a: float | None = None, basis: Basis | None = None
) -> Study | Potencies:
    """Raises ``ConfigError`` naming row and column, and ``OSError`` where the file cannot be read.

    ``mass_fraction_a`` splits the total dose of a mixture that has one row a dose. ``basis`` expresses doses in mg/kg
    of a known salt otherwise, as in mmol of what acts.
    """
    table = read_table(path)
    if table.find(ED50) is not None:
        return _potencies(table, basis)
    by_drug = table.find(TOTAL_DOSE)
    if by_drug is not None and table.find(DRUG) is not None:
        return _long(table, by_drug, mass_fraction_a, basis)
    if mass_fraction_a is not None:
        raise ConfigError(
            f"{path} has a dose column for each drug, which say what was mixed: leave the mass fraction out"
        )
    return _wide(table, basis)


def _wide(table: CsvTable, basis: Basis | None) -> Study:
    columns = _dose_columns(table)
    if len(columns) != 2:
        there = ", ".join(repr(header.text) for header in table.headers)
        raise ConfigError(
            f"{table.path}: two columns of doses expected, one for each drug and headed like 'valproate (mg/kg)'; "
            f"the header has {there}"
        )
    names = _name(table, columns[0]), _name(table, columns[1])
    unit = _one_unit(table, [table.headers[column].unit for column in columns])
    factors = [factor_to(basis, name, unit, table.path) for name in names]
    arms = []
    for counted in counted_rows(table):
        given = [_dose(table, counted.row, column) for column in columns]
        doses = given[0] * factors[0], given[1] * factors[1]
        arms.append(Arm(*doses, counted.n, counted.responded, _animal(table, counted.row)))
    return Study(names, unit_on(basis, unit), tuple(arms), _open_salts(names))


def _long(table: CsvTable, column: int, mass_fraction_a: float | None, basis: Basis | None) -> Study:
    drug = table.need(DRUG, "the drug of the row")
    read = [(table.text(one.row, drug), _dose(table, one.row, column), one) for one in counted_rows(table)]
    names = list(dict.fromkeys(name for name, dose, _ in read if dose > 0 and not _is_mixture(name)))
    if len(names) != 2:
        raise ConfigError(
            f"{table.path}: two drugs and their mixture expected in column {table.headers[drug].text!r}, "
            f"got {', '.join(names) or 'none'}; call the mixture 'mixture' or 'A + B'"
        )
    if mass_fraction_a is None:
        raise ConfigError(
            f"{table.path} gives total doses of the mixture only: say how much of them is {names[0]} "
            "(--mass-fraction-a), or give each drug a dose column"
        )
    if not 0 < mass_fraction_a < 1:
        raise ConfigError(f"the mass fraction of {names[0]} must lie between 0 and 1, got {mass_fraction_a:g}")
    unit = _one_unit(table, [table.headers[column].unit])
    factors = [factor_to(basis, name, unit, table.path) for name in names]
    arms = []
    for name, dose, one in read:
        share = mass_fraction_a if _is_mixture(name) else float(name == names[0])
        doses = share * dose * factors[0], (1 - share) * dose * factors[1]
        arms.append(Arm(*doses, one.n, one.responded, _animal(table, one.row)))
    return Study((names[0], names[1]), unit_on(basis, unit), tuple(arms), _open_salts(names))


def _potencies(table: CsvTable, basis: Basis | None) -> Potencies:
    if basis is not None:
        raise ConfigError(f"{table.path} holds ED50s, and that of a mixture has no salt: convert doses, not ED50s")
    drug = table.need(DRUG, "the drug of the row")
    ed50 = table.need(ED50, "the ED50")
    found = {table.text(row, drug): _potency(table, row, drug, ed50) for row in table.rows}
    singles = [name for name in found if not _is_mixture(name)]
    mixtures = [name for name in found if _is_mixture(name)]
    if len(singles) != 2 or len(mixtures) != 1 or len(found) != len(table.rows):
        raise ConfigError(
            f"{table.path}: one row for each of two drugs and one for their mixture expected, got "
            f"{', '.join(table.text(row, drug) for row in table.rows)}; call the mixture 'mixture' or 'A + B'"
        )
    return Potencies(found[singles[0]], found[singles[1]], found[mixtures[0]])


def _potency(table: CsvTable, row: Row, drug: int, column: int) -> Potency:
    ed50 = table.number(row, column)
    if ed50 <= 0:
        raise table.fault(row, column, "an ED50 lies above 0")
    sem, se_log10 = _optional(table, row, SEM), _optional(table, row, SE_LOG10)
    low, high = _optional(table, row, {"low", "lower", "ci_low"}), _optional(table, row, {"high", "upper", "ci_high"})
    if se_log10 is None and sem is not None:
        se_log10 = sem / (log(10) * ed50)
    if se_log10 is None and low is not None and high is not None and 0 < low < high:
        # Of limits that are even on the log scale, as 95 % limits by Litchfield and Wilcoxon are.
        se_log10 = log10(high / low) / (2 * 1.959963985)
    n = _optional(table, row, N)
    limits = Interval(low, high) if low is not None or high is not None else None
    unit = table.headers[column].unit or ""
    slopes = _optional(table, row, SLOPE), _optional(table, row, SE_SLOPE)
    return Potency(ed50, se_log10, None if n is None else int(n), *slopes, table.text(row, drug), unit, limits)


def _animal(table: CsvTable, row: Row) -> str:
    """Whose test the row is; empty for a group."""
    column = table.find(ANIMAL)
    return "" if column is None or table.find(N) is not None else table.text(row, column)


def _dose_columns(table: CsvTable) -> list[int]:
    headers = enumerate(table.headers)
    return [i for i, h in headers if (h.unit and _PER_KG.match(h.unit)) or _OF_A_DRUG.fullmatch(h.name)]


def _name(table: CsvTable, column: int) -> str:
    """As it stands in the header, without the unit."""
    words = _UNIT.sub("", table.headers[column].text).replace("_", " ").strip()
    return _WORD_DOSE.sub("", words).strip() or words


def _is_mixture(name: str) -> bool:
    return name.casefold() in MIXTURES or "+" in name


def _dose(table: CsvTable, row: Row, column: int) -> float:
    """Of an empty cell nothing was given."""
    dose = table.number(row, column) if row.cells[column] else 0.0
    if dose < 0:
        raise table.fault(row, column, f"a dose cannot be negative, got {dose:g}")
    return dose


def _one_unit(table: CsvTable, units: list[str | None]) -> str | None:
    if len(set(units)) > 1:
        told = " and ".join(unit or "none" for unit in units)
        raise ConfigError(f"{table.path}: doses in different units ({told}); write both drugs in one unit")
    return units[0]


def _open_salts(names: Sequence[str]) -> tuple[Note, ...]:
    """Names that several salts share, as valproate."""
    opened = []
    for name in names:
        wanted = name.casefold()
        if wanted not in SUBSTANCES and any(f" {wanted} " in f" {known} " for known in SUBSTANCES):
            message = f"{name!r} leaves the salt open: its doses cannot be converted, nor compared with those of others"
            opened.append(Note("warning", "salt_open", message))
    return tuple(opened)


def _optional(table: CsvTable, row: Row, names: set[str]) -> float | None:
    column = table.find(names)
    return None if column is None or not row.cells[column] else table.number(row, column)
