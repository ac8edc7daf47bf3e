"""What a gap leaves behind: in the recording, in the report, for a replay, and for a session that is resumed."""

from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest
from moments import RATE_HZ, Died, Once, at_second, in_train, watching

from detectors.criterion import EndGrade
from kindle.exchange import Trial, VoidTrial
from kindle.own_signals import KindleSignals
from kindle.progress import Back, Lost, Progress, Read, unheard
from kindle.protocols.threshold import ThresholdFound
from kindle.recording import Recording, open_recording
from kindle.replaying import replay_session
from kindle.report import write_session_report
from kindle.study import open_study
from kindle.verification import verify_study
from tests import bench as benches
from tests.bench import bench, config, new_study, session_of, threshold


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


def recording_of(folder: Path) -> Recording:
    view = session_of(folder)
    return open_recording(folder / view.recordings[0].folder)


def gap(rig: benches.Rig, kind: str) -> Callable[[], object]:
    """What loses samples; an unplugged board is plugged in again while the session waits for it."""
    return rig.board.faults.overrun_now if kind == "overrun" else rig.board.faults.unplug


class TestRecord:
    @pytest.fixture
    def gapped(self, study: Path) -> Path:
        with bench(config(), threshold_ua=22.0) as rig:
            listener = Once(at_second(30), rig.board.faults.overrun_now)
            threshold(study, config(), rig.instruments, listener=listener)
        return study

    def test_nothing_is_spliced_and_nothing_is_filled_in(self, gapped: Path) -> None:
        recording = recording_of(gapped)
        first, second = recording.segments
        assert second.first_sample == first.n_samples
        assert second.n_lost is not None
        assert second.n_lost >= 1
        signals = KindleSignals(recording)
        assert signals.n_samples == recording.n_samples + second.n_lost
        around = signals.read(["EEG"], first.n_samples - 1, first.n_samples + second.n_lost + 1)[0]
        assert np.isfinite(around[[0, -1]]).all()
        assert np.isnan(around[1:-1]).all()

    def test_other_programs_open_each_segment_and_see_the_gap(self, gapped: Path) -> None:
        notes = [
            mne.io.read_raw_brainvision(segment.header_path, verbose="error").annotations.description
            for segment in recording_of(gapped).segments
        ]
        assert not any(text.startswith("Comment/gap") for text in notes[0])
        assert any(text.startswith("Comment/gap/about") for text in notes[1])

    def test_the_report_tells_of_the_gap(self, gapped: Path) -> None:
        with open_study(gapped) as opened:
            page = write_session_report(opened, session_of(gapped).id).read_text(encoding="utf-8")
        (gap,) = recording_of(gapped).gaps
        assert f"signal lost at sample {gap}, the stimulator" in page
        assert "signal back in a new segment; about 1 samples" in page

    def test_the_study_is_whole(self, gapped: Path) -> None:
        assert verify_study(gapped) == []

    def test_a_replay_gives_what_was_recorded_to_the_sample(self, gapped: Path) -> None:
        replayed = replay_session(recording_of(gapped).folder, unheard)
        assert replayed.same
        assert replayed.jumps == 0

    @pytest.mark.parametrize("when", [in_train(1, 0.3), in_train(1, 0.0), watching(1, 8.0)])
    def test_a_replay_comes_to_the_same_void_and_cut_trials(
        self, study: Path, when: Callable[[Progress], bool]
    ) -> None:
        with bench(config(), threshold_ua=15.0) as rig:
            threshold(study, config(), rig.instruments, listener=Once(when, rig.board.faults.overrun_now))
        replayed = replay_session(recording_of(study).folder, unheard)
        assert replayed.same
        assert replayed.jumps == 0


class TestResuming:
    def test_a_train_cut_by_a_gap_is_settled_from_the_recording(self, study: Path) -> None:
        def die(fact: Progress) -> None:
            break_it(fact)
            if isinstance(fact, Lost):
                raise Died

        with bench(config()) as rig:
            break_it = Once(in_train(1, 0.3), rig.board.faults.overrun_now)
            with pytest.raises(Died):
                threshold(study, config(), rig.instruments, listener=die)
        with bench(config(), threshold_ua=22.0) as rig:
            threshold(study, config(), rig.instruments)
            assert rig.rat.heard[0].start_us >= 60_000_000
        cut = session_of(study).trials[0]
        assert isinstance(cut, VoidTrial)
        assert "the train was stopped" in cut.reason
        assert verify_study(study) == []

    def test_a_trial_before_a_gap_is_judged_up_to_it(self, study: Path) -> None:
        with bench(config(), threshold_ua=15.0) as rig:
            break_it = Once(watching(1, 8.0), rig.board.faults.overrun_now)

            def die(fact: Progress) -> None:
                break_it(fact)
                if isinstance(fact, Back):
                    raise Died

            with pytest.raises(Died):
                threshold(study, config(), rig.instruments, listener=die)
        assert session_of(study).unanswered
        with bench(config(), threshold_ua=15.0) as rig:
            assert threshold(study, config(), rig.instruments).outcome == ThresholdFound(0.0, 20.0)
            assert rig.rat.heard == []
        trial = session_of(study).trials[0]
        assert isinstance(trial, Trial)
        assert trial.afterdischarges[-1].end_grade is EndGrade.TRUNCATED

    def test_a_session_that_died_behind_a_gap_goes_on(self, study: Path) -> None:
        with bench(config(), threshold_ua=22.0) as rig:
            break_it = Once(at_second(30), rig.board.faults.overrun_now)

            def die(fact: Progress) -> None:
                break_it(fact)
                if isinstance(fact, Read) and fact.first_sample >= 36 * RATE_HZ:
                    raise Died

            with pytest.raises(Died):
                threshold(study, config(), rig.instruments, listener=die)
        with bench(config(), threshold_ua=22.0) as rig:
            assert threshold(study, config(), rig.instruments).outcome == ThresholdFound(20.0, 24.0)
            assert [round(heard.current_ua) for heard in rig.rat.heard] == [24]
        assert verify_study(study) == []
