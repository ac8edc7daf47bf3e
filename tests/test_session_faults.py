"""What must never happen to an animal or to its record: late stops, false marks, stray current, lost answers."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from altered import altered
from moments import RATE_HZ, Died, dies

from detectors.criterion import Criterion, Verdict
from drivers.interface import (
    Abort,
    Block,
    DeliveredTrain,
    LinkLost,
    PulseTrain,
    Stimulator,
)
from drivers.simulated.faults import Faults
from kindle import watching
from kindle.assembly import Instruments
from kindle.errors import KindleError, RecordingError, UnsafeStimulus
from kindle.exchange import Rest, Stimulate, Trial, VoidTrial
from kindle.experimenter import Answer, Mark, Unattended
from kindle.interrupted import Unrecorded
from kindle.prepared import prepare_threshold
from kindle.progress import Arming, Fired, Progress, Watching, unheard
from kindle.protocols.threshold import Aborted, ThresholdFound
from kindle.recording import RecordingWriter
from kindle.rig import Rig, StoppedByExperimenter, StrayCurrent, UnaskedTrain
from kindle.rows import SessionInterrupted
from kindle.safety import Exposure
from kindle.session import run_threshold
from kindle.session_record import SessionJournal
from kindle.stream import Stream
from kindle.study import create_study, open_study
from tests.bench import STUDY, GoesOn, bench, config, kinds_of, new_study, session_of, threshold, without_monitor

TTL_ROW, MONITOR_ROW = 2, 3
HIGH_COUNTS = 15_604
"""Of the TTL input: 5 V."""


TRAIN = PulseTrain(current_ua=50, phase_us=1000, interphase_us=0, pulse_hz=50, train_s=1)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


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
            threshold(study, config(), rig.instruments, experimenter=GoesOn())
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
            unmarked = altered(rig.instruments, no_ttl)
            outcome = threshold(study, rig_config, unmarked, experimenter=GoesOn()).outcome
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
            threshold(study, config(), replace(altered(rig.instruments, inverted), rest_limit_ua=15.0))
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
            block[MONITOR_ROW] += (np.arange(first, first + block.shape[1]) // 250).astype(np.int16)

        with bench(config(), threshold_ua=15.0) as rig:
            drifting = replace(altered(rig.instruments, drifts), rest_limit_ua=50.0)
            assert threshold(study, config(), drifting).outcome == ThresholdFound(0.0, 20.0)

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
        monkeypatch.setattr(watching, "LONGEST_WATCH_S", 5.0)
        with bench(config()) as bench_:
            trial = lone_rig(bench_.instruments, watch_s=12.0).perform(Stimulate(TRAIN))
        assert isinstance(trial, Trial)
        assert trial.last_sample - trial.measured.end_sample >= 12 * RATE_HZ

    def test_a_watch_that_ends_undecided_is_no_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watching, "LONGEST_WATCH_S", 5.0)
        with bench(config()) as bench_:
            trial = lone_rig(bench_.instruments, watch_s=2.0).perform(Stimulate(TRAIN))
        assert isinstance(trial, Trial)
        assert trial.verdict is Verdict.UNDETERMINED

    def test_a_discharge_that_outlasts_its_watch_bars_the_next_train_only_until_its_lock_out_is_over(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watching, "LONGEST_WATCH_S", 8.0)
        with bench(config(), threshold_ua=20.0) as bench_:
            rig = lone_rig(bench_.instruments, watch_s=2.0)
            rig.perform(Stimulate(TRAIN))
            assert rig.exposure.in_discharge
            rig.perform(Rest(120.0, "lock-out"))
            rig.perform(Stimulate(TRAIN))
            assert len(bench_.rat.heard) == 2


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
