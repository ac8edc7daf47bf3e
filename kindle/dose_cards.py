"""What is drawn and injected in a session, as a card for the person who holds the syringe."""

from collections.abc import Sequence
from dataclasses import dataclass

from kindle.doses import warnings
from kindle.exchange import CodedDose
from kindle.protocols.catalogue import Plan
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.ptz import ElectroshockPlan, PtzPlan


@dataclass(frozen=True, slots=True)
class DoseCard:
    """``really_given`` is what the marks of the syringe make of the dose; a blinded one does not say it."""

    name: str
    volume: str
    ordered: str
    really_given: str
    wait_min: float
    """From the injection to the test."""
    warnings: tuple[str, ...]


def dose_cards(plan: Plan) -> tuple[DoseCard, ...]:
    """In the order in which they are injected."""
    return tuple(_card(injection) for injection in _injections(plan))


def _injections(plan: Plan) -> Sequence[Injection]:
    match plan:
        case DrugTestPlan(injections=injections):
            first = injections
        case PtzPlan(pretreatment=pretreatment):
            first = pretreatment
        case ElectroshockPlan(pretreatment=pretreatment):
            first = pretreatment
        case _:
            first = ()
    last = (plan.convulsant,) if isinstance(plan, PtzPlan) else ()
    return (*sorted(first, key=lambda injection: -injection.dose.pretreatment_s), *last)


def _card(injection: Injection) -> DoseCard:
    dose, drawn = injection.dose, injection.drawn
    volume = "" if drawn is None else f"{drawn.volume_ml:g} ml for {drawn.weight_g:g} g"
    if isinstance(dose, CodedDose):
        ordered, given = f"{dose.ml_per_kg:g} ml/kg {dose.route}", "blinded"
    else:
        ordered = f"{dose.mg_per_kg:g} mg/kg ({dose.basis}) {dose.route}"
        given = ""
        if drawn is not None and drawn.given_mg_per_kg is not None and drawn.given_mmol_per_kg is not None:
            given = f"{drawn.given_mg_per_kg:.4g} mg/kg, {drawn.given_mmol_per_kg:.4g} mmol/kg active"
    told = () if drawn is None else warnings(drawn)
    return DoseCard(injection.name, volume, ordered, given, dose.pretreatment_s / 60, told)
