"""A drug test whose first train waits for a person: the pretreatment time goes on meanwhile, and is held to."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import pytest

from kindle.conducting import Conductor, Shown
from kindle.exchange import Injected
from kindle.keeping import weigh
from kindle.ordering import Order
from kindle.protocols.drug_test import DrugTested, DrugTestStopped
from kindle.situation import Phase, Situation
from kindle.study import open_study
from kindle.verification import verify_study
from tests.bench import Rig, bench, config, kinds_of, new_study, session_of
from tests.conducted import KINDLING, Hand, conducted
from tests.treatment_text import VALPROATE_200

SYRINGE = """
[syringe]
graduation_ml = 0.01
capacity_ml = 1.0
"""
TEST = Order("drug-test", "R01", "valproate 200", although="a pilot before the study")
LATE = "16.0 min have passed since the injection of sodium valproate; the plan asks for 15 min, give or take 60 s"
RATE_HZ = 2000.0


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = new_study(tmp_path / "study", KINDLING + SYRINGE + VALPROATE_200)
    with open_study(folder) as opened:
        weigh(opened, "R01", 253.0, datetime.now(UTC))
    return folder


@pytest.fixture
def rig() -> Iterator[Rig]:
    with bench(config(), threshold_ua=400.0) as made:
        yield made


class Late:
    """Injects, arms so many seconds after the train was offered, fires, and answers the questions."""

    def __init__(self, arms_after_s: float, all_the_same: str = "no", *, fires_after_s: float = 0.0) -> None:
        self.arms_after_s = arms_after_s
        self.all_the_same = all_the_same
        self.fires_after_s = fires_after_s
        self.asked: list[str] = []
        self.told: list[str] = []
        self._offered_s: float | None = None

    def __call__(self, conductor: Conductor, shown: Shown) -> None:
        now = shown.situation
        if shown.question is not None:
            self.asked.append(shown.question.text)
            answers = ("given", "later", self.all_the_same)
            conductor.answer(next(one for one in shown.question.choices if one in answers))
        elif now is not None and now.phase is Phase.READY:
            self.told.append(now.why)
            self._offered_s = now.now_s if self._offered_s is None else self._offered_s
            if self._waited_s(now) >= self.arms_after_s:
                conductor.arm()
        elif now is not None and now.phase is Phase.ARMED and self._waited_s(now) >= self.fires_after_s:
            conductor.fire()

    def _waited_s(self, now: Situation) -> float:
        return 0.0 if self._offered_s is None else now.now_s - self._offered_s


def run(study: Path, rig: Rig, person: Late) -> Conductor:
    return conducted(study, rig.instruments, Hand(person, acts=False), TEST)


def train_after_injection_s(study: Path) -> float:
    view = session_of(study)
    (injected,) = [one.reply for one in view.exchanges if isinstance(one.reply, Injected)]
    (trial,) = view.trials
    assert trial.measured is not None
    return (trial.measured.onset_sample - injected.sample) / RATE_HZ


def test_a_train_that_is_armed_within_the_tolerance_is_given(study: Path, rig: Rig) -> None:
    person = Late(50.0)
    run(study, rig, person)
    assert isinstance(session_of(study).outcome, DrugTested)
    assert 14 * 60 <= train_after_injection_s(study) <= 16 * 60
    assert not any("Test all the same" in text for text in person.asked)
    assert person.told[0] == "arm when the animal is ready; the pretreatment time ends in 60 s"


@pytest.mark.parametrize(
    "person",
    [lambda: Late(70.0), lambda: Late(1.0, fires_after_s=inf), lambda: Late(55.0, fires_after_s=65.0)],
    ids=["armed too late", "never fired", "fired too late"],
)
def test_a_train_that_nobody_arms_and_fires_in_time_is_not_given_and_ends_the_test(
    study: Path, rig: Rig, person: Callable[[], Late]
) -> None:
    late = person()
    run(study, rig, late)
    outcome = session_of(study).outcome
    assert outcome == DrugTestStopped(("sodium valproate",), LATE)
    assert late.asked[-1] == f"{LATE}. Test all the same?"
    assert rig.rat.heard == []
    assert session_of(study).trials == []
    assert verify_study(study) == []
    with open_study(study) as opened:
        (amended,) = opened.sessions(amended=True)
    assert amended.outcome == outcome


def test_the_experimenter_may_test_late_and_it_is_written_down(study: Path, rig: Rig) -> None:
    person = Late(70.0, "yes")
    run(study, rig, person)
    assert isinstance(session_of(study).outcome, DrugTested)
    assert len(rig.rat.heard) == 1
    assert train_after_injection_s(study) > 16 * 60
    assert kinds_of(study).count("late_test_allowed") == 1
    with open_study(study) as opened:
        (row,) = [row for row in opened.journal.rows() if row.kind == "late_test_allowed"]
    assert LATE in row.payload
