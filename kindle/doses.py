"""From the dose that is ordered to the volume in the syringe, and back to the dose that this volume really is."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from kindle.errors import ConfigError
from kindle.exchange import CodedDose, Dose, Drawn, Inject
from kindle.substances import BASES, Basis, convert, substance

VOLUME_WARNING_ML_PER_KG = 10.0
"""A rat takes more than this badly (unverified)."""

ROUNDING_WARNING = 0.05
"""Of the dose: more than this lost or gained at the marks of the syringe asks for another syringe or solution."""

MG_BASES: tuple[Basis, ...] = tuple(basis for basis in BASES if basis.startswith("mg_"))


@dataclass(frozen=True, slots=True)
class Solution:
    """What is in the bottle; ``mg_per_ml`` counts the substance as it was weighed, water of a hydrate included."""

    substance: str
    mg_per_ml: float
    vehicle: str = ""
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Syringe:
    graduation_ml: float
    capacity_ml: float


def ordered(amount_per_kg: float, basis: Basis, name: str, *, route: str, pretreatment_s: float) -> Dose:
    """A dose in mg or mmol per kg on any basis; millimoles become milligrams of the substance as weighed."""
    known = substance(name)
    _positive(amount_per_kg, f"dose of {known.name}", "per kg")
    if not isfinite(pretreatment_s) or pretreatment_s < 0:
        raise ConfigError(f"pretreatment time of {known.name} is {pretreatment_s:g} s; it must be 0 or more")
    if basis in MG_BASES:
        convert(amount_per_kg, known, basis, "mg_salt")
        return Dose(known.name, basis, amount_per_kg, route, pretreatment_s)
    return Dose(known.name, "mg_salt", convert(amount_per_kg, known, basis, "mg_salt"), route, pretreatment_s)


def basis_of(dose: Dose) -> Basis:
    """Of what the milligrams of a dose are. Raises ``ConfigError`` where it does not say so."""
    for basis in MG_BASES:
        if dose.basis == basis:
            return basis
    raise ConfigError(
        f"the dose of {dose.substance} does not say of what its milligrams are (basis {dose.basis!r}); "
        f"it takes one of: {', '.join(MG_BASES)}"
    )


def on_basis(dose: Dose, basis: Basis) -> float:
    """The dose per kg on another basis."""
    return convert(dose.mg_per_kg, substance(dose.substance), basis_of(dose), basis)


def draw(dose: Dose, weight_g: float, solution: Solution, syringe: Syringe) -> Drawn:
    """The volume for this animal, rounded to the marks of the syringe. Raises ``ConfigError`` rather than clip it."""
    if substance(solution.substance) != substance(dose.substance):
        raise ConfigError(f"the solution holds {solution.substance}; the dose is of {dose.substance}")
    _positive(solution.mg_per_ml, f"concentration of {solution.substance}", "mg/ml")
    exact_ml = on_basis(dose, "mg_salt") * _kilograms(weight_g) / solution.mg_per_ml
    volume_ml = _rounded(exact_ml, syringe)
    ratio = volume_ml / exact_ml
    return Drawn(
        weight_g=weight_g,
        exact_volume_ml=exact_ml,
        volume_ml=volume_ml,
        given_mg_per_kg=dose.mg_per_kg * ratio,
        given_mmol_per_kg=on_basis(dose, "mmol_active") * ratio,
    )


def draw_coded(dose: CodedDose, weight_g: float, syringe: Syringe) -> Drawn:
    """The volume of a blinded dose: the same millilitres per kg whatever is in the bottle."""
    _positive(dose.ml_per_kg, f"volume of code {dose.code}", "ml/kg")
    exact_ml = dose.ml_per_kg * _kilograms(weight_g)
    return Drawn(weight_g, exact_ml, _rounded(exact_ml, syringe), None, None)


def uncoded(drawn: Drawn, dose: Dose, solution: Solution) -> Drawn:
    """What a blinded injection really was, once its code is open: the volume stays what was given."""
    mg_salt_per_kg = drawn.volume_ml * solution.mg_per_ml / _kilograms(drawn.weight_g)
    known = substance(dose.substance)
    return Drawn(
        weight_g=drawn.weight_g,
        exact_volume_ml=drawn.exact_volume_ml,
        volume_ml=drawn.volume_ml,
        given_mg_per_kg=convert(mg_salt_per_kg, known, "mg_salt", basis_of(dose)),
        given_mmol_per_kg=convert(mg_salt_per_kg, known, "mg_salt", "mmol_active"),
    )


INJECTION_ANSWERS = ("withheld", "given")
"""What the experimenter may say of an injection; where nobody is there, nothing was injected."""


def injection_text(asked: Inject) -> str:
    """What is to be injected, in the words of the syringe."""
    volume = "" if asked.drawn is None else f"{asked.drawn.volume_ml:g} ml for {asked.drawn.weight_g:g} g: "
    match asked.dose:
        case CodedDose(code, ml_per_kg, route):
            return f"Inject {volume}code {code}, {ml_per_kg:g} ml/kg {route}"
        case Dose(name, basis, mg_per_kg, route):
            return f"Inject {volume}{name}, {mg_per_kg:g} mg/kg ({basis}) {route}"


def warnings(drawn: Drawn) -> tuple[str, ...]:
    """What a person should know before injecting; nothing here forbids it."""
    return tuple(_warnings(drawn))


def _warnings(drawn: Drawn) -> Iterator[str]:
    per_kg = drawn.volume_ml / _kilograms(drawn.weight_g)
    if per_kg > VOLUME_WARNING_ML_PER_KG:
        yield f"{drawn.volume_ml:g} ml are {per_kg:.3g} ml/kg; more than {VOLUME_WARNING_ML_PER_KG:g} ml/kg is much"
    off = drawn.volume_ml / drawn.exact_volume_ml - 1
    if abs(off) > ROUNDING_WARNING:
        yield f"the marks of the syringe change the dose by {off:+.1%}; take a finer syringe or a weaker solution"


def _rounded(exact_ml: float, syringe: Syringe) -> float:
    _positive(syringe.graduation_ml, "graduation of the syringe", "ml")
    volume_ml = round(round(exact_ml / syringe.graduation_ml) * syringe.graduation_ml, 9)
    if volume_ml <= 0:
        raise ConfigError(
            f"{exact_ml:.3g} ml is less than half a mark of a syringe with marks of {syringe.graduation_ml:g} ml; "
            "take a finer syringe or a weaker solution"
        )
    if volume_ml > syringe.capacity_ml * (1 + 1e-9):
        raise ConfigError(
            f"{volume_ml:g} ml does not go into a syringe of {syringe.capacity_ml:g} ml; take a larger syringe or a "
            "stronger solution"
        )
    return volume_ml


def _kilograms(weight_g: float) -> float:
    _positive(weight_g, "weight of the animal", "g")
    return weight_g / 1000


def _positive(value: float, what: str, unit: str) -> None:
    if not isfinite(value) or value <= 0:
        raise ConfigError(f"the {what} is {value:g} {unit}; it must be a positive number")
