"""A study of several rats written row by row: kindling, controls, a vehicle, doses of two drugs and their mixture."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from detectors.criterion import Afterdischarge, Criterion, EndGrade, Kind, Verdict
from drivers.interface import DeliveredTrain
from kindle.exchange import CodedDose, Dose, Inject, Injected, MeasuredTrain, Scored, ScoreSeizure, Stimulate, Trial
from kindle.protocols.catalogue import Plan
from kindle.protocols.drug_test import DrugTested, DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingDone, KindlingPlan
from kindle.rows import Answered, Asked, SessionEnded, SessionStarted, kind_of
from kindle.study import Study
from tests.reported_sessions import LIMITS, PLAN, RATE_HZ

SCALE = "racine_1972@1"
BEGUN = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
KINDLING = KindlingPlan(
    preset="hannover_daily",
    current_ua=500.0,
    train=PLAN.train,
    trains=1,
    interval_s=60.0,
    lockout_after_ad_s=60.0,
    baseline_s=10.0,
    watch_s=60.0,
    criterion=Criterion(),
    scale=SCALE,
)


class StudyTeller:
    """Each day an hour later than the one before, so that the order of the rows is that of time."""

    def __init__(self, study: Study, after_hours: int = 0) -> None:
        self._study = study
        self._n = after_hours

    def kindled(self, animal: str, stages: Sequence[float | None]) -> None:
        for n, stage in enumerate(stages, 1):
            self._session(animal, "kindling", KINDLING, (), stage, 5.0 + 4 * n)

    def drug_day(
        self, animal: str, condition: str, doses: Sequence[Dose | CodedDose], stage: float, discharge_s: float
    ) -> None:
        plan = DrugTestPlan("hannover_daily", tuple(Injection(dose) for dose in doses), 60.0, KINDLING, condition)
        self._session(animal, "drug-test", plan, doses, stage, discharge_s)

    def _session(
        self,
        animal: str,
        protocol: str,
        plan: Plan,
        doses: Sequence[Dose | CodedDose],
        stage: float | None,
        discharge_s: float,
    ) -> None:
        self._n += 1
        session = f"{animal}_{self._n:04d}_{protocol}"
        software = {"kindle-eeg": "0.1.0"}
        rows: list[msgspec.Struct] = [SessionStarted(animal, protocol, plan, (), LIMITS, (), "told", software)]
        for dose in doses:
            rows += [Asked(Inject(dose)), Answered(Injected(dose, 0))]
        train = PLAN.train.at(500.0)
        rows += [Asked(Stimulate(train)), Answered(told_trial(discharge_s))]
        rows += [Asked(ScoreSeizure(SCALE)), Answered(Scored(SCALE, stage))]
        done = KindlingDone(())
        rows.append(SessionEnded(done if protocol == "kindling" else DrugTested((), done)))
        for second, row in enumerate(rows):
            utc = BEGUN + timedelta(hours=self._n, seconds=second)
            self._study.journal.append(session, kind_of(row), row, sample=0, utc=utc)


def told_trial(discharge_s: float) -> Trial:
    train = PLAN.train.at(500.0)
    onset, end = 10_000, 11_000
    first = end + 800
    event = Afterdischarge(
        first, first + round(discharge_s * RATE_HZ), Kind.PRIMARY, 50, 700.0, 4.0, 4.0, EndGrade.CLEAR, 0.9
    )
    return Trial(
        train=train,
        delivered=DeliveredTrain(
            500.0,
            train.phase_us,
            train.interphase_us,
            1e6 / train.pulse_hz,
            train.n_pulses,
            0.0,
            train.shape,
            train.polarity,
        ),
        measured=MeasuredTrain(onset, end, 500.0, train.n_pulses),
        verdict=Verdict.AFTERDISCHARGE if discharge_s else Verdict.NONE,
        reason="",
        afterdischarges=(event,) if discharge_s else (),
        baseline_uv=140.0,
        blind=(),
        channel="EEG",
        rate_hz=RATE_HZ,
        recording="recordings/gone",
        first_sample=0,
        last_sample=90_000,
    )
