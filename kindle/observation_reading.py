"""Doses and shocks of an animal as the rows of its journal tell them, one row after another."""

from dataclasses import dataclass, field, replace
from datetime import date

from kindle.animal_rows import TrialScored
from kindle.exchange import Confirmed, Dose, Injected, Observed, Reply
from kindle.journal import Row
from kindle.ledger import ObservationFact
from kindle.protocols.catalogue import Outcome, Plan
from kindle.protocols.ptz import (
    ElectroshockObserved,
    ElectroshockPlan,
    PtzObserved,
    PtzPlan,
    evaluated,
    shock_evaluated,
)


@dataclass(slots=True)
class ObservationReading:
    """``facts`` are those of the rows so far; a dose stands there from its injection on, whatever is seen after it."""

    rig: str = ""
    facts: list[ObservationFact] = field(default_factory=list)

    def answered(self, row: Row, day: date, plan: Plan, reply: Reply) -> None:
        match plan, reply:
            case PtzPlan(convulsant=convulsant), Injected(dose=dose, drawn=drawn) if dose == convulsant.dose:
                really = None if drawn is None else drawn.given_mg_per_kg
                meant = dose.mg_per_kg if isinstance(dose, Dose) else None
                self._given(row, day, plan, meant if really is None else really)
            case ElectroshockPlan(), Confirmed(choice="given"):
                self._given(row, day, plan, None)
            case (PtzPlan() | ElectroshockPlan(), Observed()) if self._is_last(row.session):
                seen = evaluated(plan, (), reply) if isinstance(plan, PtzPlan) else shock_evaluated((), reply)
                scoring = reply.scoring
                self.facts[-1] = replace(
                    self.facts[-1], seq=row.seq, scale=scoring.scale, stage=scoring.highest, seen=seen
                )
            case _:
                pass

    def ended(self, session: str, outcome: Outcome) -> None:
        """The outcome knows the pretreatment too."""
        if isinstance(outcome, PtzObserved | ElectroshockObserved) and self._is_last(session):
            self.facts[-1] = replace(self.facts[-1], seen=outcome)

    def scored_later(self, scored: TrialScored) -> None:
        for place, fact in enumerate(self.facts):
            if fact.seq == scored.trial_row:
                self.facts[place] = replace(fact, scale=scored.scale, stage=scored.stage)

    def _given(self, row: Row, day: date, plan: PtzPlan | ElectroshockPlan, mg_per_kg: float | None) -> None:
        self.facts.append(
            ObservationFact(
                utc=row.utc,
                day=day,
                session=row.session,
                seq=row.seq,
                protocol="ptz" if isinstance(plan, PtzPlan) else "electroshock",
                mg_per_kg=mg_per_kg,
                condition=plan.condition,
                scale=plan.scale,
                rig=self.rig,
            )
        )

    def _is_last(self, session: str) -> bool:
        return bool(self.facts) and self.facts[-1].session == session
