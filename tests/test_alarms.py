"""Status epilepticus: when the alarm is raised, who hears of it, and what it bars until somebody acknowledges it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import MONDAY, threshold_on, train
from msgspec import structs

from kindle.alarms import Sentinel
from kindle.course import standing
from kindle.course_plan import CoursePlan, NeedsPerson
from kindle.errors import KindleError, UnsafeStimulus
from kindle.experimenter import Answer, ItemMark, Mark, NobodyThere, StageMark, TakeBack, Unattended
from kindle.interlocks import AnimalLimits, check_animal
from kindle.keeping import acknowledge
from kindle.kindled import KindledRule
from kindle.ledger import AlarmFact, Ledger
from kindle.ledger_view import ledger_of
from kindle.prepared import Prepared
from kindle.progress import Alarmed, Fired, Marked, Progress, Read, Watching, unheard
from kindle.protocols.kindling import KindlingDone
from kindle.session import run_session
from kindle.status import StatusRule, too_long, without_recovery
from kindle.study import open_study
from tests.bench import STUDY, Rig, bench, config, new_study
from tests.test_kindling_sessions import DAILY

RULE = StatusRule(rescue_text="Diazepam as the licence says.")
RATE_HZ = 1000.0
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)

seconds_and_stages = st.lists(
    st.tuples(st.floats(0, 3600), st.sampled_from([0.0, 1.0, 3.0, 4.0, 5.0, 6.0])), max_size=12
).map(sorted)


class TestTheRule:
    @pytest.mark.parametrize(("length_s", "alarm"), [(300.0, False), (300.1, True), (nan, True), (0.0, False)])
    def test_a_discharge_longer_than_the_limit(self, length_s: float, alarm: bool) -> None:
        assert too_long(length_s, RULE) is alarm

    @pytest.mark.parametrize(
        ("stages", "alarm"),
        [
            ([(10, 5), (80, 2), (90, 5)], True),
            ([(10, 5), (40, 4), (69, 5)], False),
            ([(10, 5), (40, 4), (50, 5), (60, 4), (75, 5)], True),
            ([(10, 5), (40, 4), (70, 5)], True),
            ([(10, 5), (60, 0), (300, 5)], False),
            ([(10, 5), (60, 0), (300, 5), (330, 3), (400, 6)], True),
            ([(10, 5), (200, 5)], False),
            ([(10, 4), (80, 2), (90, 4.9)], False),
        ],
        ids=["again", "within one seizure", "counted from the first", "just apart", "recovered", "after a recovery",
             "stamped twice", "lower stages"],
    )  # fmt: skip
    def test_stage_5_again_without_recovery(self, stages: list[tuple[float, float]], alarm: bool) -> None:
        """Repeated stage 5 without recovery between is status epilepticus as much as a long discharge."""
        assert without_recovery(stages, RULE) is alarm

    @given(seconds_and_stages)
    def test_there_is_no_alarm_by_stages_without_two_of_them(self, stages: list[tuple[float, float]]) -> None:
        if without_recovery(stages, RULE):
            at_5 = [second for second, stage in stages if stage >= 5]
            assert len(at_5) >= 2
            assert at_5[-1] - at_5[0] >= RULE.apart_s

    @given(seconds_and_stages, st.floats(3600, 7200))
    def test_what_happens_later_never_takes_an_alarm_back(
        self, stages: list[tuple[float, float]], later_s: float
    ) -> None:
        if without_recovery(stages, RULE):
            assert without_recovery([*stages, (later_s, 0.0)], RULE)


def read(first: int, n: int) -> Read:
    return Read(first, np.zeros((1, n), np.int16))


def alarms(facts: list[Progress]) -> list[str]:
    heard: list[Progress] = []
    sentinel = Sentinel(RULE, RATE_HZ, heard.append)
    for fact in facts:
        sentinel(fact)
    assert [fact for fact in heard if not isinstance(fact, Alarmed)] == facts
    return [fact.cause for fact in heard if isinstance(fact, Alarmed)]


def marked(second: float, mark: Mark) -> Marked:
    return Marked(round(second * RATE_HZ), mark)


TRAIN = DAILY.one_train
FIRED = Fired(TRAIN, None)  # type: ignore[arg-type]


class TestTheSentinel:
    def test_a_long_discharge_is_told_once_and_again_after_the_next_train(self) -> None:
        long = [Watching(301.0, 299.0), Watching(303.0, 301.0), Watching(400.0, 398.0)]
        assert alarms([FIRED, *long]) == ["the discharge has lasted 301 s"]
        assert len(alarms([FIRED, *long, FIRED, *long])) == 2

    def test_a_stage_that_was_taken_back_raises_no_alarm(self) -> None:
        stages = [marked(10, StageMark(5)), marked(50, StageMark(3))]
        assert alarms([FIRED, *stages, marked(90, StageMark(5))]) == ["stage 5 again without recovery"]
        mistake = [marked(10, StageMark(5)), marked(11, TakeBack()), marked(12, ItemMark("falling"))]
        assert alarms([FIRED, *mistake, marked(50, StageMark(3)), marked(90, StageMark(5))]) == []

    def test_stages_after_an_earlier_train_do_not_count(self) -> None:
        assert (
            alarms([FIRED, marked(10, StageMark(5)), marked(20, StageMark(3)), FIRED, marked(90, StageMark(5))]) == []
        )

    def test_the_alarm_tells_the_sample_and_the_rescue_text(self) -> None:
        heard: list[Progress] = []
        sentinel = Sentinel(RULE, RATE_HZ, heard.append)
        for fact in (FIRED, read(0, 500), read(500, 700), Watching(310.0, 305.0)):
            sentinel(fact)
        assert sentinel.in_force == heard[-1] == Alarmed(1200, "the discharge has lasted 305 s", RULE.rescue_text)
        assert sentinel.in_force.text == (  # type: ignore[union-attr]
            "STATUS EPILEPTICUS: the discharge has lasted 305 s. Diazepam as the licence says."
        )


@dataclass
class Person(Unattended):
    names: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        return lambda: "3" if "3" in choices else choices[0]

    def ask_name(self, text: str) -> Answer:
        self.asked.append(text)
        looks = iter([None, None, self.names.pop(0)])
        return lambda: next(looks)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Every discharge of the simulated rat is longer than a second, and an emergency here."""
    return new_study(tmp_path / "study", STUDY + '[status]\nafter_s = 1.0\nrescue_text = "Diazepam."\n')


def kindled(study: Path, rig: Rig, person: Unattended, heard: list[Progress] | None = None) -> object:
    prepared = Prepared("R01", DAILY, (), config().limits, "simulated", simulated=True)
    listener = unheard if heard is None else heard.append
    with open_study(study) as opened:
        return run_session(opened, prepared, rig.instruments, person, listener).outcome


class TestAtTheRig:
    def test_no_train_follows_an_alarm_before_somebody_has_given_a_name(self, study: Path) -> None:
        heard: list[Progress] = []
        person = Person(["Ada"])
        with bench(config()) as rig:
            assert isinstance(kindled(study, rig, person, heard), KindlingDone)
            assert len(rig.rat.heard) == 2
        assert "STATUS EPILEPTICUS: the discharge" in person.asked[0]
        assert "Diazepam." in person.asked[0]
        assert sum(isinstance(fact, Alarmed) for fact in heard) == 2
        with open_study(study) as opened:
            kinds = [row.kind for row in opened.journal.rows()]
            ledger = ledger_of(opened.journal, "R01", UTC)
        assert kinds.count("status_alarmed") == 2
        second_train = [n for n, kind in enumerate(kinds) if kind == "asked"][-2]
        assert kinds.index("status_alarmed") < kinds.index("alarm_acknowledged") < second_train
        assert [alarm.acknowledged_by for alarm in ledger.alarms] == ["Ada", ""]

    def test_an_alarm_that_was_acknowledged_is_not_asked_about_again(self, tmp_path: Path) -> None:
        study = new_study(tmp_path / "study", STUDY + "[status]\nafter_s = 12.0\n")
        person = Person(["Ada"])
        with bench(config()) as rig:
            rig.rat.discharge_s = (16.0, 17.0)

            def shorter_from_now_on(fact: Progress) -> None:
                if isinstance(fact, Alarmed):
                    rig.rat.discharge_s = (4.0, 5.0)

            thrice = Prepared("R01", structs.replace(DAILY, trains=3), (), config().limits, "simulated", simulated=True)
            with open_study(study) as opened:
                run_session(opened, thrice, rig.instruments, person, shorter_from_now_on)
            assert len(rig.rat.heard) == 3
        assert len(person.asked) == 1

    def test_with_nobody_there_the_session_stops_before_the_next_train_and_asks_for_none(self, study: Path) -> None:
        class Scores(Person):
            def ask_name(self, text: str) -> Answer:
                return Unattended.ask_name(self, text)

        with bench(config()) as rig:
            with pytest.raises(NobodyThere, match="nobody is at the rig to acknowledge: STATUS EPILEPTICUS"):
                kindled(study, rig, Scores())
            assert len(rig.rat.heard) == 1
        with open_study(study) as opened:
            (view,) = opened.sessions()
        assert len(view.trains) == 1
        assert not view.unanswered

    def test_an_alarm_that_nobody_acknowledged_bars_every_later_session(self, study: Path) -> None:
        with bench(config()) as rig:
            kindled(study, rig, Person(["Ada"]))
        with bench(config()) as rig:
            with pytest.raises(UnsafeStimulus, match=r"status epilepticus in session .* that nobody has acknowledged"):
                kindled(study, rig, Person(["Ada"]))
            assert rig.rat.heard == []
        with open_study(study) as opened:
            with pytest.raises(KindleError, match="must be named"):
                acknowledge(opened, "R01", " ", NOW)
            acknowledge(opened, "R01", "Bob", datetime.now(UTC))
            with pytest.raises(KindleError, match="no alarm that waits"):
                acknowledge(opened, "R01", "Bob", datetime.now(UTC))
        with bench(config()) as rig:
            assert isinstance(kindled(study, rig, Person(["Ada"])), KindlingDone)


class TestInTheCourse:
    ALARM = AlarmFact(MONDAY, MONDAY.date(), "R01_kindling", 12, "the discharge has lasted 301 s")
    LEDGER = Ledger("R01", trains=(train(0, 5.0),), thresholds=(threshold_on(-7),), alarms=(ALARM,))
    PLAN = CoursePlan(kindled=KindledRule(3, 4.0, "racine_1972@1"))

    def test_a_person_decides_what_follows_an_alarm(self) -> None:
        told = standing(self.LEDGER, self.PLAN, MONDAY + timedelta(days=1))
        assert isinstance(told.next, NeedsPerson)
        assert "kindle acknowledge" in told.next.reason
        with pytest.raises(UnsafeStimulus, match="the discharge has lasted 301 s"):
            check_animal(self.LEDGER, AnimalLimits())

    def test_acknowledged_it_bars_nothing_but_it_did_so_before(self) -> None:
        by_ada = replace(self.ALARM, acknowledged_utc=MONDAY + timedelta(hours=1), acknowledged_by="Ada")
        seen_to = replace(self.LEDGER, alarms=(by_ada,))
        check_animal(seen_to, AnimalLimits())
        assert not isinstance(standing(seen_to, self.PLAN, MONDAY + timedelta(days=1)).next, NeedsPerson)
        before = standing(seen_to, self.PLAN, MONDAY + timedelta(minutes=30))
        assert isinstance(before.next, NeedsPerson)

    def test_the_limits_of_the_rule_are_those_of_study_toml(self, tmp_path: Path) -> None:
        text = STUDY + "[status]\nafter_s = 120.0\nstage_from = 4.0\napart_s = 30.0\n"
        with open_study(new_study(tmp_path / "study", text)) as opened:
            assert opened.config.status == structs.replace(StatusRule(), after_s=120.0, stage_from=4.0, apart_s=30.0)
