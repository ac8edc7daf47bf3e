"""What the review window shows and writes, without a window."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from detectors.criterion import Stimulus, Verdict
from kindle.amended import amended_rows
from kindle.errors import KindleError
from kindle.exchange import Trial
from kindle.gui.review.looking import Looking
from kindle.gui.review.opening import Entry, entries, session_part
from kindle.gui.review.reading import Mark, Reading, Said, difference
from kindle.gui.review.rejudging import Rejudging, choices
from kindle.loading import load
from kindle.session_view import sessions_in
from kindle.spreading import Heard, at_once
from kindle.study import open_study
from kindle.verification import verify_study
from tests.bench import bench, config, new_study, threshold
from tests.moments import Once, at_second

FIXTURES = Path(__file__).parents[2] / "fixtures"
SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    copied = tmp_path / "study"
    shutil.copytree(FIXTURES / "threshold", copied)
    return copied


@pytest.fixture
def looking(study: Path) -> object:
    opened = Looking(entries(study)[0])
    yield opened
    opened.close()


def at_the_discharge(looking: Looking) -> Looking:
    looking.jump(2)
    assert looking.draft is not None
    return looking


def rejudged(looking: Looking, preset: str) -> Reading:
    judging = Rejudging(looking.entry.path, preset, executors=lambda n, heard: at_once(heard))
    judging.join()
    assert judging.reading is not None, judging.error
    return judging.reading


def test_a_study_its_session_and_its_header_open_the_same_recording(study: Path) -> None:
    (of_study,) = entries(study)
    assert of_study.title == "sim-1  2026-01-05 09:30  threshold"
    assert entries(of_study.path) == [of_study]
    assert entries(of_study.path / "signal.vhdr") == [of_study]


def test_the_latest_session_is_the_first_in_the_list(tmp_path: Path) -> None:
    folder = new_study(tmp_path / "two")
    for _ in range(2):
        with bench(config(), threshold_ua=22.0) as rig:
            threshold(folder, config(), rig.instruments)
    found = entries(folder)
    assert [entry.session for entry in found] == sorted((entry.session for entry in found), reverse=True)


@pytest.mark.parametrize("what", ["missing.edf", "empty"])
def test_what_cannot_be_opened_is_told_in_a_sentence(tmp_path: Path, what: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(KindleError, match=what):
        Looking(entries(tmp_path / what)[0])


def test_trials_are_told_as_the_journal_has_them(looking: Looking) -> None:
    assert [stop.label for stop in looking.stops] == [
        "1  60 µA  none",
        "2  72 µA  none",
        "3  86.4 µA  afterdischarge 9.5 s",
    ]
    assert looking.step(1) is looking.stops[0]
    assert looking.step(-1) is looking.stops[0]
    assert looking.jump(99) is looking.stops[2]


def test_a_correction_is_written_beside_the_detectors_values_and_undoes_nothing(study: Path, looking: Looking) -> None:
    at_the_discharge(looking)
    assert looking.part is not None
    before = looking.part.trials[2].automatic
    assert looking.nudge(0.25) == before[0].onset_sample + 250
    assert looking.unsaved
    looking.save("A. Observer", "the first spike is an artefact")
    trial = looking.part.trials[2]
    assert trial.automatic == before
    assert trial.standing[0].onset_sample == before[0].onset_sample + 250
    assert [(one.author, one.reason) for one in trial.corrections] == [
        ("A. Observer", "the first spike is an artefact")
    ]
    assert looking.stops[2].label == "3  86.4 µA  afterdischarge 9.2 s, corrected"
    assert not looking.unsaved
    looking.back_to_detected()
    assert looking.draft is not None
    assert looking.draft.events == before
    assert looking.unsaved
    with open_study(study) as opened:
        (view,) = sessions_in(amended_rows(opened.journal))
        (written,) = sessions_in(opened.journal.rows())
    now, then = view.trials[2], written.trials[2]
    assert isinstance(now, Trial)
    assert isinstance(then, Trial)
    assert now.afterdischarges[0].onset_sample == then.afterdischarges[0].onset_sample + 250
    assert not list(verify_study(study))


def test_a_discharge_that_is_removed_makes_the_trial_none(looking: Looking) -> None:
    at_the_discharge(looking).unmark()
    assert looking.chosen is None
    looking.save("A. Observer", "movement only")
    assert looking.part is not None
    assert looking.part.trials[2].verdict is Verdict.NONE


def test_a_correction_that_contradicts_the_criterion_is_refused_and_nothing_is_written(
    study: Path, looking: Looking
) -> None:
    at_the_discharge(looking)
    assert looking.draft is not None
    journal = (study / "journal.sqlite").read_bytes()
    looking.draft.move(0, "end", looking.draft.events[0].onset_sample + 100)
    with pytest.raises(KindleError, match="criterion of this session takes"):
        looking.save("A. Observer", "short")
    assert looking.unsaved
    assert (study / "journal.sqlite").read_bytes() == journal


def test_the_edge_that_keys_move_follows_what_is_there(looking: Looking) -> None:
    at_the_discharge(looking)
    looking.choose(0, "end")
    looking.choose(5, "onset")
    assert looking.chosen == (0, "end")
    assert looking.draft is not None
    end = looking.draft.events[0].end_sample
    assert [looking.nudge(1e-9), looking.nudge(-1e-9)] == [end + 1, end]
    assert looking.mark_anew(end + 2000, end + 4000)
    assert looking.chosen == (1, "onset")
    assert not looking.mark_anew(end + 2500, end + 3000)
    looking.undo()
    assert looking.chosen == (0, "onset")


def test_another_criterion_is_compared_with_what_was_recorded(looking: Looking) -> None:
    looking.heard(rejudged(looking, "wagrij_gaers"))
    assert [reading.label for reading in looking.shown] == ["as recorded", "wagrij_gaers"]
    looking.jump(2)
    assert looking.comparison() == "wagrij_gaers − as recorded: onset +0.12 s, end +0.00 s, duration -0.12 s"
    looking.jump(0)
    assert looking.comparison() == "both find nothing"
    looking.heard(rejudged(looking, "wagrij_gaers"))
    assert len(looking.readings) == 2


def test_readings_that_disagree_say_who_finds_what() -> None:
    train = Stimulus(1000, 2000)
    said = (Said("A", train, "afterdischarge", ""), Said("A", Stimulus(50_000, 51_000), "none", ""))
    later = Mark("A", 60_000, 70_000, 0.9, "clear")
    one = Reading("one", (Mark("A", 2500, 9000, 0.9, "clear"), later), said)
    other = Reading("other", (Mark("B", 2500, 9000, 0.9, "clear"), later), said)
    assert difference(one, other, "A", train, 1000.0) == "only one finds a discharge"
    assert difference(other, one, "A", train, 1000.0) == "only one finds a discharge"
    assert difference(one, other, "A", None, 1000.0) == "other − one: onset +57.50 s, end +61.00 s, duration +3.50 s"


def test_after_a_gap_marks_lie_on_the_signal_and_go_back_to_the_samples_of_the_session(tmp_path: Path) -> None:
    folder = new_study(tmp_path / "gapped")
    with bench(config(), threshold_ua=22.0) as rig:
        threshold(folder, config(), rig.instruments, listener=Once(at_second(30), rig.board.faults.overrun_now))
    (entry,) = entries(folder)
    part = session_part(entry)
    assert part is not None
    assert len(part.starts) == 2
    n_lost = part.starts[1][1] - part.starts[1][0]
    assert n_lost >= 1
    with open_study(folder) as study:
        (view,) = study.sessions()
    signals = load(entry.path)
    checked = 0
    for trial, told in zip(part.trials, view.trials, strict=True):
        if trial.train is None or told.measured is None:
            continue
        ttl = signals.read(["TTL"], trial.train.onset_sample - 2, trial.train.onset_sample + 3)[0]
        assert ttl[0] < ttl[-1], "the line of the train stands where the TTL rises"
        assert part.in_session(trial.train.onset_sample) == told.measured.onset_sample
        checked += trial.train.onset_sample != told.measured.onset_sample
    assert checked, "no train came after the gap"


def test_a_lone_recording_is_scanned_and_its_findings_can_be_jumped_between(tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(FIXTURES / "threshold/recordings/sim-1/20260105_093000_threshold", alone)
    looking = Looking(Entry("alone", alone))
    try:
        assert looking.part is None
        assert looking.draft is None
        n_notes = len(looking.stops)
        looking.heard(rejudged(looking, choices()[0]))
        trains = [stop for stop in looking.stops if stop.train is not None]
        assert (len(trains), len(looking.stops)) == (3, 3 + n_notes)
        assert looking.jump(looking.stops.index(trains[2])) is trains[2]
        assert trains[2].label.endswith("afterdischarge")
        looking.save("nobody", "nothing")
        assert not looking.unsaved
    finally:
        looking.close()


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_a_seizure_in_an_edf_file_is_a_place_to_jump_to() -> None:
    looking = Looking(entries(SHARED / "recordings/rat_cortex_seizure.edf")[0])
    try:
        looking.heard(rejudged(looking, "wagrij_gaers"))
        looking.jump(next(n for n, stop in enumerate(looking.stops) if stop.channel))
        (said,) = looking.sayings()
        assert re.fullmatch(r"wagrij_gaers: \d+\.\d\d s, end \w+, confidence [01]\.\d\d", said)
    finally:
        looking.close()


def test_a_stop_of_the_judging_leaves_no_reading(looking: Looking) -> None:
    """In a process of its own, as the window does it."""
    judging = Rejudging(looking.entry.path, "wagrij_gaers")
    judging.cancel()
    judging.join()
    assert judging.cancelled
    assert judging.reading is None
    assert judging.error == ""


def test_what_goes_wrong_while_judging_is_told_in_one_sentence(tmp_path: Path) -> None:
    judging = Rejudging(tmp_path / "gone.edf", "wagrij_gaers", executors=lambda n, heard: at_once(heard))
    judging.join()
    assert judging.reading is None
    assert "gone.edf does not exist" in judging.error


def test_progress_is_heard_while_it_goes_on(looking: Looking) -> None:
    shares: list[float] = []

    class Listening(Rejudging):
        def _heard(self, key: object, share: float) -> None:
            super()._heard(key, share)
            shares.append(self.share)

    def here(n: int, heard: Heard) -> object:
        return at_once(heard)

    judging = Listening(looking.entry.path, "wagrij_gaers", executors=here)
    judging.join()
    assert shares == sorted(shares)
    assert np.ptp(shares) > 0.4
