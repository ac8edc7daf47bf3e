"""A course replayed from its journal decides as it did: after any history, corrections and late scores included."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from told_study import KINDLING

from detectors.criterion import Verdict
from kindle.amending import amend_afterdischarges, trial_at
from kindle.animal_rows import MarkedDischarge
from kindle.course import standing
from kindle.course_plan import CoursePlan, Standing
from kindle.errors import KindleError
from kindle.exchange import Dose, Inject, Injected, Rest, Rested, Scored, ScoreSeizure, Stimulate, VoidTrial
from kindle.keeping import acknowledge, amend, note_event, score_trial, weigh
from kindle.kindled import KindledRule
from kindle.ledger import CONTROL, Ledger
from kindle.ledger_view import ledger_of
from kindle.protocols.drug_test import DrugTested, DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingDone
from kindle.protocols.threshold import Aborted, NoAfterdischarge, ThresholdFound
from kindle.rows import Animal, Answered, Asked, SessionEnded, SessionStarted, StatusAlarmed, kind_of
from kindle.study import Study, create_study, open_study
from kindle.tracing import stage_row
from tests.pure_animal import trial
from tests.reported_sessions import LIMITS, PLAN

SCALE = "racine_1972@1"
COURSE = CoursePlan(
    kindled=KindledRule(2, 4.0, SCALE, cap_trains=12), recovery_days=3, tests=("valproate 200", "vehicle"), rest_days=0
)
BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)

Act = Callable[["Weeks"], None]


class Weeks:
    """One animal whose journal is written act by act."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.now = BEGUN
        self._n = 0

    def ledger(self, until: datetime | None = None) -> Ledger:
        return ledger_of(self.study.journal, "R01", UTC, until=until)

    def decides(self) -> Standing:
        return standing(self.ledger(), COURSE, self.now)

    def rows(self, session: str, *rows: msgspec.Struct) -> None:
        for row in rows:
            self.study.journal.append(session, kind_of(row), row, sample=0, utc=self.now)

    def session(self, protocol: str) -> str:
        self._n += 1
        return f"R01_{self._n:03}_{protocol}"

    def last_row(self) -> int | None:
        trains = [train for train in self.ledger().trains if train.verdict is not None]
        return trains[-1].seq if trains else None


def wait(hours: float) -> Act:
    def act(weeks: Weeks) -> None:
        weeks.now += timedelta(hours=hours)

    return act


def threshold_sought(found: bool, aborted: bool) -> Act:
    def act(weeks: Weeks) -> None:
        outcome = Aborted(20.0, "the plug came off") if aborted else NoAfterdischarge(200.0)
        rows = [SessionStarted("R01", "threshold", PLAN, (), LIMITS, (), "told", {})]
        rows += [SessionEnded(ThresholdFound(71.3, 85.6) if found else outcome)]  # type: ignore[list-item]
        weeks.rows(weeks.session("threshold"), *rows)

    return act


def trained(stage: float | None, verdict: Verdict | None, condition: str) -> Act:
    """A kindling train, or one on a day of drug tests; without a verdict it came wrong."""

    def act(weeks: Weeks) -> None:
        train = KINDLING.one_train
        reply = (
            VoidTrial(train, "wrong", True, None, "r", 9) if verdict is None else trial(train, verdict, 10_000, 90_000)
        )
        told: list[msgspec.Struct] = [Asked(Rest(10.0, "baseline")), Answered(Rested(9_000, "r"))]
        dose = Dose("sodium valproate", "mg_salt", 200.0, "i.p.", 900.0)
        if condition not in ("", CONTROL):
            told += [Asked(Inject(dose)), Answered(Injected(dose, 0))]
        told += [Asked(Stimulate(train)), Answered(reply), Asked(ScoreSeizure(SCALE)), Answered(Scored(SCALE, stage))]
        done = KindlingDone(())
        plan = DrugTestPlan("x", (Injection(dose),), 60.0, KINDLING, condition) if condition else KINDLING
        protocol = "drug-test" if condition else "kindling"
        started = SessionStarted("R01", protocol, plan, (), LIMITS, (), "told", {})
        weeks.rows(weeks.session(protocol), started, *told, SessionEnded(DrugTested((), done) if condition else done))

    return act


def scored(stage: float) -> Act:
    return lambda weeks: score_trial(weeks.study, "R01", stage, "Ada", weeks.now) and None


def stage_amended(stage: float) -> Act:
    def act(weeks: Weeks) -> None:
        row = weeks.last_row()
        if row is not None:
            amend(weeks.study, *stage_row(weeks.study, row), stage, "Ada", "video", weeks.now)

    return act


def read_anew(discharge_s: float | None) -> Act:
    def act(weeks: Weeks) -> None:
        row = weeks.last_row()
        if row is not None:
            end, rate_hz = trial_at(weeks.study, row).measured.end_sample, 1000
            marked = (
                []
                if discharge_s is None
                else [MarkedDischarge(end + rate_hz, end + rate_hz + round(discharge_s * rate_hz))]
            )
            amend_afterdischarges(weeks.study, row, marked, "Ada", "video", utc=weeks.now)

    return act


def alarmed(weeks: Weeks) -> None:
    sessions = weeks.study.sessions("R01")
    if sessions:
        weeks.rows(sessions[-1].id, StatusAlarmed("r", 9, "the discharge has lasted 301 s"))


ACTS: st.SearchStrategy[Act] = st.one_of(
    st.sampled_from([1.0, 4.0, 24.0, 24.0, 24.0, 72.0, 200.0]).map(wait),
    st.builds(threshold_sought, st.sampled_from([True, True, False]), st.booleans()),
    *[
        st.builds(
            trained,
            st.sampled_from([0.0, 3.0, 4.0, 5.0, 5.0, 5.0, None]),
            st.sampled_from([Verdict.AFTERDISCHARGE] * 4 + [Verdict.NONE, Verdict.UNDETERMINED, None]),
            st.sampled_from(["", "", "", CONTROL, "valproate 200", "vehicle"]),
        )
    ]
    * 3,
    st.sampled_from([0.0, 4.0, 5.0]).map(scored),
    st.sampled_from([0.0, 4.0, 5.0]).map(stage_amended),
    st.sampled_from([None, 5.0, 30.0]).map(read_anew),
    st.just(alarmed),
    st.just(lambda weeks: acknowledge(weeks.study, "R01", "Ada", weeks.now) and None),
    st.just(lambda weeks: weigh(weeks.study, "R01", 250.0, weeks.now)),
    st.just(lambda weeks: note_event(weeks.study, "R01", "implanted", "", weeks.now)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, min_size=3, max_size=25))
def test_replayed_from_the_journal_a_course_decides_at_each_time_as_it_did_then(
    acts: list[Act], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("replay") / "study"
    create_study(folder, 'name = "replay"\n')
    decided: list[tuple[datetime, Standing]] = []
    with open_study(folder) as study:
        study.add_animal(Animal("R01"), BEGUN)
        weeks = Weeks(study)
        for act in acts:
            weeks.now += timedelta(seconds=1)
            # What is refused writes nothing, and the day goes on.
            with suppress(KindleError):
                act(weeks)
            decided.append((weeks.now, weeks.decides()))
    with open_study(folder) as study:
        weeks = Weeks(study)
        for now, then in decided:
            assert standing(weeks.ledger(until=now), COURSE, now) == then
        assert standing(weeks.ledger(), COURSE, decided[-1][0]) == decided[-1][1]
