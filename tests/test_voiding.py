"""A trial that a person calls void: in its session, where the protocol goes on from it, and by a correction later."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from detectors.criterion import Verdict
from kindle.amended import amended_rows
from kindle.cli import kindle
from kindle.conducting import Conductor, Shown
from kindle.desk import Act, Desk, NotAsked
from kindle.errors import ConfigError
from kindle.exchange import Dose, Inject, Injected, Trial, VoidTrial
from kindle.experimenter import VoidCalled
from kindle.ordering import Order
from kindle.progress import unheard
from kindle.protocols.catalogue import describe_outcome
from kindle.protocols.kindling import KindlingStopped
from kindle.protocols.threshold import Aborted, ThresholdFound
from kindle.session import utc_now
from kindle.session_record import SessionJournal
from kindle.session_view import SessionView, sessions_in
from kindle.situation import Phase
from kindle.study import open_study
from kindle.tracing import trace
from kindle.verification import verify_study
from kindle.voiding import Voider, Voiding
from tests.bench import Rig, bench, config, new_study, session_of, threshold
from tests.conducted import KINDLING, Deed, Hand, conducted, pressed
from tests.reported_sessions import PLAN

PLUG = Voiding("Ada", "the plug was off")
INTERVAL_S = 30.0


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


@pytest.fixture
def rig() -> Iterator[Rig]:
    with bench(config(), threshold_ua=27.0) as made:
        yield made


class Hasty(Hand):
    """Presses Arm at once, also where that is refused."""

    def __call__(self, first_sample: int, block: Any) -> None:
        with suppress(NotAsked):
            super().__call__(first_sample, block)


def once(phase: Phase, n_trials: int, do: Callable[[Conductor], None] = lambda conductor: conductor.void(PLUG)) -> Deed:
    done: list[bool] = []

    def deed(conductor: Conductor, shown: Shown) -> None:
        now = shown.situation
        if not done and now is not None and now.phase is phase and len(now.trials) == n_trials:
            done.append(True)
            do(conductor)

    return deed


def currents(view: SessionView) -> list[str]:
    return [f"{'void ' * isinstance(trial, VoidTrial)}{trial.train.current_ua:.4g}" for trial in view.trials]


def intervals_s(view: SessionView) -> list[float]:
    onsets = [trial.measured.onset_sample for trial in view.trials if trial.measured is not None]
    return [(later - earlier) / 2000.0 for earlier, later in pairwise(onsets)]


@pytest.mark.parametrize(
    ("phase", "n_trials"), [(Phase.TRAIN, 1), (Phase.WATCHING, 1), (Phase.RESTING, 2), (Phase.READY, 2)]
)
def test_the_current_of_a_trial_that_is_called_void_is_given_again_after_the_interval(
    study: Path, rig: Rig, phase: Phase, n_trials: int
) -> None:
    conductor = conducted(study, rig.instruments, Hasty(once(phase, n_trials)))
    view = session_of(study)
    assert view.outcome == ThresholdFound(24.0, pytest.approx(28.8))  # type: ignore[arg-type]
    assert currents(view) == ["20", "void 24", "24", "28.8"]
    assert len(rig.rat.heard) == 4
    assert min(intervals_s(view)) >= INTERVAL_S
    situation = conductor.shown.situation
    assert situation is not None
    assert list(situation.trials) == view.trials
    assert verify_study(study) == []


def test_the_wait_that_is_of_no_use_any_more_ends_at_once(study: Path, rig: Rig) -> None:
    waited: list[float] = []

    def void(conductor: Conductor) -> None:
        situation = conductor.shown.situation
        assert situation is not None
        assert situation.remaining_s is not None
        waited.append(situation.remaining_s)
        conductor.void(PLUG)

    conducted(study, rig.instruments, Hand(once(Phase.RESTING, 1, void)))
    view = session_of(study)
    assert waited[0] > 10.0
    first, second = view.trials[:2]
    assert isinstance(first, VoidTrial)
    assert isinstance(second, Trial)
    assert INTERVAL_S <= (second.measured.onset_sample - first.last_sample) / 2000.0 < INTERVAL_S + waited[0] / 2


def test_the_row_of_the_trial_stays_and_the_correction_names_who_and_why(study: Path, rig: Rig) -> None:
    conducted(study, rig.instruments, Hand(once(Phase.WATCHING, 0)))
    with open_study(study) as opened:
        rows = opened.journal.rows()
        (correction,) = [row for row in rows if row.kind == "trial_voided"]
        first = next(row for row in rows if row.kind == "answered" and '"trial"' in row.payload)
        assert '"verdict":"none"' in first.payload
        assert f'"row":{first.seq}' in correction.payload
        assert '"author":"Ada"' in correction.payload
        assert '"reason":"the plug was off"' in correction.payload
        told = list(trace(opened, first.seq))
    assert f"row {correction.seq}: called void by Ada: the plug was off" in told
    (void, *_) = session_of(study).trials
    assert isinstance(void, VoidTrial)
    assert (void.exposed, void.reason) == (True, "called void by Ada: the plug was off")
    assert void.measured is not None
    assert void.delivered is not None
    notes = [row for row in rows if row.kind == "behaviour_marked"]
    assert ["Ada calls the last train void: the plug was off" in row.payload for row in notes] == [True]


def test_a_session_with_a_void_reads_the_same_with_and_without_later_corrections(study: Path, rig: Rig) -> None:
    conducted(study, rig.instruments, Hand(once(Phase.RESTING, 2)))
    with open_study(study) as opened:
        (as_run,), (amended,) = sessions_in(opened.journal.rows()), sessions_in(amended_rows(opened.journal))
        assert (as_run.outcome, currents(as_run)) == (amended.outcome, currents(amended))
        last = as_run.reply_seqs[-1]
    amend(study, str(last), "verdict", "none")
    with open_study(study) as opened:
        (amended,) = sessions_in(amended_rows(opened.journal))
    assert describe_outcome(amended.outcome).startswith(  # type: ignore[arg-type]
        "stopped: as amended, the readings ask for a train that was never given; threshold > 28.8 uA"
    )


def test_a_void_train_with_a_discharge_ends_the_series_and_locks_the_animal(study: Path, rig: Rig) -> None:
    """Nobody knows what a discharge was that a void train evoked; but the animal may have had one."""
    conducted(study, rig.instruments, Hand(once(Phase.WATCHING, 2)))
    view = session_of(study)
    assert isinstance(view.outcome, Aborted)
    assert view.outcome.reason == "a void train evoked an afterdischarge: called void by Ada: the plug was off"
    assert view.trials[-1].verdict is Verdict.AFTERDISCHARGE
    assert view.perhaps_discharged


def test_a_kindling_train_is_never_given_again_and_counts_as_no_trial(study: Path) -> None:
    (study / "study.toml").write_text(KINDLING, encoding="utf-8")

    def deed(conductor: Conductor, shown: Shown) -> None:
        if shown.question is not None and not pressed(shown):
            if not asked:
                conductor.void(PLUG)
            asked.append(shown.question.text)
            conductor.answer("3")

    asked: list[str] = []
    with bench(config(), threshold_ua=200.0) as rig:
        conducted(study, rig.instruments, Hand(deed), Order("kindling", "R01"))
    view = session_of(study)
    assert isinstance(view.outcome, KindlingStopped)
    assert view.outcome.reason == "the train was void: called void by Ada: the plug was off"
    assert len(rig.rat.heard) == 1
    assert len(asked) == 2


def test_the_stage_of_a_train_that_is_void_already_is_asked_once(study: Path) -> None:
    (study / "study.toml").write_text(KINDLING, encoding="utf-8")
    asked: list[str] = []
    void = once(Phase.WATCHING, 0)

    def deed(conductor: Conductor, shown: Shown) -> None:
        void(conductor, shown)
        if shown.question is not None:
            asked.append(shown.question.text)
            conductor.answer("later")

    with bench(config(), threshold_ua=200.0) as rig:
        conducted(study, rig.instruments, Hand(deed), Order("kindling", "R01"))
    assert len(asked) == 1
    assert currents(session_of(study)) == ["void 120"]


def test_interrupted_behind_a_void_the_session_goes_on_from_it(study: Path, rig: Rig) -> None:
    def void_then_stop(conductor: Conductor, shown: Shown) -> None:
        once_voided(conductor, shown)
        now = shown.situation
        if now is not None and any(isinstance(trial, VoidTrial) for trial in now.trials):
            conductor.stop()

    once_voided = once(Phase.WATCHING, 1)
    conducted(study, rig.instruments, Hand(void_then_stop))
    assert session_of(study).outcome is None
    with bench(config(), threshold_ua=27.0) as again:
        resumed = conducted(study, again.instruments, Hand())
    assert resumed.shown.ended is not None
    assert resumed.shown.ended.finished, resumed.shown.ended.said
    assert currents(session_of(study)) == ["20", "void 24", "24", "28.8"]


def test_the_last_train_before_an_interruption_can_be_called_void_when_it_goes_on(study: Path, rig: Rig) -> None:
    conducted(study, rig.instruments, Hand(once(Phase.RESTING, 2, Conductor.stop)))
    with bench(config(), threshold_ua=27.0) as again:
        conducted(study, again.instruments, Hand(once(Phase.RESTING, 2)))
    assert currents(session_of(study)) == ["20", "void 24", "24", "28.8"]


def test_nothing_is_called_void_before_a_train_twice_or_while_the_next_is_armed(study: Path, rig: Rig) -> None:
    refused: list[str] = []

    def tries(conductor: Conductor) -> None:
        with pytest.raises(NotAsked) as why:
            conductor.void(PLUG)
        refused.append(str(why.value).partition(":")[0])

    deeds = [
        once(Phase.RESTING, 0, tries),
        once(Phase.READY, 0, tries),
        once(Phase.ARMED, 1, tries),
        once(Phase.WATCHING, 1),
        once(Phase.READY, 2, tries),
    ]

    def deed(conductor: Conductor, shown: Shown) -> None:
        for one in deeds:
            one(conductor, shown)

    conductor = conducted(study, rig.instruments, Hand(deed))
    nothing = "no train can be called void now"
    assert refused == [nothing, nothing, "a train is armed", nothing]
    with pytest.raises(NotAsked, match="the session is over"):
        conductor.void(PLUG)
    assert currents(session_of(study)) == ["20", "void 24", "24", "28.8"]


@pytest.mark.parametrize("nobody", [Voiding("", "plug"), Voiding("Ada", " ")])
def test_a_void_needs_a_name_and_a_reason(nobody: Voiding) -> None:
    desk = Desk()
    desk.offer_void(True)
    with pytest.raises(ConfigError):
        desk.void(nobody)
    assert not desk.wants_void()


def test_the_next_train_is_not_armed_while_the_last_one_is_being_called_void() -> None:
    desk = Desk()
    desk.offer_void(True)
    armed = desk.arm(PLAN.train.at(20.0))
    desk.void(PLUG)
    with pytest.raises(NotAsked, match="being called void"):
        desk.press(Act.ARM)
    with pytest.raises(VoidCalled):
        armed()


def test_behind_an_injection_the_train_before_it_cannot_be_called_void(study: Path, rig: Rig) -> None:
    """What the animal was given since then followed from that trial."""
    threshold(study, config(), rig.instruments)
    desk, dose = Desk(), Dose("saline", "", 0.0, "i.p.", 0.0)
    with open_study(study) as opened:
        session = session_of(study).id
        voider = Voider(desk, opened, SessionJournal(opened.journal, session, utc_now), session, unheard)
        desk.void(PLUG)
        assert desk.take_void() == PLUG
        injected = voider.before(lambda request: Injected(dose, 1))
        assert injected(Inject(dose)) == Injected(dose, 1)
        with pytest.raises(NotAsked, match="an injection followed"):
            desk.void(PLUG)


class TestAfterTheSession:
    @pytest.fixture
    def over(self, study: Path, rig: Rig) -> Path:
        """Nothing at 20 and 24 uA, a discharge at 28.8 uA."""
        threshold(study, config(), rig.instruments)
        return study

    def test_the_outcome_is_what_the_protocol_makes_of_the_other_trials(self, over: Path) -> None:
        with open_study(over) as opened:
            rows = session_of(over).reply_seqs
            row = rows[[isinstance(e.reply, Trial) for e in session_of(over).exchanges].index(True)]
            before = opened.journal.rows()
        told = amend(over, str(row), "verdict", "void")
        assert told.startswith(f"row {row}: the trial is void from now on; {session_of(over).id}: stopped: as amended")
        with open_study(over) as opened:
            assert opened.journal.rows()[: len(before)] == before
            (as_run,) = opened.sessions()
            (amended,) = opened.sessions(amended=True)
        assert currents(as_run) == ["20", "24", "28.8"]
        assert currents(amended) == ["void 20", "24", "28.8"]
        assert isinstance(amended.outcome, Aborted)
        assert verify_study(over) == []

    def test_what_is_void_already_and_another_animals_trial_are_refused(self, over: Path) -> None:
        (last,) = session_of(over).reply_seqs[-1:]
        assert "is one of R01, not of R02" in amend(over, str(last), "verdict", "void", "--animal", "R02", code=1)
        amend(over, str(last), "verdict", "void")
        assert "is void (called void by Ada: the plug was off)" in amend(over, str(last), "verdict", "void", code=1)
        assert "is void (called void by Ada" in amend(over, str(last), "verdict", "none", code=1)


def amend(study: Path, row: str, key: str, value: str, *more: str, code: int = 0) -> str:
    said = ["--reason", "the plug was off", "--by", "Ada"]
    done = CliRunner().invoke(kindle, ["amend", "--study", str(study), row, key, value, *said, *more])
    output = done.output + (str(done.exception) if done.exception is not None else "")
    assert done.exit_code == code, output
    return output
