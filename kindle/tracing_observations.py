"""From an observation in a table back to the marks and samples that it came from."""

from collections.abc import Iterator
from typing import assert_never

from kindle.behaviour import ItemStamp, StageStamp
from kindle.blinding import opened_act
from kindle.exchange import Observed, Reply
from kindle.journal import Row
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.ptz import ElectroshockPlan, PtzPlan
from kindle.rows import Answered, decode
from kindle.study import Study


def observed_in(row: Row) -> Observed | None:
    if row.kind != "answered":
        return None
    reply: Reply = decode(row.kind, row.payload, Answered).reply
    return reply if isinstance(reply, Observed) else None


def observation_lines(seen: Observed) -> Iterator[str]:
    """Where the signal lies, and every mark that was not taken back, in seconds from the beginning."""
    length_s = (seen.last_sample - seen.first_sample) / seen.rate_hz
    yield f"observed for {length_s:.1f} s, samples {seen.first_sample} to {seen.last_sample} of {seen.recording}"
    for stamp in seen.scoring.standing:
        after_s = (stamp.sample - seen.first_sample) / seen.rate_hz
        match stamp:
            case StageStamp(stage=stage):
                yield f"{after_s:8.1f} s  stage {stage:g} on {seen.scoring.scale}, sample {stamp.sample}"
            case ItemStamp(item=item, edge=edge):
                told = item.replace("_", " ") + ("" if edge == "event" else f" {edge}")
                yield f"{after_s:8.1f} s  {told}, sample {stamp.sample}"
            case _:
                assert_never(stamp)
    if not seen.scoring.standing:
        yield "nothing was marked"


def condition_line(study: Study, session: str) -> Iterator[str]:
    """What the day was in the design, with its treatment once the codes are open; nothing for a day of no test."""
    plan = study.session(session).started.plan
    if not isinstance(plan, DrugTestPlan | PtzPlan | ElectroshockPlan) or not plan.condition:
        return
    act = opened_act(study)
    treatment = None if act is None else act.treatments.get(plan.condition)
    yield f"condition {plan.condition}" + ("" if treatment is None else f", opened: {treatment}")
    if plan.departure:
        yield f"departs from the course: {plan.departure}"
