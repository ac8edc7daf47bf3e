"""Drug tests, observations, alarms, practice and rigs at the window."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from at_window import AtWindow
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from kindle.gui.preferences import Preferences
from kindle.gui.training_page import KEYS
from kindle.gui.window import Window
from kindle.keeping import weigh
from kindle.protocols.drug_test import DrugTestStopped
from kindle.protocols.ptz import PtzObserved, Seen
from kindle.situation import Phase
from kindle.study import open_study
from tests.bench import bench, config, new_study, session_of
from tests.conducted import KINDLING
from tests.treatment_text import VALPROATE_200

DRUGS = (
    """
[syringe]
graduation_ml = 0.01
capacity_ml = 1.0
"""
    + VALPROATE_200
    + """\
[ptz.convulsant]
substance = "pentylenetetrazol"
amount_per_kg = 60.0
basis = "mg_salt"
mg_per_ml = 30.0
route = "s.c."
pretreatment_min = 0.0
"""
)


@contextmanager
def window_with(qtbot: QtBot, tmp_path: Path, text: str) -> Iterator[AtWindow]:
    study = new_study(tmp_path / "study", text)
    with open_study(study) as opened:
        weigh(opened, "R01", 253.0, datetime.now(UTC))
    with bench(config(), threshold_ua=40.0) as rig:
        yield AtWindow(qtbot, study, rig, tmp_path / "settings.ini")


def choose(at: AtWindow, protocol: str, treatment: str = "") -> None:
    start = at.window.start
    start.protocol.setCurrentIndex(start.protocol.findData(protocol))
    if treatment:
        start.treatment.setCurrentText(treatment)


def test_an_injection_shows_its_card_and_one_that_is_withheld_ends_the_test(qtbot: QtBot, tmp_path: Path) -> None:
    with window_with(qtbot, tmp_path, KINDLING + DRUGS) as at:
        choose(at, "ptz", "valproate 200")
        at.begin()
        at.until(lambda: at.page.question.isVisible())
        assert "draw 0.51 ml for 253 g" in at.page.next.doses
        assert "really given 201.6 mg/kg, 1.213 mmol/kg active" in at.page.next.doses
        assert "then 15 min" in at.page.next.doses
        assert at.page.question.chosen == ""
        at.press(Qt.Key.Key_Return)
        assert at.page.question.isVisible()
        at.press(Qt.Key.Key_W)
        assert at.page.question.chosen == "withheld"
        at.press(Qt.Key.Key_Return)
        at.until(lambda: at.over)
    outcome = session_of(tmp_path / "study").outcome
    assert not isinstance(outcome, DrugTestStopped | PtzObserved)


def test_what_the_course_forbids_today_takes_a_reason(qtbot: QtBot, tmp_path: Path) -> None:
    with window_with(qtbot, tmp_path, KINDLING + DRUGS) as at:
        choose(at, "drug-test", "valproate 200")
        start = at.window.start
        at.until(lambda: bool(start.refusal))
        assert not start.begin.isEnabled()
        at.qtbot.keyClicks(start.although, "pilot")
        at.qtbot.keyClick(start.although, Qt.Key.Key_Return)
        at.until(lambda: start.begin.isEnabled())
        assert start.order is not None
        assert start.order.although == "pilot"


def test_a_convulsant_is_observed_by_key_until_death(qtbot: QtBot, tmp_path: Path) -> None:
    with window_with(qtbot, tmp_path, KINDLING + DRUGS) as at:
        choose(at, "ptz")
        at.begin()
        at.until(lambda: at.page.question.isVisible())
        at.press(Qt.Key.Key_G)
        at.press(Qt.Key.Key_Return)
        at.until(lambda: at.phase is Phase.OBSERVING)
        assert at.page.controls.arm.isHidden()
        for key in (Qt.Key.Key_M, Qt.Key.Key_4, Qt.Key.Key_X, Qt.Key.Key_X):
            at.press(key)
        at.until(lambda: at.over)
    outcome = session_of(tmp_path / "study").outcome
    assert isinstance(outcome, PtzObserved)
    assert outcome.died
    assert outcome.worst == 4.0
    assert isinstance(outcome.items["myoclonic_twitch"], Seen)


def test_an_alarm_stands_on_the_screen_until_it_was_seen_and_after_the_session(qtbot: QtBot, tmp_path: Path) -> None:
    text = KINDLING + '[status]\nafter_s = 5.0\nrescue_text = "Give it."\n'
    with window_with(qtbot, tmp_path, text) as at:
        choose(at, "kindling")
        at.begin()
        at.give_train()
        at.hurry()
        at.until(lambda: "STATUS EPILEPTICUS" in at.page.alarm.text())
        assert "Give it." in at.page.alarm.text()
        assert at.page.alarm.isVisible()
        for key in (Qt.Key.Key_S, Qt.Key.Key_5):
            at.until(lambda key=key: at.page.question.choose(chr(key)))  # type: ignore[misc]
            at.press(Qt.Key.Key_Return)
        at.until(lambda: at.over)
        assert "STATUS EPILEPTICUS" in at.page.alarm.text()


def test_traces_are_read_by_key_and_the_agreement_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    window = Window(Preferences(tmp_path / "settings.ini"))
    qtbot.addWidget(window)
    window.show()
    window.train(4)
    page = window.training
    assert page is not None
    for _ in range(3):
        truth = page.training.clip().truth
        qtbot.keyClick(window, Qt.Key(ord(next(key for key, reading in KEYS.items() if reading is truth))))
        assert page.said.startswith("Right")
        qtbot.keyClick(window, Qt.Key.Key_Return)
    qtbot.keyClick(
        window, Qt.Key(ord(next(key for key, said in KEYS.items() if said is not page.training.clip().truth)))
    )
    assert page.said.startswith("No: ")
    assert page.score.startswith("3 of 4 right")


def test_without_a_study_the_window_offers_a_simulated_rat(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    window = Window(Preferences(tmp_path / "settings.ini"))
    qtbot.addWidget(window)
    window.show()
    window.study.open_demo()
    qtbot.waitUntil(lambda: window.start.animal == "rat-1", timeout=20_000)
    assert (tmp_path / "kindle-demo").is_dir()
    assert window.preferences.recent == ((tmp_path / "kindle-demo").resolve(),)


def test_the_emulated_rig_is_chosen_from_the_menu_and_connects(qtbot: QtBot, tmp_path: Path) -> None:
    """The real clients talk to an instrument in a process of its own."""
    study = new_study(tmp_path / "study")
    window = Window(Preferences(tmp_path / "settings.ini"), study=study, speed=50.0)
    qtbot.addWidget(window)
    window.show()
    window.study.choose_rig("emulated")
    qtbot.waitUntil(lambda: window.start.begin.isEnabled(), timeout=20_000)
    qtbot.mouseClick(window.start.begin, Qt.MouseButton.LeftButton)
    page, conductor = window.session, window.conductor
    assert page is not None
    assert conductor is not None
    qtbot.waitUntil(lambda: page.controls.arm.isEnabled(), timeout=40_000)
    window.stop()
    qtbot.waitUntil(lambda: conductor.shown.over, timeout=20_000)
    assert "confirmed that no current flows" in window.header.stop_said


def test_what_is_no_study_and_no_rig_is_refused_in_one_line(tmp_path: Path) -> None:
    for words, said in (
        (("--study", str(tmp_path)), "is not a study"),
        (("--rig", "nowhere.toml"), "no rig 'nowhere.toml'"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "kindle", "gui", *words], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1
        assert said in done.stderr
