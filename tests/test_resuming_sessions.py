"""A session that the program did not survive: resumed at any point, no train is repeated, the outcome is the same."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kindle.errors import KindleError
from kindle.experimenter import Answer, Unattended
from kindle.progress import Arming, Progress, Read
from kindle.protocols.threshold import Aborted, ThresholdFound
from kindle.study import open_study
from tests.bench import bench, config, new_study, threshold

THRESHOLD_UA = 40.0
WHOLE_SESSION_S = 165.0


class Died(BaseException):
    """Stands for the end of the process at this instant."""


def dies_at(second: float) -> "Listening":
    return Listening(second)


class Listening:
    def __init__(self, second: float) -> None:
        self._sample = second * 2000

    def __call__(self, fact: Progress) -> None:
        if isinstance(fact, Read) and fact.first_sample >= self._sample:
            raise Died


class Watched(Unattended):
    """An experimenter who watched the animal while the program was gone, and says what it had."""

    def __init__(self, discharged: bool) -> None:
        self._reading = "afterdischarge" if discharged else "none"

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        return lambda: self._reading if self._reading in choices else choices[0]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(second=st.floats(0.0, WHOLE_SESSION_S), seed=st.integers(0, 5))
def test_resumed_after_an_end_at_any_moment_no_current_is_given_twice(
    tmp_path_factory: pytest.TempPathFactory, second: float, seed: int
) -> None:
    study = new_study(tmp_path_factory.mktemp("resume") / "study")
    heard = []
    with bench(config(), THRESHOLD_UA, seed) as rig:
        try:
            threshold(study, config(), rig.instruments, listener=dies_at(second))
            died = False
        except Died:
            died = True
        heard += rig.rat.heard
    if died:
        with bench(config(), THRESHOLD_UA, seed) as rig:
            outcome = threshold(
                study,
                config(),
                rig.instruments,
                experimenter=Watched(bool(heard) and heard[-1].discharge_us is not None),
                last_train="delivered",
            ).outcome
            heard += rig.rat.heard
        assert isinstance(outcome, ThresholdFound)
    currents = [round(train.current_ua, 1) for train in heard]
    assert len(currents) == len(set(currents)), "a current was given twice"
    assert currents == sorted(currents)
    evoked = [train.discharge_us is not None for train in heard]
    assert True not in evoked[:-1], "a train followed an afterdischarge"


def test_a_train_in_doubt_is_a_question_that_nobody_at_the_rig_may_answer(tmp_path: Path) -> None:
    study = died_before_its_first_train(tmp_path / "study")
    with bench(config()) as rig, pytest.raises(KindleError, match="--last-train"):
        threshold(study, config(), rig.instruments)
    with open_study(study) as opened:
        (view,) = opened.sessions()
    assert view.unanswered


def test_a_train_that_the_experimenter_calls_void_is_given_again(tmp_path: Path) -> None:
    study = died_before_its_first_train(tmp_path / "study")
    with bench(config(), threshold_ua=15.0) as rig:
        outcome = threshold(study, config(), rig.instruments, last_train="void").outcome
        assert [round(train.current_ua) for train in rig.rat.heard] == [20]
    assert outcome == ThresholdFound(0.0, 20.0)


def test_a_train_that_the_experimenter_calls_delivered_is_never_given_again_unasked(tmp_path: Path) -> None:
    study = died_before_its_first_train(tmp_path / "study")
    with bench(config(), threshold_ua=15.0) as rig:
        outcome = threshold(study, config(), rig.instruments, last_train="delivered").outcome
        assert rig.rat.heard == []
    assert isinstance(outcome, Aborted)


def died_before_its_first_train(study: Path) -> Path:
    """The request stands in the journal; whether the instrument got its trigger, nothing can tell."""

    def die(fact: Progress) -> None:
        if isinstance(fact, Arming):
            raise Died

    new_study(study)
    with bench(config()) as rig, pytest.raises(Died):
        threshold(study, config(), rig.instruments, listener=die)
    return study


def test_a_discharge_that_was_recorded_before_the_end_counts(tmp_path: Path) -> None:
    study = new_study(tmp_path / "study")
    with bench(config(), threshold_ua=15.0) as rig:
        with pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies_at(35.0))
        assert len(rig.rat.heard) == 1
    with bench(config(), threshold_ua=15.0) as rig:
        outcome = threshold(study, config(), rig.instruments).outcome
        assert rig.rat.heard == []
    assert outcome == ThresholdFound(0.0, 20.0)
