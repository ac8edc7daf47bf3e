"""The life of an animal as the ledger has it, in lines for people."""

from collections.abc import Iterator

from kindle.ledger import EventFact, InjectionFact, Ledger, ObservationFact, TrainFact
from kindle.protocols.ptz import PtzObserved, describe_observation
from kindle.protocols.threshold import describe


def life(ledger: Ledger) -> Iterator[str]:
    """The exposures in sum, then everything in the order of time."""
    n = len(ledger.trains)
    yield (
        f"{n} train{'' if n == 1 else 's'}: {ledger.n_sub_threshold} without and {ledger.n_afterdischarges} with an "
        f"afterdischarge, {ledger.charge_uc:.4g} uC in all"
    )
    doses = [fact for fact in ledger.observations if fact.protocol == "ptz"]
    shocks = len(ledger.observations) - len(doses)
    if doses:
        known = [fact.mg_per_kg for fact in doses if fact.mg_per_kg is not None]
        yield f"{len(doses)} dose{'' if len(doses) == 1 else 's'} of a convulsant, {sum(known):.4g} mg/kg in all"
    if shocks:
        yield f"{shocks} shock{'' if shocks == 1 else 's'}"
    lines = [(fact.utc, f"weight {fact.weight_g:g} g") for fact in ledger.weights]
    lines += [(fact.utc, _event(fact)) for fact in ledger.events]
    lines += [(fact.utc, f"threshold test: {describe(fact.outcome)}") for fact in ledger.thresholds]
    lines += [(fact.utc, _injection(fact)) for fact in ledger.injections]
    lines += [(fact.utc, _observation(fact)) for fact in ledger.observations]
    for alarm in ledger.alarms:
        lines.append((alarm.utc, f"ALARM for status epilepticus: {alarm.cause}"))
        if alarm.acknowledged_utc is not None:
            lines.append((alarm.acknowledged_utc, f"alarm acknowledged by {alarm.acknowledged_by}"))
    lines += [(fact.utc, _train(fact)) for fact in ledger.trains]
    for utc, line in sorted(lines):
        yield f"  {utc.astimezone():%Y-%m-%d %H:%M}  {line}"


def _event(fact: EventFact) -> str:
    return fact.kind.replace("_", " ") + (f": {fact.reason}" if fact.reason else "")


def _train(fact: TrainFact) -> str:
    verdict = "void" if fact.verdict is None else fact.verdict.value
    stage = ""
    if fact.scale:
        stage = ", not scored" if fact.stage is None else f", stage {fact.stage:g} on {fact.scale}"
    return f"{fact.protocol} train of {fact.current_ua:.4g} uA: {verdict}{stage} (row {fact.seq})"


def _injection(fact: InjectionFact) -> str:
    really = "" if fact.mg_per_kg is None else f", {fact.mg_per_kg:.4g} mg/kg"
    ions = "" if fact.mmol_per_kg is None else f" ({fact.mmol_per_kg:.4g} mmol/kg)"
    return f"injection of {fact.name}{really}{ions}"


def _observation(fact: ObservationFact) -> str:
    what = fact.protocol if not fact.condition else f"{fact.protocol} ({fact.condition})"
    if fact.seen is None:
        return f"{what}: the observation was broken off (row {fact.seq})"
    if isinstance(fact.seen, PtzObserved) and fact.seen.worst is None and fact.stage is not None:
        return f"{what}: worst stage {fact.stage:g} on {fact.scale}, scored later (row {fact.seq})"
    return f"{what}: {describe_observation(fact.seen)} (row {fact.seq})"
