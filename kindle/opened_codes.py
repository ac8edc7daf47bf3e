"""What a blinded study says once its codes are open: treatments for codes, and the dose that each volume was."""

from collections.abc import Iterator
from dataclasses import replace

from msgspec import structs

from kindle.animal_rows import CodesOpened
from kindle.design import Bottle
from kindle.doses import Solution, ordered, uncoded
from kindle.exchange import CodedDose, Injected
from kindle.ledger import InjectionFact, Ledger
from kindle.protocols.catalogue import Outcome
from kindle.protocols.drug_test import DrugTested, DrugTestStopped
from kindle.protocols.injecting import Injection, Pretreated
from kindle.protocols.ptz import ElectroshockObserved, NotObserved, PtzObserved


def with_codes_opened(ledger: Ledger, act: CodesOpened | None) -> Ledger:
    """The ledger with treatments for codes; the same one while nobody has opened them."""
    if act is None:
        return ledger
    name = act.treatments
    return replace(
        ledger,
        trains=tuple(replace(fact, condition=name.get(fact.condition, fact.condition)) for fact in ledger.trains),
        observations=tuple(
            replace(fact, condition=name.get(fact.condition, fact.condition)) for fact in ledger.observations
        ),
        injections=tuple(opened for fact in ledger.injections for opened in _injections(fact, act)),
    )


def outcome_with_codes_opened(outcome: Outcome, act: CodesOpened | None) -> Outcome:
    """An outcome names its injections: ``code B`` becomes ``valproate 200 (code B)``."""
    if act is None:
        return outcome
    match outcome:
        case DrugTested(pretreated=pretreated) | PtzObserved(pretreated=pretreated):
            return structs.replace(outcome, pretreated=tuple(_pretreated(pretreated, act)))
        case ElectroshockObserved(pretreated=pretreated):
            return structs.replace(outcome, pretreated=tuple(_pretreated(pretreated, act)))
        case DrugTestStopped(injected=injected) | NotObserved(injected=injected):
            return structs.replace(outcome, injected=tuple(_named(name, act) for name in injected))
        case _:
            return outcome


def _pretreated(pretreated: tuple[Pretreated, ...], act: CodesOpened) -> Iterator[Pretreated]:
    for one in pretreated:
        yield structs.replace(one, name=_named(one.name, act))


def _named(name: str, act: CodesOpened) -> str:
    treatment = act.treatments.get(name.removeprefix(CODE)) if name.startswith(CODE) else None
    return name if treatment is None else f"{treatment} ({name})"


CODE = "code "
"""How an injection behind a code is named."""


def _injections(fact: InjectionFact, act: CodesOpened) -> Iterator[InjectionFact]:
    """One for each substance in the bottle; under the name of its treatment where nothing in it acts."""
    given = fact.given
    coded = None if given is None else given.dose
    if given is None or not isinstance(coded, CodedDose) or coded.code not in act.treatments:
        yield fact
        return
    treatment = act.treatments[coded.code]
    fact = replace(fact, name=treatment, condition=act.treatments.get(fact.condition, fact.condition))
    bottles = act.contents.get(treatment, ())
    if not bottles:
        yield fact
    for bottle in bottles:
        yield _from_bottle(fact, given, coded, bottle)


def _from_bottle(fact: InjectionFact, given: Injected, coded: CodedDose, bottle: Bottle) -> InjectionFact:
    dose = ordered(
        bottle.amount_per_kg,
        bottle.basis,
        bottle.substance,
        route=coded.route,
        pretreatment_s=coded.pretreatment_s,
    )
    named = replace(fact, name=Injection(dose).name)
    if given.drawn is None:
        return named
    really = uncoded(given.drawn, dose, Solution(dose.substance, bottle.mg_per_ml, bottle.vehicle, bottle.batch))
    return replace(named, mg_per_kg=really.given_mg_per_kg, mmol_per_kg=really.given_mmol_per_kg)
