"""Samples are lost in mid-session: current off first, nothing is spliced, the trial is unclear, the session goes on."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moments import RATE_HZ, Once, at_second, in_train, watching

from detectors.criterion import EndGrade, Verdict
from drivers.interface import Abort, DeliveredTrain, LinkLost, PulseTrain, Stimulator
from drivers.nidaq import NidaqSource
from drivers.simulated.nidaq_server import NidaqServer
from kindle.assembly import inputs_of
from kindle.dial_question import DialQuestion
from kindle.exchange import Trial, VoidTrial
from kindle.experimenter import Answer, Unattended
from kindle.progress import Awaiting, Back, Fired, Lost, Progress, Read
from kindle.protocols.threshold import Aborted, ThresholdFound
from kindle.recording import Recording, open_recording
from kindle.rig import StoppedByExperimenter, StrayCurrent, UnaskedTrain
from kindle.rows import SignalBack, SignalLost
from kindle.verification import verify_study
from tests import bench as benches
from tests.bench import bench, config, hurried, kinds_of, new_study, session_of, threshold

TRAIN = PulseTrain(current_ua=20, phase_us=1000, interphase_us=0, pulse_hz=50, train_s=1)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


def recording_of(folder: Path) -> Recording:
    view = session_of(folder)
    return open_recording(folder / view.recordings[0].folder)


def gap(rig: benches.Rig, kind: str) -> Callable[[], object]:
    """What loses samples; an unplugged board is plugged in again while the session waits for it."""
    return rig.board.faults.overrun_now if kind == "overrun" else rig.board.faults.unplug


GAPS = pytest.mark.parametrize("kind", ["overrun", "unplugged"])


@dataclass
class SetByHand:
    """A stimulator that asks for its dial before each train."""

    stimulator: Stimulator
    dial: DialQuestion

    def identify(self) -> str:
        return self.stimulator.identify()

    def prepare(self, train: PulseTrain) -> DeliveredTrain:
        self.dial(train)
        return self.stimulator.prepare(train)

    def fire(self) -> None:
        self.stimulator.fire()

    def rest(self) -> None:
        self.stimulator.rest()

    def abort(self) -> Abort:
        return self.stimulator.abort()

    def close(self) -> None:
        self.stimulator.close()


class TestGoingOn:
    @GAPS
    def test_a_gap_between_trains_costs_no_trial(self, study: Path, kind: str) -> None:
        with bench(config(), threshold_ua=22.0) as rig:
            listener = Once(at_second(30), gap(rig, kind))
            patience = hurried(each_wait=rig.board.faults.replug)
            finished = threshold(study, config(), rig.instruments, listener=listener, patience=patience)
            assert [round(heard.current_ua) for heard in rig.rat.heard] == [20, 24]
        assert finished.outcome == ThresholdFound(20.0, 24.0)
        lost, back = session_of(study).gaps
        assert isinstance(lost, SignalLost)
        assert isinstance(back, SignalBack)
        assert lost.stimulator_stop == "confirmed"
        assert lost.sample == back.sample == recording_of(study).segments[1].first_sample

    @GAPS
    def test_a_train_waits_for_a_fresh_baseline_behind_a_gap(self, study: Path, kind: str) -> None:
        with bench(config(), threshold_ua=22.0) as rig:
            listener = Once(at_second(40), gap(rig, kind))
            patience = hurried(each_wait=rig.board.faults.replug)
            threshold(study, config(), rig.instruments, listener=listener, patience=patience)
        segment = recording_of(study).segments[1]
        second = session_of(study).trials[1]
        assert isinstance(second, Trial)
        assert second.measured.onset_sample - segment.first_sample >= 10 * RATE_HZ
        assert second.baseline_uv is not None

    @GAPS
    def test_a_gap_in_a_train_stops_it_and_makes_the_trial_void(self, study: Path, kind: str) -> None:
        with bench(config(), threshold_ua=22.0) as rig:
            listener = Once(in_train(1, 0.3), gap(rig, kind))
            patience = hurried(each_wait=rig.board.faults.replug)
            finished = threshold(study, config(), rig.instruments, listener=listener, patience=patience)
            heard = rig.rat.heard
            assert heard[0].n_pulses < 30
            assert heard[1].start_us - heard[0].end_us >= 60_000_000, "the lock-out of a discharge that may have been"
        assert finished.outcome == ThresholdFound(20.0, 24.0)
        cut = session_of(study).trials[0]
        assert isinstance(cut, VoidTrial)
        assert (cut.exposed, cut.verdict) == (True, Verdict.UNDETERMINED)
        assert "the signal was lost 0." in cut.reason
        assert "after the train began, and the train was stopped" in cut.reason

    @GAPS
    def test_a_gap_while_a_discharge_may_still_come_makes_the_trial_undetermined(self, study: Path, kind: str) -> None:
        with bench(config(), threshold_ua=60.0) as rig:
            listener = Once(watching(1, 4.0), gap(rig, kind))
            patience = hurried(each_wait=rig.board.faults.replug)
            finished = threshold(study, config(), rig.instruments, listener=listener, patience=patience)
        first = session_of(study).trials[0]
        assert isinstance(first, Trial)
        assert first.verdict is Verdict.UNDETERMINED
        assert "the signal was lost there" in first.reason
        assert isinstance(finished.outcome, Aborted), "nobody at the rig may say what the trace shows"
        assert first.last_sample <= recording_of(study).segments[1].first_sample

    def test_a_discharge_that_a_gap_cuts_is_a_discharge_and_its_end_is_truncated(self, study: Path) -> None:
        with bench(config(), threshold_ua=15.0) as rig:
            listener = Once(watching(1, 8.0), rig.board.faults.overrun_now)
            finished = threshold(study, config(), rig.instruments, listener=listener)
        assert finished.outcome == ThresholdFound(0.0, 20.0)
        trial = session_of(study).trials[0]
        assert isinstance(trial, Trial)
        assert trial.afterdischarges[-1].end_grade is EndGrade.TRUNCATED
        assert trial.afterdischarges[-1].end_sample < recording_of(study).segments[1].first_sample

    def test_events_behind_a_gap_are_counted_in_the_whole_recording(self, study: Path) -> None:
        with bench(config(), threshold_ua=22.0) as rig:
            listener = Once(at_second(30), rig.board.faults.overrun_now)
            threshold(study, config(), rig.instruments, listener=listener)
            heard = rig.rat.heard[1]
            assert heard.discharge_us is not None
        second = session_of(study).trials[1]
        assert isinstance(second, Trial)
        onset = second.measured.onset_sample
        assert second.afterdischarges[0].onset_sample - onset == pytest.approx(
            (heard.discharge_us[0] - heard.start_us) * RATE_HZ / 1e6, abs=0.25 * RATE_HZ
        )
        ttl = open_recording(study / second.recording).joined[2]
        assert ttl[onset - 1] < 1000 < ttl[onset]

    def test_a_question_outlives_a_gap(self, study: Path) -> None:
        class Thinks(Unattended):
            """Answers at the fifth look."""

            n_asked = n_polled = 0

            def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
                self.n_asked += 1

                def answer() -> str | None:
                    self.n_polled += 1
                    if self.n_polled == 2:
                        rig.board.faults.overrun_now()
                    return "none" if self.n_polled == 5 else None

                return answer

        person = Thinks()
        with bench(config(), threshold_ua=22.0) as rig:
            listener = Once(watching(1, 4.0), rig.board.faults.overrun_now)
            finished = threshold(study, config(), rig.instruments, experimenter=person, listener=listener)
        assert finished.outcome == ThresholdFound(20.0, 24.0)
        assert (person.n_asked, person.n_polled) == (1, 5)
        assert len(recording_of(study).segments) == 3

    def test_void_trials_by_gaps_end_the_series_after_three(self, study: Path) -> None:
        with bench(config()) as rig:

            def listener(fact: Progress) -> None:
                if isinstance(fact, Fired):
                    rig.board.faults.overrun_now()

            outcome = threshold(study, config(), rig.instruments, listener=listener).outcome
        assert isinstance(outcome, Aborted)
        assert "3 trains of 20 uA in a row were not delivered as asked" in outcome.reason
        assert len(session_of(study).trials) == 3


class TestStimulatorFirst:
    @GAPS
    def test_current_is_off_before_anything_is_waited_for(self, study: Path, kind: str) -> None:
        """Bench time stands still while the session waits: what the rat heard by then is what it got."""
        stops: list[Abort] = []
        facts: list[type] = []

        with bench(config(), threshold_ua=22.0) as rig:
            break_it = Once(in_train(1, 0.3), gap(rig, kind))

            def listener(fact: Progress) -> None:
                facts.append(type(fact))
                if isinstance(fact, Lost):
                    stops.append(fact.stop)
                break_it(fact)

            patience = hurried(each_wait=rig.board.faults.replug)
            threshold(study, config(), rig.instruments, listener=listener, patience=patience)
        assert stops == [Abort.CONFIRMED]
        assert (Awaiting in facts) == (kind == "unplugged")
        kinds = kinds_of(study)
        at = kinds.index("signal_lost")
        assert kinds[at : at + 3] == ["signal_lost", "signal_back", "answered"]

    def test_an_unproven_stop_ends_the_session_instead_of_going_on_blind(self, study: Path) -> None:
        with bench(config()) as rig:
            rig.instruments.stimulator.abort = lambda: Abort.UNCONFIRMED  # type: ignore[method-assign]
            listener = Once(at_second(30), rig.board.faults.overrun_now)
            with pytest.raises(LinkLost, match="nobody can see what it does") as raised:
                threshold(study, config(), rig.instruments, listener=listener)
        assert any("switch its output off by hand" in note for note in raised.value.__notes__)
        assert kinds_of(study)[-3:] == ["signal_lost", "session_interrupted", "recording_closed"]

    def test_a_train_prepared_across_a_gap_is_prepared_again_behind_it(self, study: Path) -> None:
        """A stimulator that a person sets is asked about while the board is read."""

        class Turns(Unattended):
            n_asked = 0

            def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
                if "dial" not in text:
                    return super().ask(text, choices)
                self.n_asked += 1
                looks = iter([None] * 20)
                if self.n_asked == 1:
                    rig.board.faults.overrun_now()
                return lambda: next(looks, "20")

        with bench(config(), threshold_ua=15.0) as rig:
            by_hand = SetByHand(rig.instruments.stimulator, rig.instruments.dial)
            person = Turns()
            instruments = replace(rig.instruments, stimulator=by_hand)
            finished = threshold(study, config(), instruments, experimenter=person)
            assert len(rig.rat.heard) == 1
            assert rig.rat.heard[0].n_pulses == 50
        assert finished.outcome == ThresholdFound(0.0, 20.0)
        assert person.n_asked == 2
        (trial,) = session_of(study).trials
        assert isinstance(trial, Trial)
        (gap_at,) = recording_of(study).gaps
        assert trial.measured.onset_sample - gap_at >= 11 * RATE_HZ


class TestEndingCleanly:
    def test_a_board_that_does_not_come_back_within_the_limit_ends_the_session(self, study: Path) -> None:
        with bench(config(), threshold_ua=22.0) as rig:
            listener = Once(at_second(30), rig.board.faults.unplug)
            with pytest.raises(LinkLost, match=r"did not come back within 60 s \(.*check its cable"):
                threshold(study, config(), rig.instruments, listener=listener)
        kinds = kinds_of(study)
        assert kinds[-3:] == ["signal_lost", "session_interrupted", "recording_closed"]
        assert verify_study(study) == []
        with bench(config(), threshold_ua=22.0) as rig:
            assert threshold(study, config(), rig.instruments).outcome == ThresholdFound(20.0, 24.0)
            assert [round(heard.current_ua) for heard in rig.rat.heard] == [24]

    def test_a_lost_board_is_looked_for_ever_more_rarely(self, study: Path) -> None:
        remaining_s: list[float] = []

        def listener(fact: Progress) -> None:
            break_it(fact)
            if isinstance(fact, Awaiting):
                remaining_s.append(fact.remaining_s)

        with bench(config()) as rig:
            break_it = Once(at_second(30), rig.board.faults.unplug)
            with pytest.raises(LinkLost):
                threshold(study, config(), rig.instruments, listener=listener, patience=hurried(30.0))
        pauses_s = -np.diff(remaining_s)
        assert pauses_s[:7] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0])
        assert np.allclose(pauses_s[6:], 5.0)

    def test_a_server_that_dies_ends_the_session_after_the_same_patience(self, study: Path) -> None:
        with bench(config()) as rig, ExitStack() as server:
            front = server.enter_context(NidaqServer([rig.board]))
            source = NidaqSource("Dev1", inputs_of(config()), RATE_HZ, block=config().block, remote=front.address)
            listener = Once(at_second(30), server.close)
            with pytest.raises(LinkLost, match=r"did not come back within 60 s \(no NI device server answers"):
                threshold(study, config(), replace(rig.instruments, source=source), listener=listener)
            source.close()
        assert kinds_of(study)[-3:] == ["signal_lost", "session_interrupted", "recording_closed"]

    def test_the_stop_key_works_while_a_board_is_waited_for(self, study: Path) -> None:
        class Pressed(Unattended):
            pressed = False

            def wants_stop(self) -> bool:
                return self.pressed

        person = Pressed()

        def press() -> None:
            person.pressed = True

        with bench(config()) as rig:
            listener = Once(at_second(30), rig.board.faults.unplug)
            with pytest.raises(StoppedByExperimenter):
                threshold(
                    study,
                    config(),
                    rig.instruments,
                    experimenter=person,
                    listener=listener,
                    patience=hurried(each_wait=press),
                )
        assert "stopped by the experimenter" in session_of(study).interruptions[-1].reason

    def test_a_board_that_loses_everything_again_and_again_is_opened_anew(self, study: Path) -> None:
        with bench(config()) as rig:
            n_lost: list[None] = []

            def listener(fact: Progress) -> None:
                if isinstance(fact, Read) and fact.first_sample >= 30 * RATE_HZ and not n_lost:
                    rig.board.faults.overrun_now()
                if isinstance(fact, Lost):
                    n_lost.append(None)
                    if len(n_lost) < 5:
                        rig.board.faults.overrun_now()

            finished = threshold(study, config(), rig.instruments, listener=listener)
        assert isinstance(finished.outcome, ThresholdFound)
        assert len(n_lost) == 5

    def test_a_board_that_comes_back_only_to_be_lost_again_ends_the_session(self, study: Path) -> None:
        with bench(config()) as rig:
            break_it = Once(at_second(30), rig.board.faults.unplug)

            def listener(fact: Progress) -> None:
                break_it(fact)
                if isinstance(fact, Back):
                    rig.board.faults.unplug()

            patience = hurried(each_wait=rig.board.faults.replug)
            with pytest.raises(LinkLost, match="came back 6 times in a row without a sample"):
                threshold(study, config(), rig.instruments, listener=listener, patience=patience)
        assert kinds_of(study)[-2:] == ["session_interrupted", "recording_closed"]
        assert verify_study(study) == []

    def test_a_train_that_nobody_asked_for_behind_a_gap_ends_the_session(self, study: Path) -> None:
        with bench(config()) as rig:

            def fire_unasked() -> None:
                rig.instruments.stimulator.prepare(TRAIN)
                rig.instruments.stimulator.fire()

            def listener(fact: Progress) -> None:
                gap_now(fact)
                fire_behind(fact)

            gap_now = Once(at_second(30), rig.board.faults.overrun_now)
            fire_behind = Once(lambda fact: isinstance(fact, Back), fire_unasked)
            with pytest.raises((UnaskedTrain, StrayCurrent)):
                threshold(study, config(), rig.instruments, listener=listener)


class Knows(Unattended):
    """An experimenter who reads the trace as the rat had it."""

    def __init__(self, rig: benches.Rig) -> None:
        self._rig = rig

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        heard = self._rig.rat.heard
        reading = "afterdischarge" if heard and heard[-1].discharge_us is not None else "none"
        return lambda: reading if reading in choices else choices[0]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seconds=st.lists(st.floats(0.0, 160.0), min_size=1, max_size=3), kind=st.sampled_from(["overrun", "unplugged"]))
def test_gaps_at_any_moments_harm_neither_the_animal_nor_the_record(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[float], kind: str
) -> None:
    study = new_study(tmp_path_factory.mktemp("gaps") / "study")
    with bench(config(), threshold_ua=40.0) as rig:
        breaks = [Once(at_second(second), gap(rig, kind)) for second in seconds]

        def listener(fact: Progress) -> None:
            for once in breaks:
                once(fact)

        patience = hurried(each_wait=rig.board.faults.replug)
        outcome = threshold(
            study, config(), rig.instruments, experimenter=Knows(rig), listener=listener, patience=patience
        ).outcome
        heard = rig.rat.heard
    assert isinstance(outcome, ThresholdFound)
    assert outcome.above_ua < 40.0 <= outcome.rung_ua * 1.2
    starts_us = [train.start_us for train in heard]
    assert all(later - earlier >= 29_900_000 for earlier, later in pairwise(starts_us))
    for train, later in pairwise(heard):
        if train.discharge_us is not None:
            assert later.start_us - train.end_us >= 60_000_000, "a discharge that nobody saw has its lock-out"
    whole = [trial.measured for trial in session_of(study).trials if isinstance(trial, Trial)]
    recording = recording_of(study)
    assert not any(train.onset_sample < at < train.end_sample for train in whole for at in recording.gaps)
    assert sum(segment.n_samples for segment in recording.segments) == recording.n_samples
    assert verify_study(study) == []
