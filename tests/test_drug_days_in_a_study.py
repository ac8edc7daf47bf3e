"""Drug days of a kindled rat in a study folder: control, dose, time, washout; what is refused, and how it goes on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs
from told_study import BEGUN, StudyTeller

from kindle.course import standing
from kindle.course_facts import last_threshold_ua
from kindle.course_in_force import course_of
from kindle.course_plan import Due, State
from kindle.errors import ConfigError
from kindle.experimenter import Answer, Unattended
from kindle.keeping import weigh
from kindle.ledger import CONTROL
from kindle.ledger_view import ledger_of
from kindle.prepared import prepare_threshold
from kindle.preparing import prepare_drug_test
from kindle.previewing import preview
from kindle.progress import unheard
from kindle.protocols.drug_test import DrugTested, DrugTestPlan
from kindle.protocols.threshold import ThresholdPlan
from kindle.rig_config import RigConfig, load_rig
from kindle.rows import Animal
from kindle.session import Finished, run_session
from kindle.study import Study, create_study, open_study
from tests.bench import bench, threshold

STUDY = """\
name = "drug days"
schedule = "etsp_daily"
[threshold]
max_ua = 300.0
onset_window_s = 10.0
lockout_after_ad_s = 60.0
[kindling]
baseline_s = 10.0
watch_s = 15.0
habituation_s = 0.0
current = { kind = "fixed", current_ua = 150.0 }
[kindling.train]
shape = "biphasic"
phase_us = 1000.0
[kindled]
one_per_day = false
[course]
threshold_first = false
workdays = []
gate_controls = 1
tests = ["both", "valproate 200"]
[syringe]
graduation_ml = 0.01
capacity_ml = 1.0
[[treatments]]
name = "valproate 200"
[[treatments.injections]]
preset = "valproate_1988"
mg_per_ml = 100.0
pretreatment_min = 5.0
[[treatments]]
name = "both"
[[treatments.injections]]
substance = "magnesium valproate"
amount_per_kg = 0.5
basis = "mmol_active"
mg_per_ml = 50.0
route = "i.p."
pretreatment_min = 6.0
[[treatments.injections]]
preset = "levetiracetam_2000"
amount_per_kg = 20.0
mg_per_ml = 20.0
pretreatment_min = 2.0
"""


@dataclass
class Person(Unattended):
    stage: str = "5"
    leaves_when_asked_for_the_stage: bool = False
    asked: list[str] = field(default_factory=list)

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        self.asked.append(text)
        if self.leaves_when_asked_for_the_stage and self.stage in choices:
            raise Died
        said = next((answer for answer in ("given", self.stage) if answer in choices), choices[0])
        return lambda: said


class Died(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    create_study(tmp_path / "study", STUDY)
    with open_study(tmp_path / "study") as opened:
        opened.add_animal(Animal("R01"), BEGUN)
        StudyTeller(opened).kindled("R01", [5.0, 5.0, 5.0])
        weigh(opened, "R01", 253.0, at(3))
        yield opened


def at(day: float) -> datetime:
    """From the day of the last kindling train."""
    return BEGUN + timedelta(days=day)


def rig() -> RigConfig:
    simulated = load_rig("simulated")
    return structs.replace(simulated, daq=structs.replace(simulated.daq, rate_hz=1000.0, block_s=1.0))


def day(study: Study, on: float, treatment: str, person: Unattended, *, although: str = "") -> Finished:
    prepared = prepare_drug_test(study, "R01", rig(), treatment, at(on), although=although)
    with bench(rig()) as made:
        return run_session(study, prepared, made.instruments, person, unheard, now=lambda: at(on))


def due(study: Study, on: float) -> object:
    return standing(ledger_of(study.journal, "R01", UTC), course_of(study, "R01"), at(on)).next


def test_a_drug_day_follows_its_control_and_is_followed_by_its_washout(study: Study) -> None:
    with pytest.raises(ConfigError, match="drug-test is due first: control before both; to test all the same, say why"):
        prepare_drug_test(study, "R01", rig(), "both", at(4))
    assert isinstance(day(study, 4, CONTROL, Person()).outcome, DrugTested)
    with pytest.raises(ConfigError, match="both is the next condition of R01, not valproate 200"):
        prepare_drug_test(study, "R01", rig(), "valproate 200", at(5))
    person = Person(stage="2")
    tested = day(study, 5, "both", person).outcome
    assert isinstance(tested, DrugTested)
    assert [one.name for one in tested.pretreated] == ["magnesium valproate", "levetiracetam"]
    assert [one.waited_s for one in tested.pretreated] == pytest.approx([360.0, 120.0], abs=5.0)
    assert person.asked[0].startswith("Inject 0.39 ml for 253 g: magnesium valproate")
    told = standing(ledger_of(study.journal, "R01", UTC), course_of(study, "R01"), at(8))
    assert told.state is State.WASHOUT
    with pytest.raises(ConfigError, match="washout of 7 days after levetiracetam"):
        prepare_drug_test(study, "R01", rig(), "valproate 200", at(8))
    assert due(study, 12) == Due("drug-test", "control before valproate 200", CONTROL)


def test_the_dose_that_was_really_given_stands_in_the_ledger(study: Study) -> None:
    """0.5 mmol/kg of valproate are 77.68 mg/kg of its magnesium salt: 0.393 ml of 50 mg/ml for 253 g, drawn as 0.39."""
    day(study, 5, "both", Person(), although="a pilot")
    facts = {fact.name: fact for fact in ledger_of(study.journal, "R01", UTC).injections}
    magnesium = facts["magnesium valproate"]
    assert magnesium.mg_per_kg == pytest.approx(0.39 * 50.0 / 0.253)
    assert magnesium.mmol_per_kg == pytest.approx(2 * 0.39 * 50.0 / 0.253 / 310.717)
    assert facts["levetiracetam"].mg_per_kg == pytest.approx(0.25 * 20.0 / 0.253)


def test_a_reason_lets_a_drug_day_depart_from_the_course_and_stands_with_it(study: Study) -> None:
    prepared = prepare_drug_test(study, "R01", rig(), "valproate 200", at(4), although="a pilot before the study")
    assert isinstance(prepared.plan, DrugTestPlan)
    assert prepared.plan.departure == (
        "both is the next condition of R01, not valproate 200; although: a pilot before the study"
    )
    assert f"departs from the course: {prepared.plan.departure}" in list(preview(prepared))
    sources = {line.name: line.status for line in prepared.parameters}
    assert sources["sodium valproate.amount_per_kg"] == "retrieved"
    assert sources["sodium valproate.mg_per_ml"] == "laboratory"
    assert sources["washout_days"] == "unverified"


def test_a_session_that_died_before_its_stage_was_entered_goes_on(study: Study) -> None:
    """Its own train, which has no stage yet, is no reason against it."""
    with pytest.raises(Died):
        day(study, 4, CONTROL, Person(leaves_when_asked_for_the_stage=True))
    resumed = day(study, 4, CONTROL, Person()).outcome
    assert isinstance(resumed, DrugTested)
    trains = ledger_of(study.journal, "R01", UTC).trains
    assert [(train.protocol, train.stage) for train in trains][-1] == ("drug-test", 5.0)
    assert sum(train.protocol == "drug-test" for train in trains) == 1


def test_a_retest_of_the_threshold_begins_below_the_last_one(study: Study) -> None:
    """Each rung left out is a sub-threshold train less."""
    first = prepare_threshold(study, "R01", rig(), today=at(4).date()).plan
    assert isinstance(first, ThresholdPlan)
    with bench(rig()) as made:
        threshold(study.folder, rig(), made.instruments)
    again = prepare_threshold(study, "R01", rig(), today=at(4).date()).plan
    assert isinstance(again, ThresholdPlan)
    last_ua = last_threshold_ua(ledger_of(study.journal, "R01", UTC))
    assert last_ua is not None
    assert first.start_ua < again.start_ua <= 0.5 * last_ua < 1.2 * again.start_ua
    assert again.rungs_ua == pytest.approx(first.rungs_ua[-len(again.rungs_ua) :])
