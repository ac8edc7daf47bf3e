"""Doses of a table in another unit than they were written in, as from mg of each salt to mmol of what acts."""

from pathlib import Path

from kindle.errors import ConfigError
from kindle.substances import Basis, convert, substance

UNITS: dict[Basis, str] = {
    "mg_salt": "mg/kg",
    "mg_free": "mg/kg of free acid or base",
    "mmol_active": "mmol/kg",
    "mg_cation": "mg cation/kg",
    "mmol_cation": "mmol cation/kg",
}


def factor_to(basis: Basis | None, name: str, unit: str | None, path: Path) -> float:
    """Of the doses of this salt. Raises ``ConfigError`` for a unit that is not mg/kg, and for a salt left open."""
    if basis is None:
        return 1.0
    if unit is None or unit.casefold().replace(" ", "") != "mg/kg":
        raise ConfigError(f"{path}: doses in mg/kg expected to convert, got {unit or 'no unit'}")
    return convert(1.0, substance(name), "mg_salt", basis)


def unit_on(basis: Basis | None, unit: str | None) -> str:
    return unit or "" if basis is None else UNITS[basis]
