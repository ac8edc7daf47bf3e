"""A trial read in another way by a person: what is refused, what is written, and what every view makes of it."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from detectors.criterion import Afterdischarge, EndGrade, Kind, Verdict
from kindle.amended import amended_rows
from kindle.amended import read_anew as read_anew_trial
from kindle.amending import amend_afterdischarges, reading_of, trial_at
from kindle.animal_rows import DischargesAmended, MarkedDischarge, TrialReading
from kindle.course_facts import last_threshold_ua
from kindle.errors import KindleError
from kindle.exchange import Trial
from kindle.experimenter import Unattended
from kindle.keeping import amend, score_trial
from kindle.ledger import Ledger
from kindle.ledger_view import ledger_of
from kindle.prepared import Prepared
from kindle.progress import unheard
from kindle.protocols.catalogue import describe_outcome
from kindle.protocols.threshold import ThresholdFound
from kindle.rows import Animal
from kindle.session import run_session
from kindle.session_view import sessions_in
from kindle.study import Study, open_study
from kindle.tracing import trace
from kindle.typed_readings import typed_reading
from kindle.verification import verify_study
from tests.bench import bench, config, new_study, threshold
from tests.moments import Died, dies
from tests.pure_animal import trial
from tests.reported_sessions import PLAN
from tests.test_kindling_sessions import DAILY

RATE_HZ = 2000.0
NOW = datetime(2027, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing at 20 and 24 uA, a discharge at 28.8 uA."""
    folder = new_study(tmp_path_factory.mktemp("tested") / "study")
    with bench(config(), threshold_ua=27.0) as rig:
        assert threshold(folder, config(), rig.instruments).outcome == ThresholdFound(24.0, pytest.approx(28.8))
    return folder


@pytest.fixture
def study(tested: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tested, tmp_path / "study"))


def trial_rows(study: Study) -> list[int]:
    return [train.seq for train in ledger(study).trains]


def ledger(study: Study) -> Ledger:
    return ledger_of(study.journal, "R01", UTC)


def at(trial: Trial, seconds: float) -> int:
    """Sample of so many seconds after the train."""
    return trial.measured.end_sample + round(seconds * trial.rate_hz)


def read_anew(study: Study, n: int, *spans_s: tuple[float, float], **how: object) -> DischargesAmended:
    seq = trial_rows(study)[n]
    trial = trial_at(study, seq)
    marked = [MarkedDischarge(at(trial, onset_s), at(trial, end_s)) for onset_s, end_s in spans_s]
    return amend_afterdischarges(study, seq, marked, "Ada", "video seen", utc=NOW, **how)  # type: ignore[arg-type]


class TestWhatIsWritten:
    def test_every_duration_convention_is_that_of_the_discharges_as_amended(self, study: Path) -> None:
        with open_study(study) as opened:
            seq = trial_rows(opened)[-1]
            read_anew(opened, -1, (1.0, 6.0), (8.0, 11.0))
            durations = trial_at(opened, seq).durations
            assert durations.from_train_end == 6.0
            assert durations.from_train_start == pytest.approx(7.0, abs=0.05)
            assert durations.from_first_spike == 5.0
            assert durations.total == 8.0
            assert durations.span == 10.0
            assert ledger(opened).trains[-1].discharge_s == 5.0

    def test_the_old_reading_stays_in_its_row_and_the_chain_is_whole(self, study: Path) -> None:
        with open_study(study) as opened:
            seq = trial_rows(opened)[-1]
            before = next(row for row in opened.journal.rows() if row.seq == seq)
            old = reading_of(trial_at(opened, seq))
            amended = read_anew(opened, -1, verdict=Verdict.NONE)
            assert (amended.old, amended.new) == (old, TrialReading(Verdict.NONE))
            assert next(row for row in opened.journal.rows() if row.seq == seq) == before
            last = opened.journal.rows()[-1]
            assert '"author":"Ada","reason":"video seen"' in last.payload
        assert verify_study(study) == []

    def test_what_the_detector_measured_of_the_spikes_stays_with_a_discharge_that_is_moved(self, study: Path) -> None:
        with open_study(study) as opened:
            seq = trial_rows(opened)[-1]
            (detected,) = trial_at(opened, seq).afterdischarges[:1]
            end_s = (detected.end_sample - trial_at(opened, seq).measured.end_sample) / RATE_HZ
            read_anew(opened, -1, (1.0, end_s))
            moved = trial_at(opened, seq).afterdischarges[0]
            assert (moved.n_spikes, moved.peak_uv) == (detected.n_spikes, detected.peak_uv)
            assert (moved.kind, moved.end_grade) == (Kind.PRIMARY, detected.end_grade)

    def test_an_end_that_a_person_moved_is_not_cut_off_any_more(self) -> None:
        seen = trial(PLAN.train.at(100.0), Verdict.AFTERDISCHARGE, 10_000, 90_000)
        (event,) = seen.afterdischarges
        cut = replace(event, end_grade=EndGrade.TRUNCATED, latest_end_sample=95_000, earliest_onset_sample=11_001)
        seen = structs.replace(seen, afterdischarges=(cut,))

        def marked(onset: int, end: int) -> Afterdischarge:
            new = TrialReading(Verdict.AFTERDISCHARGE, (MarkedDischarge(onset, end),))
            return read_anew_trial(
                seen, DischargesAmended("R01", 1, reading_of(seen), new, "Ada", "x")
            ).afterdischarges[0]

        same, moved = marked(cut.onset_sample + 5, cut.end_sample), marked(cut.onset_sample, cut.end_sample - 5)
        assert (same.end_grade, same.latest_end_sample, same.earliest_onset_sample) == (
            EndGrade.TRUNCATED,
            95_000,
            None,
        )
        assert (moved.end_grade, moved.latest_end_sample, moved.earliest_onset_sample) == (EndGrade.CLEAR, None, 11_001)

    def test_a_discharge_that_the_detector_did_not_see_has_spikes_that_nobody_counted(self) -> None:
        seen = trial(PLAN.train.at(100.0), Verdict.NONE, 10_000, 90_000)
        new = TrialReading(Verdict.AFTERDISCHARGE, (MarkedDischarge(12_000, 20_000), MarkedDischarge(30_000, 35_000)))
        events = read_anew_trial(seen, DischargesAmended("R01", 1, reading_of(seen), new, "Ada", "x")).afterdischarges
        assert [(event.kind, event.n_spikes) for event in events] == [(Kind.PRIMARY, 0), (Kind.SECONDARY, 0)]

    def test_a_second_correction_names_the_first_and_is_the_one_that_counts(self, study: Path) -> None:
        with open_study(study) as opened:
            first = read_anew(opened, -1, (1.0, 6.0))
            second = read_anew(opened, -1, (1.0, 7.0))
            assert second.old == first.new
            assert ledger(opened).trains[-1].discharge_s == 6.0
            told = list(trace(opened, trial_rows(opened)[-1]))
        assert sum("amended from" in line for line in told) == 2
        assert "from first spike 6.000" in told[-1]

    def test_what_was_known_before_a_correction_is_still_told_as_it_was_then(self, study: Path) -> None:
        with open_study(study) as opened:
            read_anew(opened, 0, (1.0, 6.0))
            before = ledger_of(opened.journal, "R01", UTC, until=datetime(2027, 1, 5, 11, tzinfo=UTC))
        assert before.trains[0].verdict is Verdict.NONE


class TestWhatFollows:
    def test_a_discharge_found_at_a_lower_current_lowers_the_threshold(self, study: Path) -> None:
        with open_study(study) as opened:
            read_anew(opened, 0, (1.0, 6.0))
            assert ledger(opened).thresholds[0].outcome == ThresholdFound(0.0, 20.0)
            assert last_threshold_ua(ledger(opened)) == 20.0
            (view,) = sessions_in(amended_rows(opened.journal))
            assert view.outcome == ThresholdFound(0.0, 20.0)
            assert [trial.verdict.value for trial in view.trials] == ["afterdischarge", "none", "afterdischarge"]
            (as_run,) = opened.sessions()
            assert as_run.outcome == ThresholdFound(24.0, pytest.approx(28.8))

    def test_without_its_discharge_the_animal_has_no_threshold(self, study: Path) -> None:
        with open_study(study) as opened:
            read_anew(opened, -1)
            assert last_threshold_ua(ledger(opened)) is None
            assert ledger(opened).n_afterdischarges == 0

    def test_an_undetermined_reading_leaves_no_duration(self, study: Path) -> None:
        with open_study(study) as opened:
            read_anew(opened, -1, verdict=Verdict.UNDETERMINED)
            train = ledger(opened).trains[-1]
            assert (train.verdict, train.discharge_s) == (Verdict.UNDETERMINED, None)
            assert "durations: not known" in list(trace(opened, train.seq))[-1]


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("spans_s", "why"),
        [
            (((6.0, 6.0),), r"ends at 6\.000 s, not after its onset 6\.000 s"),
            (((6.0, 2.0),), "not after its onset"),
            (((-0.5, 6.0),), "before the train has ended"),
            (((1.0, 900.0),), "no signal of this trial any more"),
            (((1.0, 6.0), (5.0, 9.0)), "begins before the one ahead of it has ended"),
            (((8.0, 12.0), (1.0, 6.0)), "in the order of time"),
            (((11.0, 15.0),), "takes one that begins within 10 s, so the trial is none"),
            (((1.0, 3.5),), r"is 2\.500 s long; .* takes 3 s or more, so the trial is none"),
        ],
    )
    def test_marks_that_contradict_the_trial(
        self, study: Path, spans_s: tuple[tuple[float, float], ...], why: str
    ) -> None:
        with open_study(study) as opened:
            before = len(opened.journal.rows())
            with pytest.raises(KindleError, match=why):
                read_anew(opened, -1, *spans_s)
            assert len(opened.journal.rows()) == before

    def test_a_discharge_that_reaches_into_the_next_train(self, study: Path) -> None:
        with open_study(study) as opened, pytest.raises(KindleError, match="no signal of this trial any more"):
            read_anew(opened, 0, (1.0, 29.5))

    def test_a_verdict_that_its_marks_contradict(self, study: Path) -> None:
        with open_study(study) as opened:
            with pytest.raises(KindleError, match="an afterdischarge needs an onset and an end"):
                read_anew(opened, 0, verdict=Verdict.AFTERDISCHARGE)
            with pytest.raises(KindleError, match="with a discharge marked in it is not undetermined"):
                read_anew(opened, 0, (1.0, 6.0), verdict=Verdict.UNDETERMINED)

    def test_a_reading_that_changes_nothing(self, study: Path) -> None:
        with open_study(study) as opened, pytest.raises(KindleError, match="is read so already"):
            read_anew(opened, 0)

    def test_a_row_that_is_no_trial_and_a_trial_of_another_animal(self, study: Path) -> None:
        with open_study(study) as opened:
            opened.add_animal(Animal("R02"), NOW)
            with pytest.raises(KindleError, match="is one of R01, not of R02"):
                read_anew(opened, 0, (1.0, 6.0), animal="R02")
            for seq in (1, 10_000):
                with pytest.raises(KindleError, match=f"journal row {seq} is no trial"):
                    amend_afterdischarges(opened, seq, (), "Ada", "seen", utc=NOW)
            with pytest.raises(KindleError, match="is about R02, not about R01"):
                amend(opened, opened.journal.rows()[-1].seq, "strain", "Wistar", "Ada", "asked", NOW, animal="R01")

    def test_a_reading_that_nobody_answers_for(self, study: Path) -> None:
        with open_study(study) as opened:
            seq = trial_rows(opened)[0]
            for author, reason in (("", "seen"), ("Ada", "  ")):
                with pytest.raises(KindleError, match=r"give --by NAME|needs a reason"):
                    amend_afterdischarges(opened, seq, (), author, reason, utc=NOW)

    def test_a_trial_whose_session_is_not_over(self, tmp_path: Path) -> None:
        folder = new_study(tmp_path / "open")
        with bench(config()) as rig, pytest.raises(Died):
            threshold(folder, config(), rig.instruments, listener=dies(50.0))
        with open_study(folder) as opened, pytest.raises(KindleError, match="is not over, and its protocol decides"):
            read_anew(opened, 0, (1.0, 6.0))


class TestTyped:
    def test_seconds_from_the_end_of_the_train(self, study: Path) -> None:
        with open_study(study) as opened:
            trial = trial_at(opened, trial_rows(opened)[-1])
        first = reading_of(trial).discharges[0]
        assert typed_reading(trial, "end", "7.5").discharges[0] == MarkedDischarge(first.onset_sample, at(trial, 7.5))
        assert typed_reading(trial, "onset", "0.25").discharges[0] == MarkedDischarge(at(trial, 0.25), first.end_sample)
        assert typed_reading(trial, "discharges", "1-5, 7.5-11") == TrialReading(
            Verdict.AFTERDISCHARGE,
            (MarkedDischarge(at(trial, 1), at(trial, 5)), MarkedDischarge(at(trial, 7.5), at(trial, 11))),
        )
        assert typed_reading(trial, "verdict", "undetermined") == TrialReading(Verdict.UNDETERMINED)

    @pytest.mark.parametrize(
        ("key", "value", "why"),
        [
            ("end", "late", "'late' is no time"),
            ("end", "nan", "is no time"),
            ("end", "-3", "is no time"),
            ("discharges", "5", "give ONSET-END"),
            ("discharges", "2--5", "'-5' is no time"),
            ("verdict", "maybe", "there are: afterdischarge, none, undetermined"),
        ],
    )
    def test_what_cannot_be_understood_is_said(self, study: Path, key: str, value: str, why: str) -> None:
        with open_study(study) as opened:
            trial = trial_at(opened, trial_rows(opened)[-1])
        with pytest.raises(KindleError, match=why):
            typed_reading(trial, key, value)

    def test_a_trial_without_a_discharge_has_no_end_to_move(self, study: Path) -> None:
        with open_study(study) as opened:
            trial = trial_at(opened, trial_rows(opened)[0])
        with pytest.raises(KindleError, match="has no discharge with an end"):
            typed_reading(trial, "end", "5")


def test_a_stage_entered_later_stands_in_the_outcome_of_its_session(tmp_path: Path) -> None:
    folder = new_study(tmp_path / "study")
    with bench(config()) as rig, open_study(folder) as opened:
        prepared = Prepared("R01", structs.replace(DAILY, trains=1), (), config().limits, "simulated", simulated=True)
        run_session(opened, prepared, rig.instruments, Unattended(), unheard)
        scored = score_trial(opened, "R01", 3.0, "Ada", NOW)
        (as_run,), (as_amended,) = opened.sessions(), opened.sessions(amended=True)
        assert "not scored" in describe_outcome(as_run.outcome)  # type: ignore[arg-type]
        assert "stage 3 on racine_1972@1" in describe_outcome(as_amended.outcome)  # type: ignore[arg-type]
        row = opened.journal.rows()[-1].seq
        amend(opened, row, "stage", 4.0, "Bob", "video seen again", NOW)
        (again,) = opened.sessions(amended=True)
        assert "stage 4 on racine_1972@1" in describe_outcome(again.outcome)  # type: ignore[arg-type]
        assert scored.stage == 3.0
