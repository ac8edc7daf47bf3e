"""What is injected: molar masses, the active part of each salt, and the refusal to guess which salt was meant.

Molar masses in g/mol. Sources: for valproates and magnesium from the atomic masses; the others as tabulated with their
salts in the literature of the field. Hydrates are substances of their own, because people weigh them.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from kindle.errors import ConfigError

Basis = Literal["mg_salt", "mg_free", "mmol_active", "mg_cation", "mmol_cation"]
"""Of what an amount is: mg of what is weighed; mg of the free acid or base; mmol of the active part; of the cation."""

BASES: tuple[Basis, ...] = get_args(Basis)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a molecule that acts or is counted; ``free_form`` is what it is called when it stands alone."""

    name: str
    molar_mass: float
    free_form: str
    free_molar_mass: float


@dataclass(frozen=True, slots=True)
class Substance:
    """What is weighed; ``molar_mass`` includes the water of a hydrate."""

    name: str
    molar_mass: float
    active: Part
    n_active: int = 1
    cation: Part | None = None
    n_cations: int = 0


def _itself(name: str, molar_mass: float) -> Part:
    return Part(name, molar_mass, name, molar_mass)


VALPROATE = Part("valproate", 143.206, "valproic acid", 144.214)
MAGNESIUM = _itself("magnesium", 24.305)
SODIUM = _itself("sodium", 22.990)
PHENYTOIN = _itself("phenytoin", 252.27)
PHENOBARBITAL = _itself("phenobarbital", 232.24)

_SINGLE = {
    "pentylenetetrazol": 138.17,
    "carbamazepine": 236.27,
    "lamotrigine": 256.10,
    "levetiracetam": 170.21,
    "gabapentin": 171.24,
    "topiramate": 339.36,
    "diazepam": 284.75,
}

_TABLE = (
    Substance("valproic acid", 144.214, VALPROATE),
    Substance("sodium valproate", 166.196, VALPROATE, 1, SODIUM, 1),
    Substance("magnesium valproate", 310.717, VALPROATE, 2, MAGNESIUM, 1),
    Substance("magnesium sulfate anhydrous", 120.36, MAGNESIUM, 1, MAGNESIUM, 1),
    Substance("magnesium sulfate heptahydrate", 246.47, MAGNESIUM, 1, MAGNESIUM, 1),
    Substance("magnesium chloride anhydrous", 95.21, MAGNESIUM, 1, MAGNESIUM, 1),
    Substance("magnesium chloride hexahydrate", 203.30, MAGNESIUM, 1, MAGNESIUM, 1),
    Substance("phenytoin", 252.27, PHENYTOIN),
    Substance("phenytoin sodium", 274.25, PHENYTOIN, 1, SODIUM, 1),
    Substance("fosphenytoin disodium", 406.24, PHENYTOIN, 1, SODIUM, 2),
    Substance("phenobarbital", 232.24, PHENOBARBITAL),
    Substance("phenobarbital sodium", 254.22, PHENOBARBITAL, 1, SODIUM, 1),
    *(Substance(name, mass, _itself(name, mass)) for name, mass in _SINGLE.items()),
)

SUBSTANCES: dict[str, Substance] = {known.name: known for known in _TABLE}

_SHORT = {"ptz": "pentylenetetrazol", "pentetrazol": "pentylenetetrazol", "sodium phenytoin": "phenytoin sodium"}

_OPEN = {
    "valproate": ("valproic acid", "sodium valproate", "magnesium valproate"),
    "vpa": ("valproic acid", "sodium valproate", "magnesium valproate"),
    "fosphenytoin": ("fosphenytoin disodium",),
    "magnesium sulfate": ("magnesium sulfate anhydrous", "magnesium sulfate heptahydrate"),
    "mgso4": ("magnesium sulfate anhydrous", "magnesium sulfate heptahydrate"),
    "magnesium chloride": ("magnesium chloride anhydrous", "magnesium chloride hexahydrate"),
    "mgcl2": ("magnesium chloride anhydrous", "magnesium chloride hexahydrate"),
}
"""Names that leave the salt or its water open: milligrams of them mean nothing."""


def substance(name: str) -> Substance:
    """The substance of this name. Raises ``ConfigError`` where the salt or hydrate is left open, or is not known."""
    wanted = " ".join(name.casefold().split())
    wanted = _SHORT.get(wanted, wanted)
    if wanted in SUBSTANCES:
        return SUBSTANCES[wanted]
    if wanted in _OPEN:
        raise ConfigError(f"{name!r} leaves the salt open; say which: {', '.join(_OPEN[wanted])}")
    raise ConfigError(f"no substance {name!r}; there are: {', '.join(sorted(SUBSTANCES))}")


def convert(amount: float, of: Substance, from_: Basis, to: Basis) -> float:
    """The same quantity of one substance on another basis, per kg or not. Raises ``ConfigError`` without a cation."""
    return amount / _per_mmol(of, from_) * _per_mmol(of, to)


def equivalent(mg_salt: float, of: Substance, as_: Substance) -> float:
    """Milligrams of ``as_`` that hold as much of the active part. Raises ``ConfigError`` where the parts differ."""
    if of.active != as_.active:
        raise ConfigError(
            f"{of.name} acts as {of.active.name}, {as_.name} as {as_.active.name}: no dose equals the other"
        )
    return convert(convert(mg_salt, of, "mg_salt", "mmol_active"), as_, "mmol_active", "mg_salt")


def _per_mmol(of: Substance, basis: Basis) -> float:
    """How much there is on this basis in one mmol of the substance as it is weighed."""
    match basis:
        case "mg_salt":
            return of.molar_mass
        case "mg_free":
            return of.n_active * of.active.free_molar_mass
        case "mmol_active":
            return float(of.n_active)
        case "mg_cation" if of.cation is not None:
            return of.n_cations * of.cation.molar_mass
        case "mmol_cation" if of.cation is not None:
            return float(of.n_cations)
        case "mg_cation" | "mmol_cation":
            raise ConfigError(f"{of.name} is no salt: it has no cation to count")
        case _:
            raise ConfigError(f"no basis {basis!r}; there are: {', '.join(BASES)}")
