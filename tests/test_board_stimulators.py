"""Stimulators that the board itself commands, through whole sessions: what fails in mid-train, and its own marker."""

from pathlib import Path

import numpy as np
import pytest
from any_rig import AnyRig, any_rig, quick
from moments import Died, Once, die, in_train
from msgspec import structs

from detectors.criterion import Verdict
from drivers.interface import DeviceRefused, LinkLost
from drivers.simulated.products import PCIE_6321
from kindle.exchange import Trial, VoidTrial
from kindle.protocols.threshold import ThresholdFound
from kindle.stimulator_config import CounterConfig, IsolatorConfig
from kindle.verification import verify_study
from tests.bench import STUDY, new_study, session_of, threshold

BOARD_COMMANDED = pytest.mark.parametrize("kind", ["isolator", "counter", "manual"])
WHOLE_TRAIN = 50
"""Pulses of 50 Hz for 1 s."""


def study_for(kind: str, folder: Path) -> Path:
    return new_study(folder / "study", STUDY.replace("biphasic", "monophasic") if kind == "counter" else STUDY)


def n_pulses_flowed(rig: AnyRig) -> int:
    """Up to a second from now, whether or not anybody samples the board then."""
    ua = rig.output.output(0, rig.clock.now_us() + 1_000_000).ua
    leading = ua * np.sign(ua[np.flatnonzero(ua)[:1]].sum()) > 0.0
    return int(np.count_nonzero(np.diff(leading, prepend=False) & leading))


class TestFaultsInATrain:
    @BOARD_COMMANDED
    def test_lost_samples_stop_the_train_and_the_session_goes_on(self, kind: str, tmp_path: Path) -> None:
        study, config = study_for(kind, tmp_path), quick(kind)
        with any_rig(config, threshold_ua=22.0) as rig:
            listener = Once(in_train(1, 0.3), rig.board.faults.overrun_now)
            finished = threshold(study, config, rig.instruments, listener=listener)
            cut, again, last = rig.rat.heard
        assert cut.n_pulses < WHOLE_TRAIN / 2
        assert (again.n_pulses, last.n_pulses) == (WHOLE_TRAIN, WHOLE_TRAIN)
        assert again.start_us - cut.end_us >= 60_000_000, "the lock-out of a discharge that may have been"
        assert finished.outcome == ThresholdFound(20.0, 24.0)
        trial = session_of(study).trials[0]
        assert isinstance(trial, VoidTrial)
        assert (trial.exposed, trial.verdict) == (True, Verdict.UNDETERMINED)
        assert verify_study(study) == []

    @BOARD_COMMANDED
    def test_a_board_unplugged_in_a_train_takes_the_current_along_and_ends_the_session(
        self, kind: str, tmp_path: Path
    ) -> None:
        """Its stop cannot be confirmed: the board that carries the stimulator is the one that is gone."""
        study, config = study_for(kind, tmp_path), quick(kind)
        with any_rig(config, threshold_ua=22.0) as rig:
            listener = Once(in_train(1, 0.3), rig.board.faults.unplug)
            with pytest.raises(LinkLost, match="the stimulator's stop is unconfirmed") as raised:
                threshold(study, config, rig.instruments, listener=listener)
            assert 0 < n_pulses_flowed(rig) < WHOLE_TRAIN / 2
        assert any("switch its output off by hand" in note for note in raised.value.__notes__)
        with any_rig(config, threshold_ua=22.0) as rig:
            assert threshold(study, config, rig.instruments).outcome == ThresholdFound(20.0, 24.0)
            assert rig.rat.heard[0].start_us >= 60_000_000, "what the cut train evoked, nobody saw"
        assert isinstance(session_of(study).trials[0], VoidTrial)
        assert verify_study(study) == []

    @BOARD_COMMANDED
    def test_an_error_of_the_program_stops_the_train_and_the_session_can_be_resumed(
        self, kind: str, tmp_path: Path
    ) -> None:
        study, config = study_for(kind, tmp_path), quick(kind)
        with any_rig(config, threshold_ua=22.0) as rig:
            with pytest.raises(Died):
                threshold(study, config, rig.instruments, listener=Once(in_train(1, 0.3), die))
            assert 0 < n_pulses_flowed(rig) < WHOLE_TRAIN / 2
        with any_rig(config, threshold_ua=22.0) as rig:
            assert threshold(study, config, rig.instruments).outcome == ThresholdFound(20.0, 24.0)
        assert isinstance(session_of(study).trials[0], VoidTrial)

    def test_a_waveform_that_the_board_took_in_part_is_never_played(self, tmp_path: Path) -> None:
        study, config = study_for("isolator", tmp_path), quick("isolator")
        with any_rig(config, threshold_ua=22.0) as rig:
            rig.board.faults.partial_next_write(100)
            with pytest.raises(DeviceRefused, match="took 100 of the"):
                threshold(study, config, rig.instruments)
            assert n_pulses_flowed(rig) == 0
        assert session_of(study).trials == []


class TestTheBoardsOwnMarker:
    @pytest.mark.parametrize(
        "stimulator",
        [
            IsolatorConfig(100.0, marker="ao1"),
            IsolatorConfig(100.0, marker="ctr0"),
            IsolatorConfig(100.0, marker="port0/line0"),
            CounterConfig(marker="ao0"),
            CounterConfig(marker="ctr2"),
        ],
        ids=lambda stimulator: f"{type(stimulator).__name__}-{stimulator.marker}",
    )
    def test_every_marker_gives_onset_and_end_to_the_sample(
        self, stimulator: IsolatorConfig | CounterConfig, tmp_path: Path
    ) -> None:
        """Marker and current are timed by one clock: the recorded edges lie within a sample of the current's."""
        kind = "isolator" if isinstance(stimulator, IsolatorConfig) else "counter"
        config = structs.replace(quick(kind), stimulator=stimulator)
        study = study_for(kind, tmp_path)
        with any_rig(config, threshold_ua=22.0, product=PCIE_6321) as rig:
            assert threshold(study, config, rig.instruments).outcome == ThresholdFound(20.0, 24.0)
            heard = rig.rat.heard
        trials = session_of(study).trials
        assert len(trials) == len(heard) == 2
        for trial, train in zip(trials, heard, strict=True):
            assert isinstance(trial, Trial)
            sample_us = 1e6 / trial.rate_hz
            assert trial.measured.onset_sample * sample_us == pytest.approx(train.start_us, abs=sample_us)
            # The marker stands for whole periods: it ends with the pause behind the last pulse.
            assert trial.measured.end_sample * sample_us == pytest.approx(train.start_us + 1e6, abs=sample_us)
            assert trial.measured.current_ua == pytest.approx(train.current_ua, rel=0.01)
