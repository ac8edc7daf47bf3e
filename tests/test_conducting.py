"""A session driven by plain calls, as a window drives it, without a window."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.interface import Abort
from drivers.simulated.faults import Faults
from kindle.conducting import Conductor, Shown, StopSaid
from kindle.desk import NotAsked
from kindle.experimenter import StageMark, TakeBack
from kindle.ordering import Order
from kindle.protocols.threshold import ThresholdFound
from kindle.rungs import outcome_word
from kindle.situation import Phase
from tests.bench import Rig, bench, config, hurried, kinds_of, new_study, session_of
from tests.conducted import KINDLING, Hand, conducted, pressed


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


@pytest.fixture
def rig() -> Iterator[Rig]:
    with bench(config(), threshold_ua=40.0) as made:
        yield made


def at(phase: Phase, do: Callable[[Conductor], None], n_trials: int = 0) -> Callable[[Conductor, Shown], None]:
    """Once, when this phase is reached after so many trials."""
    done: list[bool] = []

    def deed(conductor: Conductor, shown: Shown) -> None:
        now = shown.situation
        if not done and now is not None and now.phase is phase and len(now.trials) >= n_trials:
            done.append(True)
            do(conductor)

    return deed


def test_a_whole_threshold_test_is_armed_and_fired_to_its_outcome(study: Path, rig: Rig) -> None:
    seen: list[str] = []

    def deed(conductor: Conductor, shown: Shown) -> None:
        assert shown.situation is not None
        following = shown.situation.next_current
        if shown.situation.phase is Phase.READY and following is not None:
            seen.append(f"{following.current_ua:.4g}: {following.why}")

    conductor = conducted(study, rig.instruments, Hand(deed))
    ended = conductor.shown.ended
    assert ended is not None
    assert ended.finished
    assert ended.said.startswith("threshold in (34.56, 41.47] uA")
    assert list(dict.fromkeys(seen)) == [
        "20: rung 1 of 13",
        "24: rung 2 of 13, × 1.2, last: none",
        "28.8: rung 3 of 13, × 1.2, last: none",
        "34.56: rung 4 of 13, × 1.2, last: none",
        "41.47: rung 5 of 13, × 1.2, last: none",
    ]
    assert isinstance(session_of(study).outcome, ThresholdFound)
    situation = conductor.shown.situation
    assert situation is not None
    assert [outcome_word(trial).split(",")[0] for trial in situation.trials] == ["none"] * 4 + ["afterdischarge"]
    assert situation.discharge is not None
    judged = session_of(study).trials[-1].afterdischarges[0]  # type: ignore[union-attr]
    assert (situation.discharge.onset, situation.discharge.end) == (judged.onset_sample, judged.end_sample)


@pytest.mark.parametrize("phase", [Phase.RESTING, Phase.READY, Phase.ARMED, Phase.TRAIN, Phase.WATCHING])
def test_stop_works_from_every_state_and_says_confirmed(study: Path, rig: Rig, phase: Phase) -> None:
    conductor = conducted(study, rig.instruments, Hand(at(phase, Conductor.stop)))
    shown = conductor.shown
    assert shown.stop is StopSaid.CONFIRMED
    assert shown.ended is not None
    assert not shown.ended.finished
    assert "stopped by the experimenter" in shown.ended.said
    # A train that was cut short may not have ended yet where the signal does.
    assert len(rig.rat.heard) <= (phase in (Phase.TRAIN, Phase.WATCHING))
    with bench(config(), threshold_ua=40.0) as again:
        resumed = conducted(study, again.instruments, Hand(answering("void", "none")))
    ended = resumed.shown.ended
    assert ended is not None
    assert ended.finished, ended.said
    assert "session_interrupted" in kinds_of(study)


def answering(*answers: str) -> Callable[[Conductor, Shown], None]:
    """The first of these answers that a question takes."""

    def deed(conductor: Conductor, shown: Shown) -> None:
        asked = shown.question
        if asked is not None:
            conductor.answer(next(answer for answer in answers if answer in asked.choices))

    return deed


def test_stop_while_a_question_stands_ends_the_session(study: Path, rig: Rig) -> None:
    (study / "study.toml").write_text(KINDLING, encoding="utf-8")
    asked: list[str] = []

    def deed(conductor: Conductor, shown: Shown) -> None:
        if shown.question is not None and not pressed(shown):
            asked.append(shown.question.text)
            conductor.stop()

    conductor = conducted(study, rig.instruments, Hand(deed), Order("kindling", "R01"))
    assert asked == ["Highest stage on racine_1972@1?"]
    assert conductor.shown.stop is StopSaid.CONFIRMED
    assert conductor.shown.question is None


def test_stop_before_anything_is_connected_is_no_session(study: Path, rig: Rig) -> None:
    conductor = Conductor(study, Order("threshold", "R01"), config())
    conductor.stop()
    assert conductor.shown.stop is StopSaid.NOT_CONNECTED
    conductor.begin()
    assert conductor.wait_over(30)
    ended = conductor.shown.ended
    assert ended is not None
    assert "stopped by the experimenter" in ended.said
    assert kinds_of(study) == []


def test_a_stop_that_the_stimulator_does_not_confirm_says_so(study: Path, rig: Rig) -> None:
    def silenced(conductor: Conductor) -> None:
        rig.device.inject(Faults(silent=True))
        conductor.stop()

    conductor = conducted(study, rig.instruments, Hand(at(Phase.READY, silenced)))
    assert conductor.shown.stop is StopSaid.UNCONFIRMED
    assert "by hand" in conductor.shown.stop.value
    assert conductor.shown.ended is not None
    assert "unconfirmed" in conductor.shown.ended.said


def test_a_confirmed_stop_stays_confirmed_when_the_link_is_closed_behind_it(study: Path, rig: Rig) -> None:
    conductor = conducted(study, rig.instruments, Hand(at(Phase.ARMED, Conductor.stop)))
    conductor._heard_of_stop(Abort.UNCONFIRMED)
    assert conductor.shown.stop is StopSaid.CONFIRMED
    conductor.stop()
    assert conductor.shown.stop is StopSaid.CONFIRMED


def test_the_stop_reaches_the_stimulator_while_the_session_hangs(study: Path, rig: Rig) -> None:
    """The thread of the session waits here, as it would for an instrument that does not answer."""
    heard: list[StopSaid] = []

    def hang(conductor: Conductor) -> None:
        conductor.stop()
        patience = threading.Event()
        for _ in range(1000):
            if conductor.shown.stop is not StopSaid.STOPPING:
                break
            patience.wait(0.01)
        heard.append(conductor.shown.stop)

    conducted(study, rig.instruments, Hand(at(Phase.WATCHING, hang)))
    assert heard == [StopSaid.CONFIRMED]


def test_firing_is_no_arming_and_arming_is_no_firing(study: Path, rig: Rig) -> None:
    refused: list[str] = []

    def deed(conductor: Conductor, shown: Shown) -> None:
        now = shown.situation
        if now is None or len(refused) > 1:
            return
        if now.phase is Phase.READY and not refused:
            with pytest.raises(NotAsked, match="arm it first"):
                conductor.fire()
            refused.append("fire")
        if now.phase is Phase.ARMED:
            with pytest.raises(NotAsked, match="no train to arm"):
                conductor.arm()
            refused.append("arm")

    conducted(study, rig.instruments, Hand(deed))
    assert refused == ["fire", "arm"]


def test_a_lost_board_is_told_in_a_sentence_and_the_session_goes_on_when_it_is_back(study: Path, rig: Rig) -> None:
    told: list[str] = []

    def hear(shown: Shown) -> None:
        assert shown.situation is not None
        if shown.situation.trouble:
            told.append(shown.situation.trouble)

    waits: list[int] = []

    def each_wait() -> None:
        waits.append(1)
        assert hand.conductor is not None
        hear(hand.conductor.shown)
        if len(waits) == 2:
            rig.board.faults.replug()

    hand = Hand(at(Phase.READY, lambda conductor: rig.board.faults.unplug(), n_trials=1))
    conductor = conducted(study, rig.instruments, hand, patience=hurried(each_wait=each_wait))
    assert conductor.shown.ended is not None
    assert conductor.shown.ended.finished
    assert any("check cable and power" in sentence for sentence in told)
    assert "signal_lost" in kinds_of(study)
    assert conductor.shown.situation is not None
    assert conductor.shown.situation.trouble == ""


def test_a_board_that_stays_away_ends_the_session_with_a_sentence_and_it_can_be_resumed(study: Path, rig: Rig) -> None:
    hand = Hand(at(Phase.WATCHING, lambda conductor: rig.board.faults.unplug()))
    ended = conducted(study, rig.instruments, hand, patience=hurried(5.0)).shown.ended
    assert ended is not None
    assert not ended.finished
    assert "check its cable" in ended.said
    with bench(config(), threshold_ua=40.0) as again:
        resumed = conducted(study, again.instruments, Hand(answering("none"))).shown.ended
    assert resumed is not None
    assert resumed.finished, resumed.said


def test_what_forbids_a_session_is_told_before_anything_is_connected(study: Path, rig: Rig) -> None:
    conductor = conducted(study, rig.instruments, Hand(), Order("ptz", "R01"))
    ended = conductor.shown.ended
    assert ended is not None
    assert not ended.finished
    assert "study.toml has no [ptz]" in ended.said
    assert conductor.shown.situation is None
    assert rig.rat.heard == []


def test_marks_get_latencies_from_the_end_of_the_train_and_the_stage_is_confirmed_at_the_end(
    study: Path, rig: Rig
) -> None:
    (study / "study.toml").write_text(KINDLING, encoding="utf-8")
    marks = iter([StageMark(1.0), StageMark(5.0), TakeBack(), StageMark(3.0)])
    hidden: list[bool] = []

    def deed(conductor: Conductor, shown: Shown) -> None:
        now = shown.situation
        assert now is not None
        if now.phase is Phase.WATCHING and shown.question is None and (mark := next(marks, None)) is not None:
            conductor.mark(mark)
        if shown.question is not None:
            hidden.append(now.to_be_scored)
            assert shown.question.for_stage
            assert "(marked: 3)" in shown.question.text
            conductor.answer("3")
            again = conductor.shown.situation
            assert again is not None
            hidden.append(again.to_be_scored)

    conductor = conducted(study, rig.instruments, Hand(deed), Order("kindling", "R01"))
    ended, situation = conductor.shown.ended, conductor.shown.situation
    assert ended is not None
    assert situation is not None
    assert ended.said.startswith("stage 3 on racine_1972@1, afterdischarge of")
    assert hidden == [True, False]
    assert situation.train is not None
    assert situation.train.end is not None
    scoring = situation.scoring
    latencies_s = [(stamp.sample - situation.train.end) / situation.rate_hz for stamp in scoring.transitions]
    assert [stamp.stage for stamp in scoring.transitions] == [1.0, 3.0]
    assert 0 <= latencies_s[0] < latencies_s[1] < 15


def test_a_mark_after_the_end_is_refused_not_lost(study: Path, rig: Rig) -> None:
    conductor = conducted(study, rig.instruments, Hand())
    with pytest.raises(NotAsked, match="kindle score"):
        conductor.mark(StageMark(3.0))
