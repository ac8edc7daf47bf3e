"""The life of an animal as the ledger has it, in lines for people."""

from collections.abc import Iterator

from kindle.ledger import EventFact, Ledger, TrainFact
from kindle.protocols.threshold import describe


def life(ledger: Ledger) -> Iterator[str]:
    """The exposures in sum, then everything in the order of time."""
    n = len(ledger.trains)
    yield (
        f"{n} train{'' if n == 1 else 's'}: {ledger.n_sub_threshold} without and {ledger.n_afterdischarges} with an "
        f"afterdischarge, {ledger.charge_uc:.4g} uC in all"
    )
    lines = [(fact.utc, f"weight {fact.weight_g:g} g") for fact in ledger.weights]
    lines += [(fact.utc, _event(fact)) for fact in ledger.events]
    lines += [(fact.utc, f"threshold test: {describe(fact.outcome)}") for fact in ledger.thresholds]
    lines += [(fact.utc, f"injection of {fact.name}") for fact in ledger.injections]
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
