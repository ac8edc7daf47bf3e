"""After a train that TTL or monitor contradicts, no other one is given until the experimenter says so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from altered import altered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moments import Died, Once

from benchmarks.reliability.kill_sessions import PLANS
from drivers.interface import Block
from kindle.conducting import Conductor, Shown
from kindle.errors import UnsafeStimulus
from kindle.exchange import Stimulate, VoidTrial
from kindle.experimenter import Answer, Unattended
from kindle.holding import GO_ON
from kindle.prepared import Prepared
from kindle.progress import Arming, Done, Listener, Resting, unheard
from kindle.protocols.catalogue import ObservingPlan
from kindle.protocols.kindling import KindlingStopped
from kindle.protocols.threshold import Aborted, ThresholdFound
from kindle.replaying import replay_session
from kindle.session import Finished, run_session
from kindle.stopping import NotAsAsked
from kindle.study import open_study
from kindle.verification import verify_study
from tests.bench import GoesOn, Rig, bench, config, kinds_of, new_study, session_of, threshold
from tests.conducted import Hand, conducted
from tests.test_session_faults import TRAIN, lone_rig

TTL_ROW, MONITOR_ROW = 2, 3

Alter = Callable[[Block, int], None]


def monitor_half(block: Block, first: int) -> None:
    block[MONITOR_ROW] //= 2


def monitor_dead(block: Block, first: int) -> None:
    block[MONITOR_ROW] = 0


def ttl_low(block: Block, first: int) -> None:
    block[TTL_ROW] = 0


WRONG: dict[str, Alter] = {
    "monitor shows half": monitor_half,
    "monitor is dead": monitor_dead,
    "TTL stays low": ttl_low,
}

ANY_WRONG = pytest.mark.parametrize("alter", WRONG.values(), ids=list(WRONG))


@dataclass
class Answers(Unattended):
    """Says each of ``said`` in turn to the question whether to go on, and then the cautious word."""

    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        if choices != GO_ON:
            return super().ask(text, choices)
        self.asked.append(text)
        answer = self.said.pop(0) if self.said else "stop"
        return lambda: answer


def n_pulses(rig: Rig) -> int:
    """Of all trains, up to now: the rat hears of a train only when the signal behind it is read."""
    cathodic = rig.device.output(1, 0, rig.board.clock.now_us() + 1).volts < 0
    return int(np.count_nonzero(cathodic[1:] & ~cathodic[:-1]))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


@ANY_WRONG
def test_nobody_at_the_rig_means_no_second_train(study: Path, alter: Alter) -> None:
    with bench(config()) as rig:
        with pytest.raises(NotAsAsked, match="check stimulator, isolator, TTL and current monitor"):
            threshold(study, config(), altered(rig.instruments, alter))
        assert n_pulses(rig) == 50
    view = session_of(study)
    assert [type(trial) for trial in view.trials] == [VoidTrial]
    assert view.held == view.trials[0].reason
    assert isinstance(view.exchanges[-1].request, Stimulate), "asked at once, not after the interval"
    assert view.interruptions[0].stimulator_stop == "confirmed"
    assert verify_study(study) == []


@ANY_WRONG
def test_each_further_train_needs_a_word_of_its_own(study: Path, alter: Alter) -> None:
    person = Answers(["go on"])
    with bench(config()) as rig:
        with pytest.raises(NotAsAsked):
            threshold(study, config(), altered(rig.instruments, alter), experimenter=person)
        assert n_pulses(rig) == 2 * 50
    assert len(person.asked) == 2
    assert all(text.startswith("The last train was not delivered as asked: the ") for text in person.asked)
    assert kinds_of(study).count("trains_allowed") == 1


def test_the_protocols_own_rule_for_void_trains_stays_what_it_was(study: Path) -> None:
    with bench(config()) as rig:
        found = threshold(study, config(), altered(rig.instruments, monitor_half), experimenter=GoesOn()).outcome
        assert len(rig.rat.heard) == 3
    assert isinstance(found, Aborted)


def test_a_resumed_session_asks_before_its_next_train_and_then_goes_on(study: Path) -> None:
    with bench(config()) as rig, pytest.raises(NotAsAsked):
        threshold(study, config(), altered(rig.instruments, monitor_half))
    with bench(config(), threshold_ua=15.0) as rig:
        with pytest.raises(NotAsAsked):
            threshold(study, config(), rig.instruments)
        assert rig.rat.heard == [], "that the command was typed again is no word about the train"
    with bench(config(), threshold_ua=15.0) as rig:
        found = threshold(study, config(), rig.instruments, experimenter=Answers(["go on"])).outcome
    assert found == ThresholdFound(0.0, 20.0)
    assert session_of(study).held == ""
    assert verify_study(study) == []


def test_a_program_that_dies_before_anybody_answered_does_not_forget_the_question(study: Path) -> None:
    def dies() -> None:
        raise Died

    listener = Once(lambda fact: isinstance(fact, Done), dies)
    with bench(config()) as rig, pytest.raises(Died):
        threshold(study, config(), altered(rig.instruments, ttl_low), listener=listener)
    with bench(config()) as rig:
        with pytest.raises(NotAsAsked):
            threshold(study, config(), rig.instruments)
        assert rig.rat.heard == []


def test_what_was_allowed_is_not_asked_again_after_an_interruption(study: Path) -> None:
    def dies() -> None:
        raise Died

    rests_behind_the_train = Once(lambda fact: isinstance(fact, Resting) and len(made.rat.heard) == 1, dies)
    with bench(config()) as made:
        wrong = altered(made.instruments, monitor_half)
        with pytest.raises(Died):
            threshold(study, config(), wrong, experimenter=GoesOn(), listener=rests_behind_the_train)
    with bench(config(), threshold_ua=15.0) as rig:
        assert threshold(study, config(), rig.instruments).outcome == ThresholdFound(0.0, 20.0)


def test_a_train_whose_contradiction_is_found_only_in_the_recording_is_asked_about_too(study: Path) -> None:
    """The program died while it watched, so that the trial is settled when the session goes on."""

    def dies() -> None:
        raise Died

    from moments import watching

    with bench(config()) as rig, pytest.raises(Died):
        threshold(study, config(), altered(rig.instruments, monitor_half), listener=Once(watching(1, 2.0), dies))
    with bench(config()) as rig:
        with pytest.raises(NotAsAsked, match=r"shows 9\.998 uA where 20"):
            threshold(study, config(), rig.instruments)
        assert rig.rat.heard == []


def test_what_was_allowed_is_allowed_in_a_replay(study: Path) -> None:
    with bench(config()) as rig:
        threshold(study, config(), altered(rig.instruments, ttl_low), experimenter=GoesOn())
    assert replay_session(study / session_of(study).recordings[0].folder, unheard).same


def test_a_kindling_session_that_ends_by_itself_is_scored_and_not_held_up(study: Path) -> None:
    person = Answers()
    with bench(config()) as rig:
        outcome = _run("kindling", study, rig, monitor_half, person).outcome
        assert len(rig.rat.heard) == 1
    assert isinstance(outcome, KindlingStopped)
    assert person.asked == []


def test_a_rig_fires_nothing_while_a_train_is_contradicted() -> None:
    with bench(config(min_interval_s=0.0)) as made:
        rig = lone_rig(altered(made.instruments, monitor_dead))
        first = rig.perform(Stimulate(TRAIN))
        assert isinstance(first, VoidTrial)
        assert rig.held == first.reason
        with pytest.raises(UnsafeStimulus, match="nobody has said that a train may follow"):
            rig.perform(Stimulate(TRAIN))
        assert len(made.rat.heard) == 1


def test_after_a_word_a_rig_fires_again() -> None:
    with bench(config(min_interval_s=0.0, lockout_after_afterdischarge_s=0.0), threshold_ua=1e4) as made:
        rig = lone_rig(altered(made.instruments, monitor_dead))
        rig.perform(Stimulate(TRAIN))
        rig.allow_trains()
        rig.perform(Stimulate(TRAIN))
        assert len(made.rat.heard) == 2


@pytest.mark.parametrize("word", GO_ON)
def test_at_the_window_the_question_stands_until_it_is_answered(study: Path, word: str) -> None:
    asked: list[str] = []

    def answers(conductor: Conductor, shown: Shown) -> None:
        if shown.question is not None and shown.question.choices == GO_ON:
            asked.append(shown.question.text)
            conductor.answer(word if len(asked) == 1 else "stop")

    with bench(config()) as rig:
        conductor = conducted(study, altered(rig.instruments, monitor_half), Hand(answers))
        assert n_pulses(rig) == 50 * (1 + (word == "go on"))
    assert asked[0].startswith("The last train was not delivered as asked: the current monitor shows 9.998 uA")
    assert conductor.shown.ended is not None
    assert "no train follows one that was not delivered as asked" in conductor.shown.ended.said


STIMULATING = [name for name, plan in PLANS.items() if not isinstance(plan, ObservingPlan)]


@given(
    st.sampled_from(STIMULATING),
    st.lists(st.sampled_from(("sound", *WRONG)), min_size=1, max_size=6),
    st.lists(st.sampled_from(GO_ON), max_size=3),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_protocol_gives_a_train_that_nobody_allowed(
    tmp_path_factory: pytest.TempPathFactory, plan: str, states: list[str], said: list[str]
) -> None:
    """Each train finds the wires in the next of ``states``; each word allows one train after a contradicted one."""
    study = new_study(tmp_path_factory.mktemp("any") / "study")
    person, allowed, n_armed = Answers(list(said)), 0, 0
    contradicted = False

    def wired(block: Block, first: int) -> None:
        state = states[min(max(0, n_armed - 1), len(states) - 1)]
        if state != "sound":
            WRONG[state](block, first)

    def heard(fact: object) -> None:
        nonlocal contradicted, allowed, n_armed
        n_armed += isinstance(fact, Arming)
        if isinstance(fact, Done):
            words = len(said) - len(person.said)
            assert not contradicted or words > allowed, "a train followed one that was contradicted, without a word"
            allowed, contradicted = words, isinstance(fact.trial, VoidTrial) and fact.trial.contradicted

    with bench(config()) as rig:
        try:
            _run(plan, study, rig, wired, person, heard)
        except NotAsAsked:
            assert contradicted
    assert verify_study(study) == []


def _run(plan: str, study: Path, rig: Rig, alter: Alter, person: Unattended, listener: Listener = unheard) -> Finished:
    limits = config(lockout_after_afterdischarge_s=10.0).limits
    prepared = Prepared("R01", PLANS[plan], (), limits, "simulated", simulated=True)
    with open_study(study) as opened:
        return run_session(opened, prepared, altered(rig.instruments, alter), person, listener)
