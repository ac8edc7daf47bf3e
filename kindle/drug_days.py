"""Drug days of a fully kindled animal: washout, stable controls, and the distance between control and drug."""

from datetime import datetime, timedelta
from statistics import fmean, stdev

from kindle.course_calendar import midnight, session_due
from kindle.course_facts import kindling_trains, meets_stage
from kindle.course_plan import CoursePlan, Due, NeedsPerson, Next, State, Wait
from kindle.ledger import CONTROL, Ledger, TrainFact


def conditions_done(ledger: Ledger) -> list[str]:
    """Conditions of the drug days that gave a train, in their order; controls are none."""
    done: dict[str, str] = {}
    for train in ledger.trains:
        if train.protocol == "drug-test" and train.condition not in ("", CONTROL):
            done.setdefault(train.session, train.condition)
    return list(done.values())


def drug_day(ledger: Ledger, plan: CoursePlan, now: datetime, condition: str) -> tuple[State, Next]:
    """Washout, then a control, then the drug day within the allowed distance from it."""
    today = now.date()
    drugged = [injection for injection in ledger.injections if injection.condition != CONTROL]
    if drugged and today < (free := drugged[-1].day + timedelta(days=plan.washout_days)):
        return State.WASHOUT, Wait(midnight(free, now), f"washout of {plan.washout_days} days after {drugged[-1].name}")
    last_train = kindling_trains(ledger)[-1]
    ready = last_train.day + timedelta(days=plan.after_kindling_days)
    if today < ready:
        return State.TESTING, Wait(
            midnight(ready, now), f"{plan.after_kindling_days} days after the last kindling train"
        )
    controls = _controls(ledger)
    fresh = [train for train in controls if not drugged or train.day > drugged[-1].day]
    least, most = plan.control_gap_days
    control = Due("drug-test", f"control before {condition}", CONTROL)
    if not fresh or (today - fresh[-1].day).days > most:
        return State.TESTING, session_due(ledger, plan, now, control, sessions_per_day=1)
    if (today - fresh[-1].day).days < least:
        return State.TESTING, Wait(midnight(fresh[-1].day + timedelta(days=least), now), "distance from the control")
    if not gate_open(controls, plan):
        if len(fresh) > 5 * max(1, plan.gate_controls):
            return State.TESTING, NeedsPerson(
                "the controls do not become stable: exclude the animal, or change the gate"
            )
        why = Due("drug-test", f"control before {condition}: the controls are not stable yet", CONTROL)
        return State.TESTING, session_due(ledger, plan, now, why, sessions_per_day=1)
    drug = Due("drug-test", f"drug day after the control of {fresh[-1].day}", condition)
    return State.TESTING, session_due(ledger, plan, now, drug, sessions_per_day=1)


def _controls(ledger: Ledger) -> list[TrainFact]:
    return [
        train
        for train in ledger.trains
        if train.protocol == "drug-test" and train.condition == CONTROL and train.verdict is not None
    ]


def gate_open(controls: list[TrainFact], plan: CoursePlan) -> bool:
    """The last controls are seizures of the animal's usual kind; where a threshold is tested, there is no stage."""
    if plan.gate_controls == 0 or (controls and not controls[-1].scale):
        return True
    last, before = controls[-plan.gate_controls :], controls[: -plan.gate_controls]
    if len(last) < plan.gate_controls or not all(meets_stage(train, plan) for train in last):
        return False
    known = [train.discharge_s for train in before if train.discharge_s is not None]
    if len(known) < 3:
        return True
    mean_s, spread_s = fmean(known), 2 * stdev(known)
    return all(t.discharge_s is None or abs(t.discharge_s - mean_s) <= spread_s + 1e-9 for t in last)
