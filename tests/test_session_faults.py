"""What must never happen to an animal or to its record: late stops, false marks, stray current, lost answers."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import mne
import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from msgspec import structs

from detectors.criterion import Criterion, Verdict
from drivers.interface import (
    Abort,
    Block,
    Channel,
    DeliveredTrain,
    DeviceNotFound,
    LinkLost,
    PulseTrain,
    SampleSource,
    Stimulator,
)
from drivers.simulated.faults import Faults
from kindle import rig as rig_module
from kindle.assembly import Instruments
from kindle.cli import kindle
from kindle.errors import ConfigError, KindleError, RecordingError, UnsafeStimulus
from kindle.exchange import Confirm, Confirmed, Rest, Stimulate, Trial, VoidTrial
from kindle.experimenter import Answer, Mark, Unattended
from kindle.interrupted import Unrecorded
from kindle.prepared import prepare_threshold
from kindle.progress import Arming, Done, Fired, Progress, Read, Watching, unheard
from kindle.protocols.threshold import Aborted, ThresholdFound
from kindle.recording import RecordingWriter
from kindle.rig import Rig, StoppedByExperimenter, StrayCurrent, UnaskedTrain
from kindle.rows import SessionInterrupted
from kindle.safety import Exposure
from kindle.session import LastTrain, end_unfinished, run_threshold
from kindle.session_record import SessionJournal
from kindle.stream import Stream
from kindle.study import SessionView, create_study, open_study
from tests import bench as benches
from tests.bench import STUDY, bench, config, new_study, threshold, without_monitor

RATE_HZ = 2000
TTL_ROW, MONITOR_ROW = 2, 3
HIGH_COUNTS = 15_604
"""Of the TTL input: 5 V."""
TRAIN = PulseTrain(current_ua=50, phase_us=1000, interphase_us=0, pulse_hz=50, train_s=1)


class Died(BaseException):
    """Stands for the end of the process at this instant."""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


def session_of(folder: Path) -> SessionView:
    with open_study(folder) as opened:
        (view,) = opened.sessions()
    return view


def kinds_of(folder: Path) -> list[str]:
    with open_study(folder) as opened:
        return [row.kind for row in opened.journal.rows() if row.kind != "animal_added"]


def dies(second: float) -> Callable[[Progress], None]:
    def listener(fact: Progress) -> None:
        if isinstance(fact, Read) and fact.first_sample + fact.block.shape[1] >= second * RATE_HZ:
            raise Died

    return listener


def dies_in_train(n: int, after_s: float) -> Callable[[Progress], None]:
    """In the n-th train, or after it, so long after its onset."""
    fired: list[None] = []
    read_s: list[float] = []

    def listener(fact: Progress) -> None:
        if isinstance(fact, Fired):
            fired.append(None)
        elif isinstance(fact, Read) and len(fired) == n:
            read_s.append(fact.block.shape[1] / RATE_HZ)
            if sum(read_s) >= after_s:
                raise Died

    return listener


def killed(
    monkeypatch: pytest.MonkeyPatch, folder: Path, listener: Callable[[Progress], None], rig: benches.Rig
) -> None:
    """A session that ended with no chance to write why: SIGKILL, or the power failed."""
    write = SessionJournal.write

    def unless_dead(journal: SessionJournal, row: msgspec.Struct) -> None:
        if not isinstance(row, SessionInterrupted):
            write(journal, row)

    with monkeypatch.context() as patched:
        patched.setattr(SessionJournal, "write", unless_dead)
        with pytest.raises(Died):
            threshold(folder, config(), rig.instruments, listener=listener)


@dataclass
class Altered:
    """A source whose blocks something has happened to on the way; ``alter(block, first_sample)`` changes a copy."""

    source: SampleSource
    alter: Callable[[Block, int], None]
    n_samples: int = 0

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.source.channels

    @property
    def rate_hz(self) -> float:
        return self.source.rate_hz

    def identify(self) -> str:
        return self.source.identify()

    def start(self) -> None:
        self.source.start()

    def read(self, n_samples: int) -> Block:
        block = self.source.read(n_samples).copy()
        self.alter(block, self.n_samples)
        self.n_samples += n_samples
        return block

    def close(self) -> None:
        self.source.close()


def altered(instruments: Instruments, alter: Callable[[Block, int], None]) -> Instruments:
    return replace(instruments, source=Altered(instruments.source, alter))


class DiesAtStart(Altered):
    def start(self) -> None:
        raise Died


def _as_it_is(block: Block, first: int) -> None:
    pass


@dataclass
class Watched:
    """A stimulator that tells before ``prepare`` and before ``fire``."""

    stimulator: Stimulator
    before_prepare: Callable[[], object] = lambda: None
    before_fire: Callable[[], object] = lambda: None

    def identify(self) -> str:
        return self.stimulator.identify()

    def prepare(self, train: PulseTrain) -> DeliveredTrain:
        self.before_prepare()
        return self.stimulator.prepare(train)

    def fire(self) -> None:
        self.before_fire()
        self.stimulator.fire()

    def rest(self) -> None:
        self.stimulator.rest()

    def abort(self) -> Abort:
        return self.stimulator.abort()

    def close(self) -> None:
        self.stimulator.close()


class Pressed(Unattended):
    """Somebody with a stop key that tells the stimulator at once, as a terminal's does."""

    def __init__(self, stimulator: Stimulator) -> None:
        self._stimulator = stimulator
        self._pressed = False

    def press(self) -> None:
        self._pressed = True
        self._stimulator.abort()

    def wants_stop(self) -> bool:
        return self._pressed


class Reads(Unattended):
    """Looks at an undetermined trace and says this."""

    def __init__(self, choice: str) -> None:
        self._choice = choice
        self.asked: list[str] = []

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        self.asked.append(text)
        return lambda: self._choice


def lone_rig(instruments: Instruments, *, watch_s: float = 15.0, stimulator: Stimulator | None = None) -> Rig:
    """A rig that records nowhere, connected and started."""
    instruments.stimulator.identify()
    instruments.source.start()
    criterion = Criterion(onset_window_s=10.0, baseline_s=10.0)
    return Rig(
        Stream(instruments.source, Unrecorded(), criterion, instruments.block, unheard),
        stimulator or instruments.stimulator,
        config().limits,
        Unattended(),
        watch_s=watch_s,
        baseline_s=10.0,
        recording="nowhere",
        listener=unheard,
        exposure=Exposure(),
    )


class TestStopping:
    @pytest.mark.parametrize("when", ["before_prepare", "before_fire"])
    def test_no_train_follows_a_stop_however_late_it_comes(self, study: Path, when: str) -> None:
        with bench(config()) as rig:
            person = Pressed(rig.instruments.stimulator)
            stimulator = Watched(rig.instruments.stimulator, **{when: person.press})
            instruments = replace(rig.instruments, stimulator=stimulator)
            with pytest.raises(StoppedByExperimenter, match="stop is confirmed"):
                threshold(study, config(), instruments, experimenter=person)
            rig.instruments.source.read(4 * RATE_HZ)
            assert rig.rat.heard == []
        assert "stopped by the experimenter" in session_of(study).interruptions[-1].reason

    def test_a_rig_that_was_stopped_fires_no_more(self) -> None:
        with bench(config()) as bench_:
            rig = lone_rig(bench_.instruments)
            rig.abort()
            with pytest.raises(UnsafeStimulus, match="told to stop"):
                rig.perform(Stimulate(TRAIN))
            bench_.instruments.source.read(4 * RATE_HZ)
            assert bench_.rat.heard == []

    def test_an_unproven_stop_is_told_with_whatever_made_it_necessary(self, study: Path) -> None:
        def silence(fact: Progress) -> None:
            if isinstance(fact, Fired):
                rig.device.inject(Faults(silent=True))

        with bench(config()) as rig, pytest.raises(LinkLost) as raised:
            threshold(study, config(), rig.instruments, listener=silence)
        assert any("switch its output off by hand" in note for note in raised.value.__notes__)

    def test_an_unproven_stop_after_a_train_that_no_ttl_shows_ends_the_session(self) -> None:
        def no_ttl(block: Block, first: int) -> None:
            block[TTL_ROW] = 0

        with bench(config()) as bench_:
            instruments = altered(bench_.instruments, no_ttl)
            stimulator = Watched(instruments.stimulator)
            rig = lone_rig(instruments, stimulator=stimulator)
            stimulator.abort = lambda: Abort.UNCONFIRMED  # type: ignore[method-assign]
            with pytest.raises(LinkLost, match="shows no train"):
                rig.perform(Stimulate(TRAIN))

    def test_the_question_about_a_train_in_doubt_can_be_left_by_a_stop(self, study: Path) -> None:
        class Leaves:
            """Is asked, and presses stop instead of answering."""

            stopped = False

            def wants_stop(self) -> bool:
                return self.stopped

            def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
                self.stopped = True
                return lambda: None

            def mark(self) -> Mark | None:
                return None

        def die(fact: Progress) -> None:
            if isinstance(fact, Arming):
                raise Died

        with bench(config()) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=die)
        with open_study(study) as opened, bench(config()) as rig:
            prepared = prepare_threshold(opened, "R01", config())
            with pytest.raises(KindleError, match="stopped before this was answered"):
                run_threshold(opened, prepared, rig.instruments, Leaves(), unheard)


class TestFalseMarks:
    def test_a_line_that_is_high_from_the_beginning_gives_no_train(self, study: Path) -> None:
        def high(block: Block, first: int) -> None:
            block[TTL_ROW] = HIGH_COUNTS

        with bench(config()) as rig:
            with pytest.raises(UnaskedTrain):
                threshold(study, config(), altered(rig.instruments, high))
            assert rig.rat.heard == []

    def test_two_trains_after_one_trigger_make_the_trial_void_also_when_it_is_settled_later(self, study: Path) -> None:
        def echo(block: Block, first: int) -> None:
            for sample in range(14 * RATE_HZ, 15 * RATE_HZ):
                if first <= sample < first + block.shape[1]:
                    block[TTL_ROW, sample - first] = HIGH_COUNTS

        with bench(config()) as rig, pytest.raises(UnaskedTrain):
            threshold(study, config(), altered(rig.instruments, echo))
        with bench(config(), threshold_ua=15.0) as rig:
            threshold(study, config(), rig.instruments)
            assert rig.rat.heard[0].start_us > 60_000_000, "the lock-out of a discharge that may have been"
        first = session_of(study).trials[0]
        assert isinstance(first, VoidTrial)
        assert first.exposed
        assert first.verdict is Verdict.UNDETERMINED
        assert "2 trains" in first.reason

    def test_a_train_that_nothing_shows_counts_as_one_that_may_have_evoked_a_discharge(self, study: Path) -> None:
        def no_ttl(block: Block, first: int) -> None:
            block[TTL_ROW] = 0

        rig_config = without_monitor(config())
        with bench(rig_config) as rig:
            outcome = threshold(study, rig_config, altered(rig.instruments, no_ttl)).outcome
            starts_us = np.array([heard.start_us for heard in rig.rat.heard])
        assert isinstance(outcome, Aborted)
        assert all(trial.verdict is Verdict.UNDETERMINED for trial in session_of(study).trials)
        assert (np.diff(starts_us) >= 60_000_000).all()

    def test_an_inverted_monitor_with_an_offset_is_read_for_trains_longer_than_it_remembers(
        self, tmp_path: Path
    ) -> None:
        def inverted(block: Block, first: int) -> None:
            block[MONITOR_ROW] = 400 - block[MONITOR_ROW]

        study = new_study(tmp_path / "study", STUDY + "train_s = 5.0\n")
        with bench(config(), threshold_ua=15.0) as rig:
            threshold(study, config(), altered(rig.instruments, inverted))
        trial = session_of(study).trials[0]
        assert isinstance(trial, Trial)
        assert trial.measured.current_ua == pytest.approx(20.0, abs=0.1)
        assert trial.measured.n_pulses == 250


class TestStrayCurrent:
    @pytest.mark.parametrize("since_s", [13.0, 35.0], ids=["as the train ends", "while the next interval runs"])
    def test_current_without_a_train_stops_the_session(self, study: Path, since_s: float) -> None:
        def stays_on(block: Block, first: int) -> None:
            at = np.arange(first, first + block.shape[1])
            block[MONITOR_ROW, at >= since_s * RATE_HZ] = round(20 / 0.032)

        with bench(config()) as rig:
            with pytest.raises(StrayCurrent, match=r"20\.\d* uA while no train is going on; .* stop is confirmed"):
                threshold(study, config(), altered(rig.instruments, stays_on))
            assert len(rig.rat.heard) == 1
        view = session_of(study)
        assert view.recordings[0].rate_hz * since_s == pytest.approx(view.closed[view.recordings[0].folder], abs=1001)
        assert view.perhaps_discharged

    def test_an_offset_that_drifts_by_more_than_the_current_is_no_current(self, study: Path) -> None:
        def drifts(block: Block, first: int) -> None:
            block[MONITOR_ROW] += (np.arange(first, first + block.shape[1]) // 100).astype(np.int16)

        with bench(config(), threshold_ua=15.0) as rig:
            assert threshold(study, config(), altered(rig.instruments, drifts)).outcome == ThresholdFound(0.0, 20.0)

    def test_a_click_on_the_monitor_is_no_current(self, study: Path) -> None:
        def click(block: Block, first: int) -> None:
            if first <= 20 * RATE_HZ < first + block.shape[1]:
                block[MONITOR_ROW, 20 * RATE_HZ - first] = 20_000

        with bench(config(), threshold_ua=15.0) as rig:
            assert threshold(study, config(), altered(rig.instruments, click)).outcome == ThresholdFound(0.0, 20.0)


class TestWatching:
    def test_a_plan_may_watch_for_longer_than_the_rig_waits_for_a_verdict(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rig_module, "LONGEST_WATCH_S", 5.0)
        with bench(config()) as bench_:
            trial = lone_rig(bench_.instruments, watch_s=12.0).perform(Stimulate(TRAIN))
        assert isinstance(trial, Trial)
        assert trial.last_sample - trial.measured.end_sample >= 12 * RATE_HZ

    def test_a_watch_that_ends_undecided_is_no_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rig_module, "LONGEST_WATCH_S", 5.0)
        with bench(config()) as bench_:
            trial = lone_rig(bench_.instruments, watch_s=2.0).perform(Stimulate(TRAIN))
        assert isinstance(trial, Trial)
        assert trial.verdict is Verdict.UNDETERMINED

    def test_a_discharge_that_outlasts_its_watch_bars_the_next_train_only_until_its_lock_out_is_over(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rig_module, "LONGEST_WATCH_S", 8.0)
        with bench(config(), threshold_ua=20.0) as bench_:
            rig = lone_rig(bench_.instruments, watch_s=2.0)
            rig.perform(Stimulate(TRAIN))
            assert rig.exposure.in_discharge
            rig.perform(Rest(120.0, "lock-out"))
            rig.perform(Stimulate(TRAIN))
            assert len(bench_.rat.heard) == 2


class TestInterruptedTwice:
    def test_a_discharge_recorded_before_the_first_interruption_still_counts(self, study: Path) -> None:
        with bench(config(), threshold_ua=15.0) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies(35.0))
        for _ in range(2):
            with bench(config(), threshold_ua=15.0) as rig, pytest.raises(Died):
                threshold(
                    study, config(), replace(rig.instruments, source=DiesAtStart(rig.instruments.source, _as_it_is))
                )
        with bench(config(), threshold_ua=15.0) as rig:
            assert threshold(study, config(), rig.instruments).outcome == ThresholdFound(0.0, 20.0)
            assert rig.rat.heard == []

    def test_the_settled_answer_is_written_once_and_before_anything_is_waited_for(self, study: Path) -> None:
        with bench(config()) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies_in_train(1, 3.0))
        done: list[Done] = []

        def dies_waiting(fact: Progress) -> None:
            if isinstance(fact, Done):
                done.append(fact)
            dies(20.0)(fact)

        with bench(config()) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, experimenter=Reads("none"), listener=dies_waiting)
        assert len(done) == 1
        kinds = kinds_of(study)
        first = kinds.index("session_interrupted")
        assert kinds[first : first + 4] == ["session_interrupted", "recording_closed", "recording_started", "answered"]
        view = session_of(study)
        assert len(view.trials) == 1
        assert isinstance(view.exchanges[2].request, Confirm)
        assert view.exchanges[2].reply == Confirmed("none")

    def test_a_session_that_only_lacks_its_outcome_is_ended_without_waiting(
        self, study: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die_at_last(fact: Progress) -> None:
            if isinstance(fact, Done):
                raise Died

        with bench(config(), threshold_ua=15.0) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=die_at_last)
        with bench(config(), threshold_ua=15.0) as rig:
            assert threshold(study, config(), rig.instruments).outcome == ThresholdFound(0.0, 20.0)
        view = session_of(study)
        assert view.closed[view.recordings[-1].folder] == 0

    def test_a_clear_session_waits_its_interval_and_not_a_lock_out(self, study: Path) -> None:
        with bench(config(), threshold_ua=22.0) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies(35.0))
        with bench(config(), threshold_ua=22.0) as rig:
            assert isinstance(threshold(study, config(), rig.instruments).outcome, ThresholdFound)
            assert rig.rat.heard[0].start_us == pytest.approx(30_000_000, abs=600_000)


class TestSettling:
    @pytest.mark.parametrize("last_train", ["ask", "void"])
    def test_a_train_that_was_going_on_when_the_program_was_killed_is_seen(
        self, study: Path, monkeypatch: pytest.MonkeyPatch, last_train: LastTrain
    ) -> None:
        with bench(config()) as rig:
            killed(monkeypatch, study, dies_in_train(2, 0.3), rig)
        person = Reads("stop")
        with bench(config()) as rig:
            outcome = threshold(study, config(), rig.instruments, experimenter=person, last_train=last_train).outcome
            assert rig.rat.heard == []
        assert isinstance(outcome, Aborted)
        assert len(person.asked) == 1
        assert "24 uA" in person.asked[0]

    def test_a_train_that_the_program_itself_cut_short_is_void_and_has_its_lock_out(self, study: Path) -> None:
        with bench(config()) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies_in_train(2, 0.3))
        with bench(config(), threshold_ua=22.0) as rig:
            outcome = threshold(study, config(), rig.instruments).outcome
            assert [round(heard.current_ua) for heard in rig.rat.heard] == [24]
            assert rig.rat.heard[0].start_us >= 60_000_000
        assert outcome == ThresholdFound(20.0, 24.0)
        cut = session_of(study).trials[1]
        assert isinstance(cut, VoidTrial)
        assert cut.exposed
        assert cut.verdict is Verdict.UNDETERMINED

    def test_current_that_no_ttl_marks_is_never_called_void_by_a_person(self, study: Path) -> None:
        def no_ttl(block: Block, first: int) -> None:
            block[TTL_ROW] = 0

        with bench(config()) as rig, pytest.raises(Died):
            threshold(study, config(), altered(rig.instruments, no_ttl), listener=dies_in_train(1, 0.5))
        with bench(config(), threshold_ua=15.0) as rig:
            threshold(study, config(), rig.instruments, last_train="void")
            assert rig.rat.heard[0].start_us >= 60_000_000
        first = session_of(study).trials[0]
        assert isinstance(first, VoidTrial)
        assert first.exposed

    def test_a_settled_trial_is_marked_in_the_recording_that_holds_it(self, study: Path) -> None:
        with bench(config(), threshold_ua=15.0) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies(35.0))
        with bench(config(), threshold_ua=15.0) as rig:
            threshold(study, config(), rig.instruments)
        view = session_of(study)
        trial = view.trials[0]
        assert isinstance(trial, Trial)
        old, new = (
            mne.io.read_raw_brainvision(study / started.folder / "signal.vhdr", verbose="error").annotations
            for started in view.recordings
        )
        at = list(old.description).index("Stimulus/train/20 uA")
        assert old.onset[at] == pytest.approx(trial.measured.onset_sample / RATE_HZ)
        assert "Comment/afterdischarge/primary" in list(old.description)
        assert not any("train" in text for text in new.description)


class TestGoingOn:
    def test_a_session_does_not_go_on_on_another_rig(self, study: Path) -> None:
        with bench(config()) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies(20.0))
        other = structs.replace(config(), name="rig 2")
        with bench(other) as rig, pytest.raises(ConfigError, match="began on rig 'simulated'"):
            threshold(study, other, rig.instruments)

    def test_a_session_goes_on_at_another_sampling_rate(self, study: Path) -> None:
        with bench(config(), threshold_ua=22.0) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies(35.0))
        faster = structs.replace(config(), daq=structs.replace(config().daq, rate_hz=4000.0))
        with bench(faster, threshold_ua=22.0) as rig:
            assert threshold(study, faster, rig.instruments).outcome == ThresholdFound(20.0, 24.0)

    def test_a_session_goes_on_with_the_plan_that_it_began_with(self, study: Path) -> None:
        with bench(config(), threshold_ua=22.0) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies(35.0))
        (study / "study.toml").write_text(STUDY.replace("start_ua = 20.0", "start_ua = 50.0"), encoding="utf-8")
        with bench(config(), threshold_ua=22.0) as rig:
            assert threshold(study, config(), rig.instruments).outcome == ThresholdFound(20.0, 24.0)

    def test_a_session_that_stricter_limits_forbid_can_be_ended_and_the_animal_is_free(self, study: Path) -> None:
        with bench(config(), threshold_ua=22.0) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies(35.0))
        stricter = config(max_current_ua=100.0)
        with open_study(study) as opened, bench(stricter) as rig:
            lower = replace(prepare_threshold(opened, "R01", config()), limits=stricter.limits)
            with pytest.raises(UnsafeStimulus, match=r"allows 100 uA; session R01_.* cannot go on: end it with"):
                run_threshold(opened, lower, rig.instruments, Unattended(), unheard)
            ended = end_unfinished(opened, "R01", "the limits are stricter now")
            assert ended.outcome == Aborted(20.0, "ended by the experimenter: the limits are stricter now")
            with pytest.raises(KindleError, match="no unfinished session"):
                end_unfinished(opened, "R01", "again")
        (study / "study.toml").write_text(STUDY.replace("max_ua = 200.0", "max_ua = 100.0"), encoding="utf-8")
        with bench(stricter, threshold_ua=15.0) as rig:
            assert threshold(study, stricter, rig.instruments).session != ended.session

    def test_an_interrupted_session_is_ended_from_the_command_line(self, study: Path) -> None:
        with bench(config()) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies(5.0))
        ended = CliRunner().invoke(
            kindle, ["study", "end", str(study), "--animal", "R01", "--reason", "the headcap came off"]
        )
        assert ended.exit_code == 0, ended.output
        assert "stopped: ended by the experimenter: the headcap came off" in ended.output
        assert isinstance(session_of(study).outcome, Aborted)

    def test_instruments_that_do_not_answer_leave_no_session_behind(self, study: Path) -> None:
        with bench(config()) as rig:
            rig.device.inject(Faults(silent=True))
            with pytest.raises(DeviceNotFound):
                threshold(study, config(), rig.instruments)
        assert kinds_of(study) == []

    def test_a_rig_without_a_ttl_channel_leaves_no_session_behind(self, study: Path) -> None:
        kept = tuple(wanted for wanted in config().daq.inputs if wanted.role != "stimulus_ttl")
        blind = structs.replace(config(), daq=structs.replace(config().daq, inputs=kept))
        with bench(blind) as rig, pytest.raises(ConfigError, match="stimulus_ttl"):
            threshold(study, blind, rig.instruments)
        assert kinds_of(study) == []


class TestClockSteps:
    def test_sessions_that_begin_in_the_same_second_are_two_sessions(self, study: Path) -> None:
        def stands_still() -> datetime:
            return datetime(2026, 1, 5, 9, 30, tzinfo=UTC)

        with open_study(study) as opened:
            prepared = prepare_threshold(opened, "R01", config())
            for _ in range(2):
                with bench(config(), threshold_ua=15.0) as rig:
                    run_threshold(opened, prepared, rig.instruments, Unattended(), unheard, now=stands_still)
            views = opened.sessions()
        assert len({view.id for view in views}) == 2
        assert all(view.outcome == ThresholdFound(0.0, 20.0) for view in views)
        assert len({view.recordings[0].folder for view in views}) == 2

    def test_the_least_interval_between_trains_holds_across_sessions(self, study: Path) -> None:
        begun = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
        with open_study(study) as opened:
            limits = config(min_interval_s=30.0, lockout_after_afterdischarge_s=0.0).limits
            prepared = replace(prepare_threshold(opened, "R01", config()), limits=limits, simulated=False)
            prepared = replace(prepared, plan=structs.replace(prepared.plan, max_ua=21.0, lockout_after_ad_s=0.0))
            with bench(config(), threshold_ua=500.0) as rig:
                run_threshold(opened, prepared, rig.instruments, Unattended(), unheard, now=lambda: begun)
            with bench(config(), threshold_ua=500.0) as rig:
                for later_s in (0, 29, -3600):
                    later = partial(begun.__add__, timedelta(seconds=later_s))
                    with pytest.raises(UnsafeStimulus, match="min_interval_s asks for 30 s"):
                        run_threshold(opened, prepared, rig.instruments, Unattended(), unheard, now=later)
                assert rig.rat.heard == []


class TestPuttingThingsAway:
    def test_a_recording_that_cannot_be_closed_does_not_hide_why_the_session_ended(
        self, study: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        close = RecordingWriter.close

        def fails(recording: RecordingWriter) -> int:
            close(recording)
            raise RecordingError("the disk is full")

        def unplug(fact: Progress) -> None:
            if isinstance(fact, Watching):
                rig.board.faults.unplug()

        monkeypatch.setattr(RecordingWriter, "close", fails)
        with bench(config()) as rig, pytest.raises(LinkLost) as raised:
            threshold(study, config(), rig.instruments, listener=unplug)
        assert "Besides: the disk is full" in raised.value.__notes__
        assert kinds_of(study)[-1] == "session_interrupted"

    def test_a_journal_that_cannot_be_written_does_not_hide_why_the_session_ended(
        self, study: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = SessionJournal.write

        def fails(journal: SessionJournal, row: msgspec.Struct) -> None:
            if isinstance(row, SessionInterrupted):
                raise KindleError("the journal cannot be used")
            write(journal, row)

        monkeypatch.setattr(SessionJournal, "write", fails)
        with bench(config()) as rig, pytest.raises(Died) as raised:
            threshold(study, config(), rig.instruments, listener=dies(5.0))
        assert "Besides: the journal cannot be used" in raised.value.__notes__
        assert kinds_of(study)[-1] == "recording_closed"

    @pytest.mark.skipif(os.name == "nt", reason="folders cannot be synced on Windows")
    def test_new_folders_are_on_the_disk_before_a_session_begins(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced: set[int] = set()
        fsync = os.fsync

        def noted(fd: int) -> None:
            synced.add(os.fstat(fd).st_ino)
            fsync(fd)

        monkeypatch.setattr(os, "fsync", noted)
        create_study(tmp_path / "new", STUDY)
        assert {path.stat().st_ino for path in (tmp_path, tmp_path / "new")} <= synced
        study = new_study(tmp_path / "study")
        with bench(config()) as rig, pytest.raises(Died):
            threshold(study, config(), rig.instruments, listener=dies(1.0))
        assert (study / "recordings").stat().st_ino in synced
