"""What a charge means for an electrode: density, Shannon's k, and the figures from which on both are warned about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from drivers.interface import PulseTrain, charge_density_uc_cm2, shannon_k

CONSERVATIVE_K = 1.5
DAMAGE_K = 1.85
"""Shannon 1992. Frequency, duty cycle and microelectrodes are outside its data; kindling currents often exceed it."""


class Electrode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``area_cm2`` is the exposed geometric area of the smaller contact."""

    material: str
    area_cm2: Annotated[float, Meta(gt=0, le=10)]


@dataclass(frozen=True, slots=True)
class Material:
    """Charge densities, in uC/cm2, from which on a metal may corrode or split water."""

    name: str
    words: tuple[str, ...]
    cathodic_first_uc_cm2: float
    anodic_first_uc_cm2: float


MATERIALS = (
    Material("stainless steel", ("steel", "316"), 40.0, 40.0),
    Material("platinum", ("platinum", "pt", "pt/ir", "ptir"), 100.0, 50.0),
)
"""The lower figures of Merrill, Bikson and Jefferys 2005, at phases of 0.2 ms; unverified for longer ones."""


class ChargeReport(msgspec.Struct, frozen=True):
    """Charge figures for an electrode, and what they warn of; they warn, they do not block."""

    charge_per_phase_uc: float
    charge_density_uc_cm2: float
    shannon_k: float
    warning: str
    current_ua: float | None = None


def charge_report(train: PulseTrain, electrode: Electrode) -> ChargeReport:
    charge_uc, area_cm2 = train.charge_per_phase_uc, electrode.area_cm2
    density, k = charge_density_uc_cm2(charge_uc, area_cm2), shannon_k(charge_uc, area_cm2)
    warnings = [_warning_of_k(k), _warning_of_density(density, train, electrode)]
    return ChargeReport(charge_uc, density, k, "; ".join(filter(None, warnings)), train.current_ua)


def first_warnings(reports: Sequence[ChargeReport]) -> list[ChargeReport]:
    """The least charge at which each warning appears: from these on a person has something new to acknowledge."""
    met: set[str] = set()
    found = []
    for report in sorted(reports, key=lambda report: report.charge_per_phase_uc):
        kinds = {kind for kind in ("conservative", "damage", "density") if kind in report.warning}
        if not kinds <= met:
            found.append(report)
        met |= kinds
    return found


def warning_text(report: ChargeReport) -> str:
    """From which current on, with the figures."""
    current = "" if report.current_ua is None else f"From {report.current_ua:.4g} uA on, "
    return (
        f"{current}{report.charge_per_phase_uc:.3g} uC per phase, {report.charge_density_uc_cm2:.3g} uC/cm2: "
        f"{report.warning}"
    )


def material_of(electrode: Electrode) -> Material | None:
    """``None`` where no figure is known for what study.toml names."""
    words = electrode.material.casefold().replace(",", " ").split()
    for material in MATERIALS:
        if any(
            word.startswith(known) if len(known) > 2 else word == known for word in words for known in material.words
        ):
            return material
    return None


def _warning_of_k(k: float) -> str:
    if k >= DAMAGE_K:
        return f"Shannon k = {k:.2f} reaches the damage boundary of {DAMAGE_K:g}"
    if k >= CONSERVATIVE_K:
        return f"Shannon k = {k:.2f} reaches the conservative boundary of {CONSERVATIVE_K:g}"
    return ""


def _warning_of_density(density: float, train: PulseTrain, electrode: Electrode) -> str:
    material = material_of(electrode)
    if material is None:
        return ""
    cathodic = train.polarity == "cathodic_first"
    limit = material.cathodic_first_uc_cm2 if cathodic else material.anodic_first_uc_cm2
    if density <= limit:
        return ""
    return f"the charge density exceeds the {limit:g} uC/cm2 given for {material.name}"
