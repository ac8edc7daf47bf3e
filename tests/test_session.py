"""Whole threshold sessions on the emulated instruments: what the animal received, what was found, what was written."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import mne
import numpy as np
import pytest

from drivers.interface import DriverError, LinkLost
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.faults import Faults
from kindle.errors import ConfigError, KindleError, UnsafeStimulus
from kindle.exchange import Trial, VoidTrial
from kindle.experimenter import Unattended
from kindle.progress import Done, Fired, Progress, Read
from kindle.protocols.threshold import Aborted, NoAfterdischarge, ThresholdFound
from kindle.rig import StoppedByExperimenter
from kindle.session_view import SessionView
from kindle.study import open_study
from kindle.verification import verify_study
from tests.bench import STUDY, GoesOn, bench, config, new_study, threshold, without_monitor


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


def session_of(folder: Path) -> SessionView:
    with open_study(folder) as opened:
        (view,) = opened.sessions()
    return view


def test_a_session_finds_the_planted_threshold_as_an_interval(study: Path) -> None:
    with bench(config(), threshold_ua=60.0) as rig:
        outcome = threshold(study, config(), rig.instruments).outcome
    assert isinstance(outcome, ThresholdFound)
    assert outcome.above_ua < 60.0 <= outcome.rung_ua
    assert outcome.rung_ua == pytest.approx(1.2 * outcome.above_ua)


def test_the_animal_received_the_ladder_and_nothing_after_its_afterdischarge(study: Path) -> None:
    with bench(config(), threshold_ua=40.0) as rig:
        threshold(study, config(), rig.instruments)
        currents = [heard.current_ua for heard in rig.rat.heard]
        assert [heard.discharge_us is not None for heard in rig.rat.heard] == [False] * 4 + [True]
    assert currents == pytest.approx([20.0, 24.0, 28.8, 34.56, 41.472], abs=0.03)
    assert all(heard.n_pulses == 50 and heard.net_charge_uc == pytest.approx(0, abs=1e-9) for heard in rig.rat.heard)


def test_trains_begin_one_interval_apart(study: Path) -> None:
    with bench(config(), threshold_ua=40.0) as rig:
        threshold(study, config(), rig.instruments)
        starts = np.array([heard.start_us for heard in rig.rat.heard])
    assert (np.diff(starts) >= 30_000_000).all()
    assert (np.diff(starts) < 30_100_000).all()


def test_onset_end_and_current_come_from_the_recorded_channels_to_the_sample(study: Path) -> None:
    with bench(config(), threshold_ua=30.0) as rig:
        threshold(study, config(), rig.instruments)
        heard = rig.rat.heard
    for trial, truth in zip(session_of(study).trials, heard, strict=True):
        assert isinstance(trial, Trial)
        assert trial.measured.onset_sample == pytest.approx(truth.start_us * 1e-6 * trial.rate_hz, abs=1)
        assert trial.measured.end_sample - trial.measured.onset_sample == 2000
        assert trial.measured.current_ua == pytest.approx(truth.current_ua, abs=0.1)
        assert trial.measured.n_pulses == 50
        assert trial.delivered.current_ua == pytest.approx(truth.current_ua, abs=1e-6)


def test_the_afterdischarge_that_is_reported_is_the_one_that_the_rat_had(study: Path) -> None:
    with bench(config(), threshold_ua=30.0) as rig:
        threshold(study, config(), rig.instruments)
        truth = rig.rat.heard[-1].discharge_us
    assert truth is not None
    trial = session_of(study).trials[-1]
    assert isinstance(trial, Trial)
    event = trial.afterdischarges[0]
    assert event.onset_sample / 2000 == pytest.approx(truth[0] * 1e-6, abs=0.25)
    assert event.end_sample / 2000 == pytest.approx(truth[1] * 1e-6, abs=0.25)


def test_no_afterdischarge_up_to_the_maximum_is_right_censored_at_the_last_clear_none(study: Path) -> None:
    with bench(config(), threshold_ua=500.0) as rig:
        outcome = threshold(study, config(), rig.instruments).outcome
        highest_ua = max(heard.current_ua for heard in rig.rat.heard)
    assert isinstance(outcome, NoAfterdischarge)
    assert outcome.above_ua == pytest.approx(highest_ua, abs=0.05)
    assert outcome.above_ua <= 200.0 < 1.2 * outcome.above_ua


class HalvedAmplitude(MemoryWire):
    """A codec gone wrong: of each programme, half the amplitude of phase 1 and 2 reaches the instrument."""

    def write(self, data: bytes, /) -> int | None:
        if data[:2] == b"\xd5\x49":
            codes = [int.from_bytes(data[at : at + 2], "little") for at in (130, 132)]
            halved = b"".join((0x8000 + (code - 0x8000) // 2).to_bytes(2, "little") for code in codes)
            super().write(data[:130] + halved + data[134:])
            return len(data)
        return super().write(data)


def test_a_wrong_amplitude_byte_makes_void_trials_where_a_monitor_is_wired(study: Path) -> None:
    with bench(config(), wire=HalvedAmplitude) as rig:
        outcome = threshold(study, config(), rig.instruments, experimenter=GoesOn()).outcome
    assert isinstance(outcome, Aborted)
    trials = session_of(study).trials
    assert [type(trial) for trial in trials] == [VoidTrial] * 3
    assert "9.982 uA where 19.99 uA should flow" in trials[0].reason


def test_a_wrong_amplitude_byte_makes_a_wrong_threshold_where_no_monitor_is_wired(study: Path) -> None:
    rig_config = without_monitor(config())
    with bench(rig_config, threshold_ua=40.0, wire=HalvedAmplitude) as rig:
        outcome = threshold(study, rig_config, rig.instruments).outcome
    assert isinstance(outcome, ThresholdFound)
    assert outcome.above_ua < 80.0 <= outcome.rung_ua


def test_a_train_that_never_comes_is_void_and_not_a_none(study: Path) -> None:
    class DeafToTriggers(MemoryWire):
        def write(self, data: bytes, /) -> int | None:
            if data[:2] == b"\xd5\x4d":
                super().write(data[3:])
                return len(data)
            return super().write(data)

    with bench(config(), wire=DeafToTriggers) as rig:
        outcome = threshold(study, config(), rig.instruments, experimenter=GoesOn()).outcome
        assert rig.rat.heard == []
    assert isinstance(outcome, Aborted)
    trials = session_of(study).trials
    assert all(isinstance(trial, VoidTrial) and not trial.exposed for trial in trials)


def test_a_plan_beyond_the_limits_is_refused_before_anything_is_armed(tmp_path: Path) -> None:
    study = new_study(tmp_path / "study")
    with bench(config(max_current_ua=100.0)) as rig:
        with pytest.raises(UnsafeStimulus, match=r"asks a current of 103.* allows 100 uA"):
            threshold(study, config(max_current_ua=100.0), rig.instruments)
        assert rig.rat.heard == []
    with open_study(study) as opened:
        assert opened.sessions() == []


def test_a_lock_out_shorter_than_the_rig_allows_is_refused(tmp_path: Path) -> None:
    study = new_study(tmp_path / "study")
    with (
        bench(config(lockout_after_afterdischarge_s=90.0)) as rig,
        pytest.raises(ConfigError, match="lockout_after_ad_s is 60 s; the limits ask for 90 s"),
    ):
        threshold(study, config(lockout_after_afterdischarge_s=90.0), rig.instruments)


def test_the_recording_opens_in_mne_with_its_markers(study: Path) -> None:
    with bench(config(), threshold_ua=30.0) as rig:
        threshold(study, config(), rig.instruments)
    view = session_of(study)
    raw = mne.io.read_raw_brainvision(study / view.recordings[0].folder / "signal.vhdr", verbose="error")
    assert raw.ch_names == ["EEG", "Ground", "TTL", "Current"]
    descriptions = list(raw.annotations.description)
    assert "Stimulus/train/34.56 uA" in descriptions
    assert "Comment/afterdischarge/primary" in descriptions
    assert descriptions.count("Comment/verdict/none") == len(view.trials) - 1
    trial = view.trials[-1]
    assert isinstance(trial, Trial)
    ttl = raw.get_data(picks="TTL")[0]
    onset = trial.measured.onset_sample
    assert ttl[onset - 1] < 2.0 <= ttl[onset]


def test_the_study_verifies_after_a_session(study: Path) -> None:
    with bench(config(), threshold_ua=30.0) as rig:
        threshold(study, config(), rig.instruments)
    assert verify_study(study) == []


class StopsAt(Unattended):
    """Presses stop when the rig has read so many samples."""

    def __init__(self, rig_stops: "Stopper") -> None:
        self._stopper = rig_stops

    def wants_stop(self) -> bool:
        return self._stopper.due


class Stopper:
    """Becomes due ``after_s`` of signal after the n-th train was fired."""

    def __init__(self, n: int, after_s: float) -> None:
        self.n, self.after_s, self.due = n, after_s, False
        self._at: float | None = None

    def __call__(self, fact: Progress) -> None:
        if isinstance(fact, Fired):
            self.n -= 1
        if isinstance(fact, Read):
            now_s = (fact.first_sample + fact.block.shape[1]) / 2000
            if self.n == 0 and self._at is None:
                self._at = now_s
            self.due = self._at is not None and now_s >= self._at + self.after_s


def test_stop_in_the_middle_of_a_train_ends_it_within_a_block(study: Path) -> None:
    stopper = Stopper(2, 0.3)
    with bench(config()) as rig:
        with pytest.raises(StoppedByExperimenter, match="stop is confirmed"):
            threshold(study, config(), rig.instruments, experimenter=StopsAt(stopper), listener=stopper)
        now_us = rig.board.clock.now_us()
        assert (rig.device.output(1, now_us + 100, now_us + 2_000_000).volts == 0).all()
        rig.instruments.source.read(2000)
        assert rig.rat.heard[-1].end_us - rig.rat.heard[-1].start_us == pytest.approx(300_000, abs=40_000)
    view = session_of(study)
    assert view.interruptions[-1].stimulator_stop == "confirmed"
    assert view.outcome is None


def test_a_board_that_is_unplugged_ends_the_session_with_everything_kept(study: Path) -> None:
    def unplug(fact: Progress) -> None:
        if isinstance(fact, Done):
            rig.board.faults.unplug()

    with bench(config()) as rig:
        with pytest.raises(LinkLost):
            threshold(study, config(), rig.instruments, listener=unplug)
        read = rig.board.clock.now_us()
    view = session_of(study)
    assert view.closed[view.recordings[0].folder] == pytest.approx(read * 1e-6 * 2000, abs=1000)
    assert view.interruptions[-1].stimulator_stop == "confirmed"
    assert verify_study(study) == []


def test_a_stimulator_that_falls_silent_ends_the_session_with_the_train_unanswered(study: Path) -> None:
    def silence(fact: Progress) -> None:
        if isinstance(fact, Fired):
            rig.device.inject(Faults(silent=True))

    with bench(config()) as rig, pytest.raises(DriverError):
        threshold(study, config(), rig.instruments, listener=silence)
    view = session_of(study)
    assert view.interruptions[-1].stimulator_stop == "unconfirmed"
    assert view.unanswered


def test_a_second_session_of_the_same_animal_is_refused_while_one_runs(study: Path) -> None:
    def again(fact: Progress) -> None:
        if isinstance(fact, Fired):
            with bench(config()) as other:
                threshold(study, config(), other.instruments)

    with bench(config()) as rig, pytest.raises(KindleError, match="held by another kindle"):
        threshold(study, config(), rig.instruments, listener=again)


def test_every_row_of_the_journal_carries_a_later_or_equal_time(study: Path) -> None:
    with bench(config(), threshold_ua=30.0) as rig:
        threshold(study, config(), rig.instruments)
    with open_study(study) as opened:
        times = [row.utc for row in opened.journal.rows()]
    assert all(later - earlier >= timedelta(0) for earlier, later in pairwise(times))


def test_a_monophasic_preset_is_refused_by_a_rig_that_allows_no_direct_current(tmp_path: Path) -> None:
    study = new_study(tmp_path / "study", STUDY.replace("biphasic", "monophasic"))
    rig_config = config(max_net_charge_uc=0.0)
    with bench(rig_config) as rig, pytest.raises(UnsafeStimulus, match="direct current"):
        threshold(study, rig_config, rig.instruments)
