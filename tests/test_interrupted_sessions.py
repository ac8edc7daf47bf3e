"""Sessions that were interrupted: what is settled, what goes on, and what has to be waited for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import mne
import pytest
from altered import Altered, altered
from click.testing import CliRunner
from moments import RATE_HZ, Died, dies, dies_in_train, killed
from msgspec import structs

from detectors.criterion import Verdict
from drivers.interface import (
    Block,
    DeviceNotFound,
)
from drivers.simulated.faults import Faults
from kindle.amending import amend_afterdischarges, trial_at
from kindle.animal_rows import MarkedDischarge
from kindle.cli import kindle
from kindle.errors import ConfigError, KindleError, UnsafeStimulus
from kindle.exchange import Confirm, Confirmed, Trial, VoidTrial
from kindle.experimenter import Answer, Unattended
from kindle.ledger_view import ledger_of
from kindle.prepared import prepare_threshold
from kindle.progress import Done, Progress, unheard
from kindle.protocols.threshold import Aborted, NoAfterdischarge, ThresholdFound
from kindle.session import LastTrain, end_unfinished, run_threshold
from kindle.study import open_study
from tests.bench import STUDY, GoesOn, bench, config, kinds_of, new_study, session_of, threshold

TTL_ROW = 2


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


class DiesAtStart(Altered):
    def start(self) -> None:
        raise Died


def _as_it_is(block: Block, first: int) -> None:
    pass


class Reads(Unattended):
    """Looks at an undetermined trace and says this."""

    def __init__(self, choice: str) -> None:
        self._choice = choice
        self.asked: list[str] = []

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        self.asked.append(text)
        return lambda: self._choice


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
            killed(
                monkeypatch,
                lambda: threshold(study, config(), rig.instruments, listener=dies_in_train(2, 0.3)),
            )
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
            threshold(study, config(), rig.instruments, last_train="void", experimenter=GoesOn())
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
            at_once = config(min_interval_s=0.0, lockout_after_afterdischarge_s=0.0)
            prepared = prepare_threshold(opened, "R01", at_once)
            prepared = replace(prepared, plan=structs.replace(prepared.plan, max_ua=21.0))
            for _ in range(2):
                with bench(at_once, threshold_ua=500.0) as rig:
                    run_threshold(opened, prepared, rig.instruments, Unattended(), unheard, now=stands_still)
            views = opened.sessions()
        assert len({view.id for view in views}) == 2
        assert all(view.outcome == NoAfterdischarge(20.0) for view in views)
        assert len({view.recordings[0].folder for view in views}) == 2

    def test_a_simulated_rat_is_held_by_the_same_lock_out_where_its_days_have_a_clock(self, study: Path) -> None:
        begun = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
        with open_study(study) as opened:
            prepared = prepare_threshold(opened, "R01", config())
            with bench(config(), threshold_ua=15.0) as rig:
                run_threshold(opened, prepared, rig.instruments, Unattended(), unheard, now=lambda: begun)
                assert len(rig.rat.heard) == 1
            with bench(config(), threshold_ua=15.0) as rig:
                soon = begun + timedelta(seconds=59)
                with pytest.raises(UnsafeStimulus, match=r"the lock-out of 0\.01667 h ends at 2026-01-05 09:31 UTC"):
                    run_threshold(opened, prepared, rig.instruments, Unattended(), unheard, now=lambda: soon)
                free = begun + timedelta(seconds=60)
                run_threshold(opened, prepared, rig.instruments, Unattended(), unheard, now=lambda: free)
                assert len(rig.rat.heard) == 1
                assert len(opened.sessions()) == 2

    def test_a_discharge_that_only_the_amended_reading_has_holds_the_animal_too(self, study: Path) -> None:
        begun = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
        at_once = config(min_interval_s=0.0)
        with open_study(study) as opened:
            prepared = prepare_threshold(opened, "R01", at_once)
            prepared = replace(prepared, plan=structs.replace(prepared.plan, max_ua=21.0))
            with bench(at_once, threshold_ua=500.0) as rig:
                run_threshold(opened, prepared, rig.instruments, Unattended(), unheard, now=lambda: begun)
            (train,) = ledger_of(opened.journal, "R01", UTC).trains
            end = trial_at(opened, train.seq).measured.end_sample
            seen = MarkedDischarge(end + RATE_HZ, end + 6 * RATE_HZ)
            amend_afterdischarges(opened, train.seq, [seen], "Ada", "small spikes", utc=begun)
            with bench(at_once, threshold_ua=500.0) as rig, pytest.raises(UnsafeStimulus, match="the lock-out of"):
                run_threshold(opened, prepared, rig.instruments, Unattended(), unheard, now=lambda: begun)

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
