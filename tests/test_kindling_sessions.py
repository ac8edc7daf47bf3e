"""Kindling, drug tests and pentylenetetrazol through the whole rig, with a person who marks, answers and is slow."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from detectors.criterion import Criterion, Verdict
from kindle.errors import KindleError
from kindle.exchange import CodedDose, Dose, Trial
from kindle.experimenter import Answer, ItemMark, Mark, StageMark, TakeBack, Unattended
from kindle.keeping import score_trial
from kindle.ledger_view import ledger_of
from kindle.prepared import Prepared
from kindle.progress import Arming, Progress, unheard
from kindle.protocols.catalogue import Plan
from kindle.protocols.drug_test import DrugTested, DrugTestPlan, DrugTestStopped
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingDone, KindlingPlan, KindlingStopped
from kindle.protocols.ptz import PtzObserved, PtzPlan, Seen
from kindle.protocols.threshold import TrainShape
from kindle.session import Finished, end_unfinished, run_session
from kindle.study import open_study
from tests.bench import Rig, bench, config, new_study

DAILY = KindlingPlan(
    preset="mine@1",
    current_ua=100.0,
    train=TrainShape("biphasic", "cathodic_first", 1000.0, 0.0, 50.0, 1.0),
    trains=2,
    interval_s=120.0,
    lockout_after_ad_s=60.0,
    baseline_s=10.0,
    watch_s=15.0,
    criterion=Criterion(onset_window_s=10.0, baseline_s=10.0),
    scale="racine_1972@1",
)
VALPROATE = Injection(Dose("sodium valproate", "mg_salt", 200.0, "i.p.", 120.0))
TEST = DrugTestPlan("mine@1", (VALPROATE,), 5.0, structs.replace(DAILY, trains=1), condition="valproate 200")
OBSERVATION = PtzPlan(
    "mine@1",
    (),
    Injection(Dose("pentylenetetrazol", "mg_salt", 60.0, "s.c.", 0.0)),
    60.0,
    1800.0,
    "guide_2025@1",
    4.0,
    10.0,
)


@dataclass
class Person(Unattended):
    """Answers each question by the first word that it takes; marks what is due at a look, one look per block."""

    answers: tuple[str, ...] = ("4", "given", "yes")
    marks: list[Mark | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        self.asked.append(text)
        said = next((answer for answer in self.answers if answer in choices), choices[0])
        return lambda: said

    def mark(self) -> Mark | None:
        return self.marks.pop(0) if self.marks else None


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


@pytest.fixture
def rig() -> Iterator[Rig]:
    with bench(config()) as made:
        yield made


def session(
    study: Path, plan: Plan, rig: Rig, person: Unattended, *, listener: object = unheard, last_train: str = "ask"
) -> Finished:
    prepared = Prepared("R01", plan, (), config().limits, "simulated", simulated=True)
    with open_study(study) as opened:
        return run_session(
            opened,
            prepared,
            rig.instruments,
            person,
            listener,
            last_train=last_train,  # type: ignore[arg-type]
        )


def test_every_train_of_a_session_is_delivered_once_and_scored(study: Path, rig: Rig) -> None:
    done = session(study, DAILY, rig, Person()).outcome
    assert isinstance(done, KindlingDone)
    assert [one.stage for one in done.stimulations] == [4.0, 4.0]
    assert [heard.n_pulses for heard in rig.rat.heard] == [50, 50]
    first, second = rig.rat.heard
    assert (second.start_us - first.start_us) / 1e6 >= DAILY.interval_s
    with open_study(study) as opened:
        ledger = ledger_of(opened.journal, "R01", UTC)
    assert [(train.stage, train.verdict, train.protocol) for train in ledger.trains] == [
        (4.0, Verdict.AFTERDISCHARGE, "kindling")
    ] * 2


def test_marks_get_samples_between_train_and_score_and_stand_in_the_journal(study: Path, rig: Rig) -> None:
    class Watching(Person):
        """Marks only once a train has been heard."""

        def mark(self) -> Mark | None:
            return super().mark() if rig.rat.heard else None

    person = Watching(
        marks=[StageMark(1.0), None, ItemMark("forelimb_clonus", "begins"), None, TakeBack(), StageMark(3.0)]
    )
    session(study, structs.replace(DAILY, trains=1), rig, person)
    with open_study(study) as opened:
        (view,) = opened.sessions()
        rows = [row for row in opened.journal.rows() if row.kind == "behaviour_marked"]
    (trial,) = view.trials
    assert isinstance(trial, Trial)
    (scored,) = [e.reply for e in view.exchanges if type(e.reply).__name__ == "Scored"]
    samples = [stamp.sample for stamp in scored.stamps]  # type: ignore[union-attr]
    assert len(samples) == len(rows) == 4
    assert samples == sorted(samples)
    assert trial.measured.onset_sample <= samples[0]
    assert samples[-1] <= trial.last_sample


def test_with_nobody_there_the_stage_waits_for_an_observer(study: Path, rig: Rig) -> None:
    done = session(study, structs.replace(DAILY, trains=1), rig, Unattended()).outcome
    assert isinstance(done, KindlingDone)
    assert done.stimulations[0].stage is None
    with open_study(study) as opened:
        score_trial(opened, "R01", 2.0, "Ada", datetime.now(UTC))
        assert ledger_of(opened.journal, "R01", UTC).trains[0].stage == 2.0


def test_the_train_follows_the_injection_by_the_sample_clock(study: Path, rig: Rig) -> None:
    tested = session(study, TEST, rig, Person()).outcome
    assert isinstance(tested, DrugTested)
    assert tested.pretreated[0].waited_s == pytest.approx(120.0, abs=1.0)
    with open_study(study) as opened:
        (view,) = opened.sessions()
        ledger = ledger_of(opened.journal, "R01", UTC)
    (injected,) = [e.reply for e in view.exchanges if type(e.reply).__name__ == "Injected"]
    (trial,) = view.trials
    assert isinstance(trial, Trial)
    waited_s = (trial.measured.onset_sample - injected.sample) / trial.rate_hz  # type: ignore[union-attr]
    assert waited_s == pytest.approx(120.0, abs=TEST.tolerance_s)
    assert [(fact.name, fact.condition) for fact in ledger.injections] == [("sodium valproate", "valproate 200")]
    assert ledger.trains[0].condition == "valproate 200"


def test_nobody_at_the_rig_injects_nothing(study: Path, rig: Rig) -> None:
    assert isinstance(session(study, TEST, rig, Unattended()).outcome, DrugTestStopped)
    assert rig.rat.heard == []


def test_an_observation_measures_latencies_and_gives_no_current(study: Path, rig: Rig) -> None:
    marks: list[Mark | None] = [None] * 150 + [StageMark(2.0)] + [None] * 40 + [StageMark(5.0), ItemMark("death")]
    seen = session(study, OBSERVATION, rig, Person(marks=marks)).outcome
    assert isinstance(seen, PtzObserved)
    assert isinstance(seen.first_seizure, Seen)
    assert seen.died
    assert seen.observed_s < 1800.0
    assert rig.rat.heard == []


class Died(BaseException):
    pass


def test_a_kindling_session_that_dies_before_its_second_train_goes_on_with_it(study: Path) -> None:
    n_armed = 0

    def die(fact: Progress) -> None:
        nonlocal n_armed
        if isinstance(fact, Arming):
            n_armed += 1
            if n_armed == 2:
                raise Died

    with bench(config()) as first, pytest.raises(Died):
        session(study, DAILY, first, Person(), listener=die)
    assert len(first.rat.heard) == 1
    with bench(config()) as second:
        done = session(study, DAILY, second, Person(), last_train="void").outcome
        assert isinstance(done, KindlingDone)
        assert len(done.stimulations) == 2
        assert len(second.rat.heard) == 1
    with open_study(study) as opened:
        assert [train.stage for train in ledger_of(opened.journal, "R01", UTC).trains] == [4.0, 4.0]


def test_no_session_begins_while_one_of_another_protocol_is_open(study: Path) -> None:
    def die(fact: Progress) -> None:
        if isinstance(fact, Arming):
            raise Died

    with bench(config()) as rig, pytest.raises(Died):
        session(study, DAILY, rig, Person(), listener=die)
    with bench(config()) as rig, pytest.raises(KindleError, match="has the unfinished kindling session"):
        session(study, TEST, rig, Person())


class DiesWhenAsked(Person):
    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        raise Died


@pytest.mark.parametrize(
    ("answers", "n_asked", "n_trains"),
    [
        (("withheld",), 1, 0),
        (("given before the interruption", "no"), 2, 0),
        (("given before the interruption", "yes", "4"), 3, 1),
        (("not given yet", "given", "4"), 3, 1),
    ],
)
def test_an_injection_that_the_program_died_on_is_not_given_twice(
    study: Path, answers: tuple[str, ...], n_asked: int, n_trains: int
) -> None:
    with bench(config()) as first, pytest.raises(Died):
        session(study, TEST, first, DiesWhenAsked())
    person = Person(answers=answers)
    with bench(config()) as second:
        session(study, TEST, second, person)
        assert len(second.rat.heard) == n_trains
    assert len(person.asked) == n_asked
    assert person.asked[0].startswith("The program stopped when sodium valproate was due to be injected")


def test_an_observation_that_was_interrupted_is_ended_not_begun_anew(study: Path) -> None:
    class Leaves(Person):
        stopped = False

        def wants_stop(self) -> bool:
            return self.stopped

        def mark(self) -> Mark | None:
            self.stopped = self.stopped or "Inject" in "".join(self.asked)
            return None

    with bench(config()) as first, pytest.raises(Exception, match="stopped by the experimenter"):
        session(study, OBSERVATION, first, Leaves())
    with bench(config()) as second, pytest.raises(Exception, match="the observation was interrupted"):
        session(study, OBSERVATION, second, Person())
    with open_study(study) as opened:
        ended = end_unfinished(opened, "R01", "power cut")
        assert "power cut" in str(ended.outcome)
        assert opened.unfinished("R01") is None


def test_a_session_that_nobody_resumes_keeps_what_was_given(study: Path) -> None:
    def die(fact: Progress) -> None:
        if isinstance(fact, Arming) and rig.rat.heard:
            raise Died

    with bench(config()) as rig, pytest.raises(Died):
        session(study, DAILY, rig, Person(), listener=die)
    with open_study(study) as opened:
        ended = end_unfinished(opened, "R01", "the animal is tired").outcome
    assert isinstance(ended, KindlingStopped)
    assert [one.stage for one in ended.stimulations] == [4.0]


def test_a_blinded_injection_tells_the_person_no_more_than_its_code(study: Path, rig: Rig) -> None:
    person = Person()
    coded = Injection(CodedDose("B", 2.0, "i.p.", 120.0))
    session(study, structs.replace(TEST, injections=(coded,)), rig, person)
    assert person.asked[0] == "Inject code B, 2 ml/kg i.p."
