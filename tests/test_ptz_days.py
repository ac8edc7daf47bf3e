"""Days of pentylenetetrazol kindling and of electroshock in a study folder: what is due, given, seen and told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import pytest
from msgspec import structs

from kindle.course import standing
from kindle.course_in_force import course_of
from kindle.course_plan import Due, NeedsPerson, Standing, State, Wait
from kindle.errors import ConfigError, KindleError, UnsafeStimulus
from kindle.experimenter import Answer, ItemMark, Mark, StageMark, Unattended
from kindle.keeping import score_trial, weigh
from kindle.ledger import Ledger
from kindle.ledger_view import ledger_of
from kindle.life import life
from kindle.prepared import Prepared
from kindle.preparing_observations import prepare_electroshock, prepare_ptz
from kindle.previewing import preview
from kindle.progress import unheard
from kindle.protocols.ptz import ElectroshockObserved, ElectroshockPlan, PtzObserved, PtzPlan
from kindle.rig_config import RigConfig, load_rig
from kindle.rows import Animal
from kindle.session import Finished, end_unfinished, run_session
from kindle.study import Study, create_study, open_study
from kindle.tracing import trace
from tests.bench import bench

DAY = datetime(2030, 1, 7, 9, tzinfo=UTC)
STUDY = """\
name = "doses"
criterion = "ptz_kindling"
[kindled]
n = 2
cap_trains = 10
[course]
model = "ptz_kindling"
workdays = []
[ptz]
preset = "alternate_days"
challenge_after_days = 7
challenge_amount_per_kg = 30.0
convulsant = { mg_per_ml = 10.0 }
[electroshock]
preset = "etsp_rat"
[syringe]
graduation_ml = 0.01
capacity_ml = 2.0
"""


@dataclass
class Observer(Unattended):
    """Gives what is asked for, and marks what is on the list at one look each."""

    marks: Sequence[Mark | None] = ()
    answer: str = "given"
    looks: int = 0
    leaves_after: float = inf

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        said = self.answer if self.answer in choices else choices[0]
        return lambda: said

    def wants_stop(self) -> bool:
        return self.looks > self.leaves_after

    def mark(self) -> Mark | None:
        self.looks += 1
        return self.marks[self.looks - 1] if self.looks <= len(self.marks) else None


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    create_study(tmp_path / "study", STUDY)
    with open_study(tmp_path / "study") as opened:
        opened.add_animal(Animal("R01"), DAY)
        weigh(opened, "R01", 250.0, DAY)
        yield opened


def rig() -> RigConfig:
    simulated = load_rig("simulated")
    return structs.replace(simulated, daq=structs.replace(simulated.daq, rate_hz=250.0, block_s=1.0))


def ledger(study: Study) -> Ledger:
    return ledger_of(study.journal, "R01", UTC)


def told(study: Study, day: float) -> Standing:
    return standing(ledger(study), course_of(study, "R01"), DAY + timedelta(days=day))


def session(study: Study, prepared: Prepared, day: float, person: Unattended) -> Finished:
    with bench(rig()) as made:
        return run_session(study, prepared, made.instruments, person, unheard, now=lambda: DAY + timedelta(days=day))


def dosed(study: Study, day: float, stage: float | None) -> PtzObserved:
    prepared = prepare_ptz(study, "R01", rig(), "control", DAY + timedelta(days=day))
    marks = () if stage is None else (*[None] * 40, StageMark(stage))
    outcome = session(study, prepared, day, Observer(marks)).outcome
    assert isinstance(outcome, PtzObserved)
    return outcome


def test_doses_are_given_at_their_interval_and_the_challenge_after_its_rest(study: Study) -> None:
    assert isinstance(told(study, 0).next, Due)
    assert dosed(study, 0, 4.0).worst == 4.0
    with pytest.raises(UnsafeStimulus, match="R01 is kindling and gets no dose before Wed 2030-01-09 05:00"):
        prepare_ptz(study, "R01", rig(), "control", DAY + timedelta(days=1))
    due = told(study, 2).next
    assert isinstance(due, Due)
    assert "dose 2, 35 mg/kg of pentylenetetrazol; 1 of 2 seizures" in due.reason
    (fact,) = ledger(study).observations
    assert (fact.condition, fact.stage) == ("kindling", 4.0)
    assert fact.mg_per_kg == pytest.approx(34.8)

    one_is_enough = structs.replace(study.config, kindled={"n": 1, "cap_trains": 10})
    kindled = Study(study.folder, one_is_enough, study.journal)
    assert told(kindled, 3).state is State.RESTING
    with pytest.raises(UnsafeStimulus, match="resting and gets no dose before Mon 2030-01-14 00:00: rest of 7 days"):
        prepare_ptz(kindled, "R01", rig(), "control", DAY + timedelta(days=4))
    challenge = prepare_ptz(kindled, "R01", rig(), "control", DAY + timedelta(days=7))
    assert "really 30 mg/kg" in " ".join(preview(challenge))
    assert isinstance(challenge.plan, PtzPlan)
    assert challenge.plan.condition == "challenge"
    lines = list(life(ledger(study)))
    assert lines[1] == "1 dose of a convulsant, 34.8 mg/kg in all"
    assert any("ptz (kindling): worst stage 4 on guide_2025@1; first seizure after" in line for line in lines)


def test_a_dose_that_nobody_scored_is_scored_later_and_counts(study: Study) -> None:
    dosed(study, 0, None)
    waiting = told(study, 2).next
    assert isinstance(waiting, NeedsPerson)
    assert "has no stage yet: kindle score" in waiting.reason
    with pytest.raises(UnsafeStimulus, match=r"had a dose in session .* that has no stage; enter it first"):
        prepare_ptz(study, "R01", rig(), "control", DAY + timedelta(days=2))
    score_trial(study, "R01", 4.0, "Ada", DAY + timedelta(hours=1))
    due = told(study, 2).next
    assert isinstance(due, Due)
    assert "1 of 2 seizures" in due.reason
    assert any("worst stage 4 on guide_2025@1, scored later" in line for line in life(ledger(study)))
    (fact,) = ledger(study).observations
    traced = list(trace(study, fact.seq))
    assert traced[1] == "condition kindling"
    assert traced[3] == "nothing was marked"
    assert traced[4].endswith("worst stage 4 on guide_2025@1, entered later by Ada")


def test_an_animal_that_dies_is_out_of_the_study_by_what_was_seen(study: Study) -> None:
    prepared = prepare_ptz(study, "R01", rig(), "control", DAY)
    outcome = session(study, prepared, 0, Observer((*[None] * 40, StageMark(5.0), ItemMark("death")))).outcome
    assert isinstance(outcome, PtzObserved)
    assert outcome.died
    assert told(study, 3).state is State.DIED
    with pytest.raises(UnsafeStimulus, match="R01 is out of the study"):
        prepare_ptz(study, "R01", rig(), "control", DAY + timedelta(days=3))


def test_a_convulsant_that_was_withheld_is_no_dose(study: Study) -> None:
    prepared = prepare_ptz(study, "R01", rig(), "control", DAY)
    session(study, prepared, 0, Observer(answer="withheld"))
    assert ledger(study).observations == ()
    assert isinstance(told(study, 0.1).next, Due)


def test_a_dose_whose_observation_was_broken_off_is_a_dose_all_the_same(study: Study) -> None:
    prepared = prepare_ptz(study, "R01", rig(), "control", DAY)
    with pytest.raises(KindleError, match="stopped by the experimenter"):
        session(study, prepared, 0, Observer(leaves_after=50))
    end_unfinished(study, "R01", "power cut", now=lambda: DAY + timedelta(hours=1))
    (fact,) = ledger(study).observations
    assert fact.mg_per_kg == pytest.approx(34.8)
    assert (fact.stage, fact.seen) == (None, None)
    assert isinstance(told(study, 2).next, NeedsPerson)
    score_trial(study, "R01", 3.0, "Ada", DAY + timedelta(hours=2))
    early = told(study, 1).next
    assert isinstance(early, Wait)
    assert "dose 2" in early.reason


def test_only_what_is_due_is_given(study: Study) -> None:
    with pytest.raises(ConfigError, match="not valproate but kindling is due"):
        prepare_ptz(study, "R01", rig(), "valproate", DAY)


def test_the_extension_of_the_hindlimbs_after_a_shock_stands_in_the_ledger(study: Study) -> None:
    prepared = prepare_electroshock(study, "R01", rig(), "control", DAY)
    assert isinstance(prepared.plan, ElectroshockPlan)
    assert "150 mA, 60 Hz sine, 0.2 s, corneal electrodes" in " ".join(preview(prepared))
    extension = "tonic_hindlimb_extension"
    marks = (*[None] * 35, ItemMark(extension, "begins"), None, None, ItemMark(extension, "ends"))
    seen = session(study, prepared, 0, Observer(marks)).outcome
    assert isinstance(seen, ElectroshockObserved)
    assert not seen.protected
    assert seen.extension_s == pytest.approx(2.0)
    (fact,) = ledger(study).observations
    assert (fact.protocol, fact.mg_per_kg, fact.condition, fact.seen) == ("electroshock", None, "control", seen)
    assert any("electroshock (control): tonic hindlimb extension after" in line for line in life(ledger(study)))
    assert "1 shock" in list(life(ledger(study)))
    traced = "\n".join(trace(study, fact.seq))
    assert "condition control\nobserved for 60.0 s, samples" in traced
    assert "tonic hindlimb extension begins, sample" in traced


def test_a_second_shock_in_the_washout_needs_a_reason(study: Study) -> None:
    session(study, prepare_electroshock(study, "R01", rig(), "control", DAY), 0, Observer())
    with pytest.raises(ConfigError, match=r"washout of 7 days after the shock until .*say why with --although"):
        prepare_electroshock(study, "R01", rig(), "control", DAY + timedelta(days=1))
    excused = prepare_electroshock(study, "R01", rig(), "control", DAY + timedelta(days=1), although="a pilot")
    assert isinstance(excused.plan, ElectroshockPlan)
    assert excused.plan.departure.endswith("although: a pilot")


def test_a_shock_that_was_not_given_is_no_shock(study: Study) -> None:
    session(study, prepare_electroshock(study, "R01", rig(), "control", DAY), 0, Observer(answer="not given"))
    assert ledger(study).observations == ()


def test_the_sources_of_every_value_go_with_the_session(study: Study) -> None:
    prepared = prepare_ptz(study, "R01", rig(), "control", DAY)
    told_ = {line.name: line.status for line in prepared.parameters}
    assert told_["convulsant.amount_per_kg"] == "unverified"
    assert told_["convulsant.mg_per_ml"] == "laboratory"
    assert isinstance(prepared.plan, PtzPlan)
    assert prepared.plan.preset == "alternate_days@1 on guide_2025@1"


def test_a_course_without_its_table_is_refused_in_one_sentence(study: Study) -> None:
    bare = Study(study.folder, structs.replace(study.config, ptz=None), study.journal)
    with pytest.raises(ConfigError, match=r"study.toml has no \[ptz\]"):
        course_of(bare, "R01")
    assert isinstance(told(study, 0).next, Due | Wait)
