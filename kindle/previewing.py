"""The worst that a plan may deliver, said before anything is armed."""

from collections.abc import Iterator

from kindle.electrode import first_warnings, warning_text
from kindle.prepared import Prepared
from kindle.protocols.catalogue import ObservingPlan, Plan, name_of, trains_of
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.ptz import ElectroshockPlan, PtzPlan
from kindle.protocols.threshold import ThresholdPlan


def preview(prepared: Prepared) -> Iterator[str]:
    """Lines for people: trains, currents, charge, length and warnings. Repeated void trains come on top."""
    plan, limits = prepared.plan, prepared.limits
    yield f"{prepared.animal}: {name_of(plan)}, preset {plan.preset}, rig {prepared.rig}"
    if not isinstance(plan, ThresholdPlan | KindlingPlan) and plan.departure:
        yield f"departs from the course: {plan.departure}"
    yield from _injections(plan)
    if isinstance(plan, ElectroshockPlan):
        yield f"one shock by hand, from an instrument of its own: {plan.shock}"
    if isinstance(plan, ObservingPlan):
        yield f"no train; observed for {plan.observation_s / 60:g} min"
        return
    trains = trains_of(plan)
    strongest = trains[-1]
    n = plan.most_trains
    charge_uc = sum(sorted((train.charge_uc for train in trains), reverse=True)[:n])
    if n > len(trains):
        charge_uc += (n - len(trains)) * strongest.charge_uc
    yield f"at most {n} train{'' if n == 1 else 's'}, from {trains[0].current_ua:.4g} to {strongest.current_ua:.4g} uA"
    yield (
        f"strongest train: {strongest.n_pulses} {strongest.shape} pulses of {strongest.phase_us:g} us at "
        f"{strongest.pulse_hz:g} Hz, {strongest.charge_per_phase_uc:.4g} uC per phase, {strongest.charge_uc:.4g} uC in "
        f"all, {strongest.net_charge_uc:.4g} uC net; the limits allow {limits.max_current_ua:g} uA and "
        f"{limits.max_charge_per_train_uc:g} uC"
    )
    yield f"charge of the session: at most {charge_uc:.4g} uC; the limits allow {limits.max_charge_per_session_uc:g} uC"
    yield f"length: at least {_least_s(plan) / 60:.1f} min, up to {_most_s(plan) / 60:.1f} min without discharges"
    for report in first_warnings(prepared.charge_reports()):
        yield f"warning: {warning_text(report)}"


def _injections(plan: Plan) -> Iterator[str]:
    match plan:
        case DrugTestPlan(injections=injections):
            given = injections
        case PtzPlan(pretreatment=pretreatment, convulsant=convulsant):
            given = (*pretreatment, convulsant)
        case ElectroshockPlan(pretreatment=pretreatment):
            given = pretreatment
        case _:
            given = ()
    for injection in given:
        dose, drawn = injection.dose, injection.drawn
        volume = "" if drawn is None else f"{drawn.volume_ml:g} ml "
        really = ""
        if drawn is not None and drawn.given_mg_per_kg is not None and drawn.given_mmol_per_kg is not None:
            really = f", really {drawn.given_mg_per_kg:.4g} mg/kg ({drawn.given_mmol_per_kg:.4g} mmol/kg active)"
        yield f"inject {volume}{injection.name} {dose.route}{really}; {_then(plan, injection)}"


def _then(plan: Plan, injection: Injection) -> str:
    if isinstance(plan, PtzPlan) and injection == plan.convulsant:
        return f"observed from then on for {plan.observation_s / 60:g} min"
    return f"test after {injection.dose.pretreatment_s / 60:g} min"


def _least_s(plan: Plan) -> float:
    match plan:
        case DrugTestPlan(injections=injections):
            pass
        case PtzPlan(pretreatment=injections) | ElectroshockPlan(pretreatment=injections):
            pass
        case _:
            injections = ()
    before = max((injection.dose.pretreatment_s for injection in injections), default=0.0)
    return max(plan.baseline_s, before) + plan.watch_s


def _most_s(plan: Plan) -> float:
    if isinstance(plan, ObservingPlan):
        return _least_s(plan)
    habituation_s = plan.habituation_s if isinstance(plan, KindlingPlan) else 0.0
    return habituation_s + _least_s(plan) + (plan.most_trains - 1) * max(plan.interval_s, plan.watch_s)
