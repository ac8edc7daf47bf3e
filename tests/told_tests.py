"""Threshold tests, kindling and convulsant tests written row by row, for what a study's report makes of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from kindle.animal_rows import AnimalEvent
from kindle.behaviour import DEATH, ItemStamp, Scoring, StageStamp, Stamp
from kindle.exchange import (
    Confirm,
    Confirmed,
    Dose,
    Inject,
    Injected,
    Observe,
    Observed,
    Scored,
    ScoreSeizure,
    Stimulate,
)
from kindle.protocols.catalogue import Outcome, Plan
from kindle.protocols.drug_test import DrugTested, DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingDone
from kindle.protocols.ptz import (
    EXTENSION,
    ElectroshockPlan,
    PtzPlan,
    evaluated,
    shock_evaluated,
    shock_question,
)
from kindle.protocols.threshold import ThresholdOutcome
from kindle.rows import Animal, Answered, Asked, SessionEnded, SessionStarted, kind_of
from kindle.session_view import ANIMALS
from kindle.study import Study
from tests.reported_sessions import LIMITS, PLAN
from tests.told_study import KINDLING, SCALE, told_trial

PTZ_SCALE = "guide_2025@1"
CONVULSANT = Dose("pentylenetetrazol", "mg_salt", 70.0, "i.p.", 0.0)
OBSERVED_S = 1800.0
RATE_HZ = 100.0
SHOCK = "150 mA, 60 Hz, 0.2 s, corneal"


def valproate(mg_per_kg: float) -> Dose:
    return Dose("sodium valproate", "mg_salt", mg_per_kg, "i.p.", 1800.0)


class TestTeller:
    """Each session an hour after ``begun`` and after the one before."""

    __test__ = False

    def __init__(self, study: Study, begun: datetime = datetime(2026, 5, 4, 9, tzinfo=UTC)) -> None:
        self._study = study
        self._now = begun

    def animal(self, id: str) -> None:
        self._study.add_animal(Animal(id), self._now)

    def threshold(self, animal: str, outcome: ThresholdOutcome) -> None:
        self._session(animal, "threshold", PLAN, [], outcome)

    def drug_threshold(self, animal: str, condition: str, doses: Sequence[Dose], outcome: ThresholdOutcome) -> None:
        plan = DrugTestPlan("guide_2025", tuple(Injection(dose) for dose in doses), 60.0, PLAN, condition)
        self._session(animal, "drug-test", plan, _injected(doses), DrugTested((), outcome))

    def ptz(
        self,
        animal: str,
        condition: str,
        doses: Sequence[Dose],
        stages: Sequence[tuple[float, float]],
        *,
        died_s: float | None = None,
        broken_off: bool = False,
        convulsant: Dose = CONVULSANT,
    ) -> None:
        """``stages`` are entered at seconds from the injection of the convulsant."""
        pretreatment = tuple(Injection(dose) for dose in doses)
        plan = PtzPlan(
            "guide_2025",
            pretreatment,
            Injection(convulsant),
            60.0,
            OBSERVED_S,
            PTZ_SCALE,
            3.0,
            0.0,
            condition=condition,
        )
        stamps: list[Stamp] = [StageStamp(round(at_s * RATE_HZ), stage) for at_s, stage in stages]
        seen = _observed(stamps, died_s)
        rows: list[msgspec.Struct] = _injected([*doses, convulsant])
        if broken_off:
            self._session(animal, "ptz", plan, rows, None)
            return
        rows += [Asked(Observe(OBSERVED_S, PTZ_SCALE)), Answered(seen)]
        self._session(animal, "ptz", plan, rows, evaluated(plan, (), seen))

    def shock(self, animal: str, condition: str, doses: Sequence[Dose], extension_s: float | None) -> None:
        pretreatment = tuple(Injection(dose) for dose in doses)
        plan = ElectroshockPlan("etsp_rat", pretreatment, 60.0, SHOCK, 60.0, PTZ_SCALE, 0.0, condition=condition)
        stamps: list[Stamp] = [] if extension_s is None else [ItemStamp(round(extension_s * RATE_HZ), EXTENSION)]
        seen = Observed(Scoring(PTZ_SCALE, tuple(stamps)), 0, round(60 * RATE_HZ), RATE_HZ, "recordings/gone")
        rows: list[msgspec.Struct] = _injected(doses)
        rows += [Asked(Confirm(shock_question(SHOCK), ("not given", "given"))), Answered(Confirmed("given"))]
        rows += [Asked(Observe(60.0, PTZ_SCALE)), Answered(seen)]
        self._session(animal, "electroshock", plan, rows, shock_evaluated((), seen))

    def kindled(self, animal: str, stages: Sequence[float | None], discharges_s: Sequence[float]) -> None:
        """A train a day."""
        for stage, discharge_s in zip(stages, discharges_s, strict=True):
            rows: list[msgspec.Struct] = [Asked(Stimulate(PLAN.train.at(500.0))), Answered(told_trial(discharge_s))]
            rows += [Asked(ScoreSeizure(SCALE)), Answered(Scored(SCALE, stage))]
            self._session(animal, "kindling", KINDLING, rows, KindlingDone(()))
            self._now += timedelta(hours=23)

    def left(self, animal: str, reason: str) -> None:
        event = AnimalEvent(animal, "excluded", reason)
        self._study.journal.append(ANIMALS, kind_of(event), event, sample=None, utc=self._now)

    def _session(
        self, animal: str, protocol: str, plan: Plan, between: Sequence[msgspec.Struct], outcome: Outcome | None
    ) -> None:
        self._now += timedelta(hours=1)
        session = f"{animal}_{self._now:%Y%m%d_%H%M%S}_{protocol}"
        started = SessionStarted(animal, protocol, plan, (), LIMITS, (), "told", {"kindle-eeg": "0.1.0"})
        ended = [] if outcome is None else [SessionEnded(outcome)]
        for second, row in enumerate([started, *between, *ended]):
            utc = self._now + timedelta(seconds=second)
            self._study.journal.append(session, kind_of(row), row, sample=0, utc=utc)


def _injected(doses: Sequence[Dose]) -> list[msgspec.Struct]:
    return [row for dose in doses for row in (Asked(Inject(dose)), Answered(Injected(dose, 0)))]


def _observed(stamps: list[Stamp], died_s: float | None) -> Observed:
    last_s = OBSERVED_S if died_s is None else died_s
    if died_s is not None:
        stamps = [*stamps, ItemStamp(round(died_s * RATE_HZ), DEATH)]
    return Observed(Scoring(PTZ_SCALE, tuple(stamps)), 0, round(last_s * RATE_HZ), RATE_HZ, "recordings/gone")
