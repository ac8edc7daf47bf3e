"""Methods: what was injected, on which days, by which design, and who could know it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kindle.animal_rows import CodesOpened
from kindle.design import Design
from kindle.doses import on_basis
from kindle.exchange import CodedDose, Dose, Injected
from kindle.journal import Row
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.ptz import ElectroshockPlan, PtzPlan
from kindle.report.study_conditions import given_on, opening_of, sealing_of
from kindle.report.study_facts import StudyFacts
from kindle.report.study_sources import Source
from kindle.report.study_words import counted, listed, range_of
from kindle.report.wording import utc
from kindle.treatments import InjectionConfig

WHAT_BASIS_MEANS = {
    "mg_salt": "mg of the substance as weighed",
    "mg_free": "mg of the free acid or base",
    "mg_cation": "mg of the cation",
}


@dataclass(frozen=True, slots=True)
class _Kind:
    """Injections that one sentence can tell together."""

    substance: str
    basis: str
    route: str
    pretreatment_s: float


def drugs(facts: StudyFacts) -> Iterator[str]:
    of_drugs: dict[_Kind, list[tuple[Dose, Injected]]] = {}
    of_codes: dict[CodedDose, int] = {}
    for one, doses in _injections(facts):
        for dose in doses:
            kind = _Kind(dose.substance, dose.basis, dose.route, dose.pretreatment_s)
            of_drugs.setdefault(kind, []).append((dose, one))
        if not doses and isinstance(one.dose, CodedDose):
            of_codes[one.dose] = of_codes.get(one.dose, 0) + 1
    if not of_drugs and not of_codes:
        return
    for kind, given in of_drugs.items():
        yield _drug(kind, given, _solutions(facts))
    for coded, n in of_codes.items():
        yield (
            f"{coded.code} (a vehicle, or a code): {coded.ml_per_kg:g} ml/kg {coded.route}, "
            f"{_when(coded.pretreatment_s)}, {counted(n, 'injection')}."
        )
    plans = [view.started.plan for view in facts.sessions]
    tolerances = [plan.tolerance_s for plan in plans if isinstance(plan, DrugTestPlan | PtzPlan | ElectroshockPlan)]
    yield f"The time from injection to test was kept by the sample clock to within {range_of(tolerances, 's')}."


def _injections(facts: StudyFacts) -> Iterator[tuple[Injected, tuple[Dose, ...]]]:
    """Every injection with its doses: those of an opened code as well, none of a vehicle or of a code that is "
    "closed."""
    for view in facts.sessions:
        source = facts.source(view.id)
        for exchange in view.exchanges:
            match exchange.reply:
                case Injected(dose=Dose() as dose):
                    yield exchange.reply, (dose,)
                case Injected(dose=CodedDose(code=code)):
                    yield exchange.reply, given_on(source, code, (exchange.reply,), facts.sources).known
                case _:
                    pass


def days(facts: StudyFacts) -> Iterator[str]:
    """The days around a drug day; nothing where no drug was tested."""
    if not facts.drug_days:
        return
    for course, names in _courses(facts).items():
        least, most, washout, gate, after = course
        where = "" if len(_courses(facts)) == 1 else f" ({listed(names)})"
        yield (
            f"A drug day followed a control without an injection by {least} to {most} days and an earlier drug day by "
            f"at least {counted(washout, 'day')} of washout, beginning {counted(after, 'day')} after full kindling; "
            f"{'the last control' if gate == 1 else f'the last {gate} controls'} had to reach the criterion's stage "
            f"with discharges within 2 SD of the animal's own{where}."
        )


def observations(facts: StudyFacts) -> Iterator[str]:
    """Convulsant and electroshock tests."""
    seen: dict[str, int] = {}
    for view in facts.sessions:
        plan = view.started.plan
        if isinstance(plan, PtzPlan):
            dose = plan.convulsant.dose
            what = f"{dose.substance} {dose.mg_per_kg:g} mg/kg" if isinstance(dose, Dose) else f"code {dose.code}"
            told = (
                f"Convulsant test: {what} {dose.route}, observed for {plan.observation_s / 60:g} min on {plan.scale}; "
                f"a seizure is stage {plan.seizure_from:g} or more, and an animal without one is censored at the end "
                "of its observation"
            )
        elif isinstance(plan, ElectroshockPlan):
            told = (
                f"Electroshock test: {plan.shock}, observed for {plan.observation_s / 60:g} min; the end point is "
                "tonic extension of the hindlimbs"
            )
        else:
            continue
        seen[told] = seen.get(told, 0) + 1
    for told, n in seen.items():
        yield f"{told} ({counted(n, 'session')})."


def design(facts: StudyFacts) -> Iterator[str]:
    """Each sentence once, with the folders and journal rows that it is of."""
    told: dict[str, list[str]] = {}
    for source in facts.sources:
        for sentence, row in _design(source, facts.sources):
            where = source.label if row is None else f"row {source.row(row.seq)}"
            told.setdefault(sentence, []).append(where)
    for sentence, places in told.items():
        behind = ", ".join(filter(None, places))
        yield f"{sentence} ({behind})." if behind else f"{sentence}."


def _design(source: Source, sources: Sequence[Source]) -> Iterator[tuple[str, Row | None]]:
    tested = any(isinstance(view.started.plan, DrugTestPlan) for view in source.sessions)
    if source.designed is not None:
        row, told = source.designed
        yield _allocation(told.design, source.sealed is not None), row
    elif tested and all(one.designed is None for one in sources):
        yield "No design stands in the journal: the order of the treatments was chosen by hand", None
    if sealing_of(source, sources) is None and (tested or source.designed is not None):
        yield "No codes were sealed: by the journal the study was not blinded", None
    if source.sealed is not None:
        row, sealed = source.sealed
        codes = f"Treatments were blinded as codes {listed(sealed.codes)}"
        yield f"{codes}; the key was sealed on {utc(row.utc)} (SHA-256 {sealed.sha256})", row
        if opening_of(source, sources) is None:
            yield "Nobody has opened the codes", None
    if source.opened is not None:
        yield from _opening(*source.opened, sources)


def _opening(row: Row, act: CodesOpened, sources: Sequence[Source]) -> Iterator[tuple[str, Row | None]]:
    begun = [view.started_utc for source in sources for view in source.sessions]
    before = sum(moment < row.utc for moment in begun)
    yield f"{act.author} opened the codes on {utc(row.utc)}: {act.reason.rstrip('.')}", row
    yield f"{counted(before, 'session')} had begun before that, {len(begun) - before} after", None


def _allocation(design: Design, is_sealed: bool) -> str:
    kind = "a Williams Latin square" if design.kind == "latin_square" else "randomised blocks"
    seed = "its seed is in the sealed key" if is_sealed else f"seed {design.seed}"
    each = sorted({len(order) for order in design.orders.values()})
    return (
        f"Treatments ({', '.join(design.treatments)}) were allocated by {kind} ({seed}) to "
        f"{counted(len(design.orders), 'animal')}, {range_of(each, 'test day' if each == [1] else 'test days')} each"
    )


def _drug(kind: _Kind, given: Sequence[tuple[Dose, Injected]], solutions: Mapping[str, InjectionConfig]) -> str:
    doses = sorted({dose.mg_per_kg for dose, _ in given})
    # One of each amount: the amounts of the active part are in the same order.
    moles = [on_basis(next(dose for dose, _ in given if dose.mg_per_kg == amount), "mmol_active") for amount in doses]
    amounts = listed(f"{amount:g} mg/kg ({mmol:.3g} mmol/kg)" for amount, mmol in zip(doses, moles, strict=True))
    solution = solutions.get(kind.substance)
    solved = ""
    if solution is not None:
        in_what = f" in {solution.vehicle}" if solution.vehicle else " (vehicle not in study.toml)"
        solved = f", {solution.mg_per_ml:g} mg/ml{in_what}"
    return (
        f"{kind.substance}: {amounts}, {WHAT_BASIS_MEANS.get(kind.basis, kind.basis)} and mmol of its active part, "
        f"{kind.route}{solved}, {_when(kind.pretreatment_s)}, {counted(len(given), 'injection')}"
        f"{_volumes([one for _, one in given])}."
    )


def _when(pretreatment_s: float) -> str:
    return f"{pretreatment_s / 60:g} min before the test" if pretreatment_s > 0 else "when the observation began"


def _volumes(given: Sequence[Injected]) -> str:
    drawn = [(one.drawn, one.dose) for one in given if one.drawn is not None]
    if not drawn:
        return ""
    per_kg = [syringe.volume_ml / syringe.weight_g * 1000 for syringe, _ in drawn]
    off = [syringe.volume_ml / syringe.exact_volume_ml - 1 for syringe, _ in drawn]
    return (
        f" of {range_of(per_kg, 'ml/kg')}, the marks of the syringe changing the dose by {min(off):+.1%} to "
        f"{max(off):+.1%}"
    )


def _solutions(facts: StudyFacts) -> dict[str, InjectionConfig]:
    """By substance, as study.toml has them."""
    return {
        injection.substance: injection
        for source in facts.sources
        for treatment in source.config.treatments
        for injection in treatment.injections
    }


def _courses(facts: StudyFacts) -> dict[tuple[int, int, int, int, int], list[str]]:
    found: dict[tuple[int, int, int, int, int], list[str]] = {}
    for source in facts.sources:
        course = source.course
        key = (*course.control_gap_days, course.washout_days, course.gate_controls, course.after_kindling_days)
        found.setdefault(key, []).append(source.name)
    return found
