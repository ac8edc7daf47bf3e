"""The window as a technician uses it: sessions clicked and typed through on the emulated instruments."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from at_window import UNHURRIED, AtWindow
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from drivers.simulated.faults import Faults
from kindle.behaviour import ItemStamp, StageStamp
from kindle.conducting import StopSaid
from kindle.exchange import Scored, VoidTrial
from kindle.gui.header import NO_STIMULATOR
from kindle.gui.preferences import Preferences
from kindle.gui.window import Window
from kindle.ledger_view import ledger_of
from kindle.protocols.kindling import KindlingDone
from kindle.protocols.threshold import ThresholdFound
from kindle.roster import read_roster
from kindle.session import utc_now
from kindle.situation import Phase
from kindle.study import open_study
from tests.bench import Rig, bench, config, new_study, session_of
from tests.conducted import KINDLING

KEYS = {
    Phase.RESTING: lambda at: None,
    Phase.READY: lambda at: None,
    Phase.ARMED: lambda at: at.arm(),
    Phase.WATCHING: lambda at: at.give_train(),
}


@pytest.fixture
def rig() -> Iterator[Rig]:
    with bench(config(), threshold_ua=26.0) as made:
        yield made


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return new_study(tmp_path / "study")


@pytest.fixture
def at(qtbot: QtBot, study: Path, rig: Rig, tmp_path: Path) -> AtWindow:
    return AtWindow(qtbot, study, rig, tmp_path / "settings.ini")


def test_a_whole_threshold_session_is_clicked_and_typed_through(at: AtWindow, study: Path, rig: Rig) -> None:
    assert at.window.start.animal == "R01"
    assert "DUE: threshold" in at.window.start.due
    at.begin()
    currents = []
    for _ in range(3):
        at.until(lambda: at.page.controls.arm.isEnabled())
        currents.append(at.page.next.current)
        at.window.set_speed(UNHURRIED)
        at.click(at.page.controls.arm)
        at.until(lambda: at.page.controls.fire.isEnabled())
        assert not at.page.controls.arm.isEnabled()
        at.click(at.page.controls.fire)
        at.until(lambda: at.phase is not Phase.ARMED)
        at.hurry()
    at.until(lambda: at.button_is_there("Back to the animals"))
    assert currents == ["20 µA", "24 µA", "28.8 µA"]
    assert [heard.n_pulses for heard in rig.rat.heard] == [50, 50, 50]
    outcome = session_of(study).outcome
    assert isinstance(outcome, ThresholdFound)
    assert outcome.rung_ua == pytest.approx(28.8)
    rows = at.page.next.rows
    assert [what for _, what in rows[:2]] == ["○ none", "○ none"]
    assert rows[2][1].startswith("▲ afterdischarge")
    assert at.page.traces is not None
    assert "afterdischarge" in at.page.traces.headline()[0]
    at.click(at.button("Back to the animals"))
    at.until(lambda: at.window.start.card is not None and at.window.start.card.threshold_ua is not None)
    assert "DUE: threshold" not in at.window.start.due


def test_the_same_session_needs_no_mouse(at: AtWindow, rig: Rig) -> None:
    at.until(lambda: at.window.start.begin.isEnabled())
    at.qtbot.keyClicks(at.window.start.search, "r01")
    at.qtbot.keyClick(at.window.start.search, Qt.Key.Key_Return)
    at.until(lambda: at.window.start.begin.isEnabled())
    assert at.window.start.begin.hasFocus()
    at.qtbot.keyClick(at.window.start.begin, Qt.Key.Key_Return)
    for _ in range(3):
        at.give_train()
        at.hurry()
    at.until(lambda: at.over)
    assert len(rig.rat.heard) == 3


def test_space_fires_nothing_that_is_not_armed(at: AtWindow, rig: Rig) -> None:
    at.begin()
    at.until(lambda: at.page.controls.arm.isEnabled())
    at.press(Qt.Key.Key_Space)
    at.until(lambda: at.window.header.told == "no train is armed; arm it first")
    assert at.phase is Phase.READY
    assert rig.rat.heard == []


@pytest.mark.parametrize("phase", list(KEYS))
def test_escape_stops_in_every_state_and_says_confirmed(at: AtWindow, phase: Phase, rig: Rig) -> None:
    if phase is Phase.RESTING:
        at.window.set_speed(UNHURRIED)
    at.begin()
    if phase is not Phase.RESTING:
        at.until(lambda: at.phase is Phase.READY)
        at.until(lambda: at.page.controls.arm.isEnabled())
        KEYS[phase](at)
    at.until(lambda: at.phase is phase)
    at.press(Qt.Key.Key_Escape)
    at.until(lambda: at.window.header.stop_said == StopSaid.CONFIRMED.value)
    at.until(lambda: at.over)
    heard = len(rig.rat.heard)
    at.until(lambda: at.button_is_there("Back to the animals"))
    assert len(rig.rat.heard) == heard
    assert not at.page.controls.arm.isEnabled()
    assert not at.page.controls.fire.isEnabled()


def test_the_red_button_stops_too_even_while_somebody_types(at: AtWindow) -> None:
    at.begin()
    at.until(lambda: at.phase is Phase.READY)
    at.press(Qt.Key.Key_N)
    assert at.page.note.isVisible()
    at.qtbot.keyClicks(at.page.note, "restless 5")
    at.click(at.window.header.stop)
    at.until(lambda: at.over)
    assert at.window.header.stop_said == StopSaid.CONFIRMED.value


def test_escape_stops_from_inside_a_field(at: AtWindow) -> None:
    at.begin()
    at.until(lambda: at.phase is Phase.READY)
    at.press(Qt.Key.Key_N)
    at.qtbot.keyClick(at.page.note, Qt.Key.Key_Escape)
    at.until(lambda: at.over)
    assert at.window.header.stop_said == StopSaid.CONFIRMED.value


def test_a_stop_without_a_session_says_that_nothing_is_connected(at: AtWindow) -> None:
    at.click(at.window.header.stop)
    assert at.window.header.stop_said == NO_STIMULATOR


def test_an_unconfirmed_stop_is_said_in_words(at: AtWindow, rig: Rig) -> None:
    at.begin()
    at.until(lambda: at.phase is Phase.READY)
    rig.device.inject(Faults(silent=True))
    at.press(Qt.Key.Key_Escape)
    at.until(lambda: at.window.header.stop_said == StopSaid.UNCONFIRMED.value)
    assert "by hand" in at.window.header.stop_said


def test_a_lost_board_is_said_on_the_screen_and_the_window_goes_on(at: AtWindow, rig: Rig) -> None:
    at.begin()
    at.until(lambda: at.phase is Phase.READY)
    rig.board.faults.unplug()
    at.until(lambda: "check cable and power" in at.page.alarm.text())
    assert at.page.alarm.isVisible()
    at.window.preferences.dark = True
    at.window.apply_look()
    rig.board.faults.replug()
    at.until(lambda: at.page.alarm.isHidden())
    at.until(lambda: at.page.controls.arm.isEnabled())
    at.give_train()
    at.until(lambda: len(rig.rat.heard) == 1)


def test_closing_in_mid_session_asks_makes_safe_and_leaves_a_session_that_resumes(
    at: AtWindow, study: Path, tmp_path: Path, rig: Rig
) -> None:
    at.begin()
    at.give_train()
    at.hurry()
    at.until(lambda: at.page.controls.arm.isEnabled())
    at.window.close()
    assert at.window.isVisible()
    at.click(at.button("Stay"))
    assert at.window.running
    at.window.close()
    at.click(at.button("Stop and close"))
    at.until(lambda: not at.window.isVisible())
    assert at.over
    view = session_of(study)
    assert view.outcome is None
    assert not view.unanswered
    assert len(view.trials) == 1
    with bench(config(), threshold_ua=26.0) as again:
        later = AtWindow(at.qtbot, study, again, tmp_path / "settings.ini")
        assert "goes on" in later.window.start.due
        later.begin()
        for _ in range(2):
            later.give_train()
            later.hurry()
        later.until(lambda: later.over)
        assert len(again.rat.heard) == 2
    assert isinstance(session_of(study).outcome, ThresholdFound)


@pytest.fixture
def kindling(qtbot: QtBot, tmp_path: Path) -> Iterator[AtWindow]:
    study = new_study(tmp_path / "study", KINDLING)
    with bench(config(), threshold_ua=40.0) as rig:
        at = AtWindow(qtbot, study, rig, tmp_path / "settings.ini")
        at.until(lambda: at.window.start.begin.isEnabled())
        at.window.start.protocol.setCurrentIndex(at.window.start.protocol.findData("kindling"))
        yield at


def test_stages_and_items_are_stamped_by_key_and_the_last_word_is_confirmed(kindling: AtWindow, tmp_path: Path) -> None:
    at = kindling
    at.begin()
    at.give_train()
    at.until(lambda: at.phase is Phase.WATCHING)
    for key in (Qt.Key.Key_1, Qt.Key.Key_F2, Qt.Key.Key_W, Qt.Key.Key_5):
        at.press(key)
    at.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    for key in (Qt.Key.Key_3, Qt.Key.Key_B, Qt.Key.Key_E):
        at.press(key)
    at.hurry()
    at.until(lambda: at.page.question.isVisible())
    assert at.page.question.chosen == "3"
    at.press(Qt.Key.Key_Right)
    assert at.page.question.chosen == "4"
    at.press(Qt.Key.Key_3)
    at.press(Qt.Key.Key_Return)
    at.until(lambda: at.over)
    view = session_of(tmp_path / "study")
    assert isinstance(view.outcome, KindlingDone)
    assert view.outcome.stimulations[0].stage == 3.0
    scored = next(e.reply for e in view.exchanges if isinstance(e.reply, Scored))
    kept = [stamp for stamp in scored.stamps if isinstance(stamp, StageStamp)]
    assert [stamp.stage for stamp in kept] == [1.0, 5.0, 3.0]
    items = [(stamp.item, stamp.edge) for stamp in scored.stamps if isinstance(stamp, ItemStamp)]
    assert items == [
        ("forelimb_clonus", "begins"),
        ("wet_dog_shake", "event"),
        ("generalised_clonus", "begins"),
        ("generalised_clonus", "ends"),
    ]


def test_the_result_of_the_eeg_can_wait_until_the_behaviour_is_scored(kindling: AtWindow) -> None:
    at = kindling
    at.window.preferences.hides_result = True
    at.begin()
    at.give_train()
    at.hurry()
    at.until(lambda: at.page.question.isVisible())
    page = at.page
    assert page.traces is not None
    assert page.traces.headline() == ("hidden until scored", "")
    assert page.next.rows == [("120", "hidden until scored")]
    assert not any("discharge" in one.name for one in page.controls.interlocks)
    at.press(Qt.Key.Key_5)
    at.press(Qt.Key.Key_Return)
    at.until(lambda: at.over)
    at.until(lambda: page.next.rows[0][1].startswith("▲ afterdischarge"))
    assert "afterdischarge" in page.traces.headline()[0]


def test_death_is_entered_by_pressing_its_key_twice(kindling: AtWindow) -> None:
    at = kindling
    at.begin()
    at.give_train()
    at.until(lambda: at.phase is Phase.WATCHING)
    at.press(Qt.Key.Key_X)
    assert "once more" in at.window.header.told
    conductor = at.window.conductor
    assert conductor is not None

    def marks() -> int:
        situation = conductor.shown.situation
        return 0 if situation is None else len(situation.marks)

    assert marks() == 0
    at.press(Qt.Key.Key_X)
    at.until(lambda: marks() == 1)


def test_a_barcode_that_is_no_animal_of_the_study_is_refused(at: AtWindow) -> None:
    start = at.window.start
    at.qtbot.keyClicks(start.search, "X99")
    at.qtbot.keyClick(start.search, Qt.Key.Key_Return)
    assert "is no animal of this study" in start.read_said
    assert start.animal == "R01"


def test_a_weight_is_entered_and_shown(at: AtWindow, study: Path) -> None:
    at.qtbot.keyClicks(at.window.start.weight, "251")
    at.qtbot.keyClick(at.window.start.weight, Qt.Key.Key_Return)
    at.until(lambda: at.window.header.told == "R01: 251 g entered.")
    with open_study(study) as opened:
        assert [weight.weight_g for weight in ledger_of(opened.journal, "R01", None).weights] == [251.0]


def test_what_forbids_a_session_stands_beside_the_button(at: AtWindow) -> None:
    start = at.window.start
    start.protocol.setCurrentIndex(start.protocol.findData("ptz"))
    at.until(lambda: bool(start.refusal))
    assert "[ptz]" in start.refusal
    assert not start.begin.isEnabled()


def test_the_window_remembers_its_look_and_its_size(qtbot: QtBot, tmp_path: Path) -> None:
    first = Window(Preferences(tmp_path / "settings.ini"))
    qtbot.addWidget(first)
    first.show()
    first.resize(760, 640)
    dark = next(action for action in first.findChildren(type(first.menuBar().actions()[0])) if action.text() == "&Dark")
    dark.trigger()
    first.close()
    again = Preferences(tmp_path / "settings.ini")
    assert again.dark
    second = Window(again)
    qtbot.addWidget(second)
    assert (second.width(), second.height()) == (760, 640)


def test_a_field_keeps_the_keys_that_are_typed_into_it(at: AtWindow) -> None:
    at.begin()
    at.until(lambda: at.phase is Phase.READY)
    at.press(Qt.Key.Key_N)
    note = at.page.findChild(QLineEdit)
    assert note is not None
    at.qtbot.keyClicks(at.page.note, "3 w")
    assert at.page.note.text() == "3 w"
    assert at.phase is Phase.READY


def test_a_note_is_written_beside_the_signal(kindling: AtWindow, tmp_path: Path) -> None:
    at = kindling
    at.begin()
    at.give_train()
    at.until(lambda: at.phase is Phase.WATCHING)
    at.press(Qt.Key.Key_N)
    at.qtbot.keyClicks(at.page.note, "cable touched")
    at.qtbot.keyClick(at.page.note, Qt.Key.Key_Return)
    at.hurry()
    at.until(lambda: at.page.question.isVisible())
    at.press(Qt.Key.Key_L)
    at.press(Qt.Key.Key_Return)
    at.until(lambda: at.over)
    scored = next(e.reply for e in session_of(tmp_path / "study").exchanges if isinstance(e.reply, Scored))
    assert scored.stage is None
    assert [stamp.item for stamp in scored.stamps if isinstance(stamp, ItemStamp)] == ["note: cable touched"]


def test_two_sessions_one_after_the_other_leave_nothing_behind(at: AtWindow, rig: Rig) -> None:
    at.begin()
    at.until(lambda: at.phase is Phase.READY)
    at.press(Qt.Key.Key_Escape)
    at.until(lambda: at.over)
    at.until(lambda: at.button_is_there("Back to the animals"))
    at.click(at.button("Back to the animals"))
    assert at.window.session is None
    assert at.window.start.isVisible()


def test_a_train_is_called_void_by_key_with_a_reason_and_a_name_and_its_current_comes_again(
    at: AtWindow, study: Path, rig: Rig
) -> None:
    at.begin()
    at.until(lambda: at.phase is Phase.READY)
    at.press(Qt.Key.Key_V)
    assert at.window.header.told == "No train was given yet that could be called void."
    at.give_train()
    at.until(lambda: at.phase is Phase.WATCHING)
    at.press(Qt.Key.Key_V)
    bar = at.page.void
    assert bar.reason.hasFocus()
    at.qtbot.keyClicks(bar.reason, "the plug was off")
    at.qtbot.keyClick(bar.reason, Qt.Key.Key_Return)
    assert bar.author.hasFocus()
    at.qtbot.keyClick(bar.author, Qt.Key.Key_Return)
    at.until(lambda: "must be named" in at.window.header.told)
    at.qtbot.keyClicks(bar.author, "Ada")
    at.qtbot.keyClick(bar.author, Qt.Key.Key_Return)
    assert not bar.isVisible()
    at.hurry()
    at.until(lambda: at.phase is Phase.READY)
    assert at.page.next.current == "20 µA"
    assert "called_void" in str(at.page.traces.headline()[0]).replace(" ", "_")  # type: ignore[union-attr]
    (void, *_) = session_of(study).trials
    assert isinstance(void, VoidTrial)
    assert void.reason == "called void by Ada: the plug was off"
    assert len(rig.rat.heard) == 1


def test_hiding_the_result_in_the_middle_of_a_trial_hides_what_is_already_shown(kindling: AtWindow) -> None:
    at = kindling
    at.begin()
    at.give_train()
    at.hurry()
    at.until(lambda: at.page.question.isVisible())
    traces = at.page.traces
    assert traces is not None
    assert "afterdischarge" in traces.headline()[0]
    at.window.switched("hides_result", True)
    at.until(lambda: traces.headline() == ("hidden until scored", ""))
    at.window.switched("hides_result", False)
    at.until(lambda: "afterdischarge" in traces.headline()[0])


def test_in_large_type_the_traces_keep_their_room_while_a_question_stands(kindling: AtWindow) -> None:
    at = kindling
    at.window.switched("large", True)
    at.window.resize(1280, 800)
    at.begin()
    at.give_train()
    for key in (Qt.Key.Key_1, Qt.Key.Key_F2, Qt.Key.Key_W, Qt.Key.Key_5):
        at.press(key)
    at.hurry()
    at.until(lambda: at.page.question.isVisible() and len(at.page.scoring.stamps.splitlines()) == 3)  # type: ignore[union-attr]
    assert at.window.height() == 800
    assert at.page.traces is not None
    assert at.page.traces.height() > 800 / 3.5


def test_how_old_the_picture_of_the_other_rigs_is_stands_above_the_animals(at: AtWindow, study: Path) -> None:
    start = at.window.start
    assert start.stale == ""
    roster = read_roster(study, utc_now())
    told = "the database cannot be reached: what the other rigs did is shown as it was known at 2026-11-02 08:10 UTC"
    start.show_roster(replace(roster, stale=told))
    assert start.stale == told
    assert any(label.isVisible() and label.text() == told for label in start.findChildren(QLabel))
    start.show_roster(roster)
    assert not any(label.isVisible() and "cannot be reached" in label.text() for label in start.findChildren(QLabel))
