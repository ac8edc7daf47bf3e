"""Doses of one salt on another basis, or of another salt: what a milligram of it really is."""

import re

from kindle.errors import ConfigError
from kindle.substances import BASES, Basis, Substance, convert, equivalent, substance

_AMOUNT = re.compile(r"(?P<unit>mg|mmol)\s+(?P<of>.+?)(?:\s*/\s*kg)?", re.IGNORECASE)


def convert_dose(value: float, from_: str, to: str, basis: str | None = None) -> float:
    """``value`` of the substance ``from_``, on ``basis``, expressed as ``to``; per kg or not, as it came.

    ``from_`` names salt and hydrate ("magnesium valproate"). ``basis`` says of what the number counts: "mg_salt",
    "mg_free" (acid or base), "mmol_active", "mg_cation", "mmol_cation"; ``to`` is one of these, or words: "mmol
    valproate/kg", "mg valproic acid/kg", "mg sodium valproate/kg", "mmol magnesium/kg". Raises ``ConfigError`` for a
    salt that is unknown or left open, and for a basis that is missing.
    """
    if not 0 <= value < float("inf"):
        raise ConfigError(f"{value:g} is no dose; it must be 0 or more")
    if basis is None:
        raise ConfigError(f"of what does {value:g} {from_} count? say the basis, one of: {', '.join(BASES)}")
    of = substance(from_)
    return _expressed(value, of, _basis(basis), to)


def _expressed(value: float, of: Substance, basis: Basis, to: str) -> float:
    if to in BASES:
        return convert(value, of, basis, _basis(to))
    words = _AMOUNT.fullmatch(to.strip())
    if words is None:
        raise ConfigError(f"no dose is expressed as {to!r}; for instance: mmol {of.active.name}/kg, mg {of.name}/kg")
    unit, named = words["unit"].lower(), words["of"].casefold()
    moles = unit == "mmol"
    if named == of.active.name and moles:
        return convert(value, of, basis, "mmol_active")
    if of.cation is not None and named == of.cation.name:
        return convert(value, of, basis, "mmol_cation" if moles else "mg_cation")
    other = substance(named)
    mg = equivalent(convert(value, of, basis, "mg_salt"), of, other)
    return mg / other.molar_mass if moles else mg


def _basis(name: str) -> Basis:
    for known in BASES:
        if name == known:
            return known
    raise ConfigError(f"no basis {name!r}; there are: {', '.join(BASES)}")
