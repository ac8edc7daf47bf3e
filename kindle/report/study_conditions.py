"""What a test day is called and what was injected on it, before and after the codes of a blinded design were opened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kindle.animal_rows import CodesOpened, CodesSealed
from kindle.design import Bottle
from kindle.doses import on_basis, ordered
from kindle.exchange import CodedDose, Dose, Injected
from kindle.ledger import CONTROL, Ledger
from kindle.opened_codes import with_codes_opened
from kindle.report.study_sources import Source
from kindle.treatments import BOTTLE_TOLERANCE, InjectionConfig, Treatment

NOT_KNOWN = "vehicle or code: nothing that is known to act"


@dataclass(frozen=True, slots=True)
class Given:
    """``known`` are the doses whose substance is known; ``words`` say what was injected, in full."""

    known: tuple[Dose, ...]
    words: str
    complete: bool = False
    """Whether these doses are all that may act: a vehicle beside them does not."""


def named(ledger: Ledger, source: Source, sources: Sequence[Source]) -> Ledger:
    """The ledger with every test day under the name that ``condition_of`` gives it."""
    opened = with_codes_opened(ledger, opening_of(source, sources))
    name = {code: condition_of(source, code, sources) for code in _codes(source, sources)}
    return replace(
        opened,
        trains=tuple(replace(fact, condition=name.get(fact.condition, fact.condition)) for fact in opened.trains),
        observations=tuple(
            replace(fact, condition=name.get(fact.condition, fact.condition)) for fact in opened.observations
        ),
        injections=tuple(
            replace(fact, condition=name.get(fact.condition, fact.condition)) for fact in opened.injections
        ),
    )


def condition_of(source: Source, condition: str, sources: Sequence[Source]) -> str:
    """The treatment of an open code; a code that is not open is told from the same code of another folder."""
    opened = opening_of(source, sources)
    if opened is not None and condition in opened.treatments:
        return opened.treatments[condition]
    if condition not in _codes(source, sources):
        return condition
    keys = {sealed.sha256 for other in sources if (sealed := sealing_of(other, sources)) and condition in sealed.codes}
    return f"code {condition} of {source.name}" if len(keys) > 1 else f"code {condition}"


def sealing_of(source: Source, sources: Sequence[Source]) -> CodesSealed | None:
    """The codes of a folder: its own, or those of the one folder that has any, because one rig keeps the design."""
    if source.sealed is not None:
        return source.sealed[1]
    of_others = {one.sealed[1].sha256: one.sealed[1] for one in sources if one.sealed is not None}
    return next(iter(of_others.values())) if len(of_others) == 1 else None


def opening_of(source: Source, sources: Sequence[Source]) -> CodesOpened | None:
    """Whichever folder it was written in: the codes of one key are opened once."""
    sealed = sealing_of(source, sources)
    acts = [one.opened[1] for one in sources if one.opened is not None]
    return next((act for act in acts if sealed is not None and act.sha256 == sealed.sha256), None)


def given_on(source: Source, condition: str, injected: Sequence[Injected], sources: Sequence[Source]) -> Given:
    if condition == CONTROL and not injected:
        return Given((), "nothing")
    opened = opening_of(source, sources)
    if opened is not None and condition in opened.treatments:
        treatment = opened.treatments[condition]
        known = _uncoded(source, opened, treatment, injected)
        if isinstance(known, str):
            return Given((), known)
        words = doses_in_words(known) or _vehicle(source, treatment)
        return Given(known, f"{words} (code {condition}, opened)", bool(known))
    doses = [one.dose for one in injected]
    of_drugs = tuple(dose for dose in doses if isinstance(dose, Dose))
    if of_drugs:
        vehicle = _vehicle_of(source, condition)
        others = [dose for dose in doses if isinstance(dose, CodedDose) and (vehicle is None or dose.code != vehicle)]
        return Given(of_drugs, doses_in_words(of_drugs), not others)
    if condition in _codes(source, sources):
        return Given((), f"code {condition}, not opened: the substance is not known to this report")
    if doses and _treatment(source, condition) is not None:
        return Given((), _vehicle(source, condition))
    bottles = [f"{dose.code} {dose.ml_per_kg:g} ml/kg {dose.route}" for dose in doses if isinstance(dose, CodedDose)]
    return Given((), f"{' with '.join(bottles)} ({NOT_KNOWN})" if bottles else NOT_KNOWN)


def doses_in_words(doses: Sequence[Dose]) -> str:
    return " with ".join(f"{dose.substance} {dose.mg_per_kg:g} mg/kg ({dose.basis}) {dose.route}" for dose in doses)


def _codes(source: Source, sources: Sequence[Source]) -> tuple[str, ...]:
    sealed = sealing_of(source, sources)
    return () if sealed is None else sealed.codes


def _treatment(source: Source, name: str) -> Treatment | None:
    return next((one for one in source.config.treatments if one.name == name), None)


def _vehicle_of(source: Source, name: str) -> str | None:
    treatment = _treatment(source, name)
    return None if treatment is None or treatment.vehicle is None else treatment.vehicle.substance


def _vehicle(source: Source, name: str) -> str:
    treatment = _treatment(source, name)
    if treatment is None:
        return f"{name}, which study.toml does not describe"
    if treatment.vehicle is None or treatment.injections:
        return NOT_KNOWN
    vehicle = treatment.vehicle
    return f"vehicle: {vehicle.substance} {vehicle.ml_per_kg:g} ml/kg {vehicle.route}"


def _uncoded(source: Source, opened: CodesOpened, name: str, injected: Sequence[Injected]) -> tuple[Dose, ...] | str:
    """The doses in the coded volume, or why they cannot be told."""
    coded = next((one.dose for one in injected if isinstance(one.dose, CodedDose)), None)
    if coded is None:
        return ()
    found = []
    for bottle in _bottles(source, opened, name):
        dose = ordered(
            bottle.amount_per_kg,
            bottle.basis,
            bottle.substance,
            route=coded.route,
            pretreatment_s=coded.pretreatment_s,
        )
        in_bottle, meant = coded.ml_per_kg * bottle.mg_per_ml, on_basis(dose, "mg_salt")
        if abs(in_bottle / meant - 1) > BOTTLE_TOLERANCE:
            return (
                f"{name}: {meant:.4g} mg/kg of {dose.substance} were meant, but {coded.ml_per_kg:g} ml/kg with "
                f"{bottle.mg_per_ml:g} mg/ml hold {in_bottle:.4g} mg/kg, so that the dose is not known"
            )
        found.append(dose)
    return tuple(found)


def _bottles(source: Source, opened: CodesOpened, name: str) -> Sequence[Bottle | InjectionConfig]:
    """As they were when the codes were sealed; early journals leave it to study.toml."""
    treatment = _treatment(source, name)
    if opened.contents or treatment is None:
        return opened.contents.get(name, ())
    return treatment.injections
