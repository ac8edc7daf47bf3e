"""The review window clicked and typed through: a study, its trials, another criterion, a correction, a figure."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyqtgraph
import pytest
from click.testing import CliRunner
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from kindle.cli import kindle
from kindle.errors import KindleError
from kindle.gui.look import LIGHT, Look, look
from kindle.gui.review.asking import Questions, Signature, SignatureDialog
from kindle.gui.review.opening import entries, session_part
from kindle.gui.review.panel import SignalPanel
from kindle.gui.review.stacked import bands
from kindle.gui.review.time_axis import spacings, times_told
from kindle.gui.review.window import ReviewWindow
from kindle.spreading import at_once

FIXTURES = Path(__file__).parents[2] / "fixtures"


@dataclass
class Answers:
    """What the person says to the questions of the window, and what was asked."""

    file: Path | None = None
    figure: Path | None = None
    signature: Signature | None = None
    discard: bool = False
    asked: list[str] = field(default_factory=list)

    def questions(self) -> Questions:
        def signed(parent: QWidget, what: str, author: str) -> Signature | None:
            self.asked.append(what)
            return self.signature

        def discarded(parent: QWidget, what: str) -> bool:
            self.asked.append(what)
            return self.discard

        return Questions(lambda _: self.file, lambda _: self.file, lambda *_: self.figure, signed, discarded)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    copied = tmp_path / "study"
    shutil.copytree(FIXTURES / "threshold", copied)
    return copied


@pytest.fixture
def window(qtbot: QtBot, study: Path, answers: Answers) -> Iterator[ReviewWindow]:
    made = ReviewWindow(LIGHT, questions=answers.questions(), executors=lambda n, heard: at_once(heard))
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow, timeout=10_000)
    made.open_path(study)
    yield made
    answers.discard = True
    made.close()


def bounds(window: ReviewWindow) -> tuple[int, int]:
    assert window.looking is not None
    assert window.looking.draft is not None
    (event,) = window.looking.draft.events
    return event.onset_sample, event.end_sample


def to_the_discharge(window: ReviewWindow, qtbot: QtBot) -> tuple[int, int]:
    qtbot.keyClick(window.panel, Qt.Key.Key_PageDown)
    qtbot.keyClick(window.panel, Qt.Key.Key_PageDown)
    return bounds(window)


def test_a_study_is_opened_at_its_first_trial(window: ReviewWindow) -> None:
    assert window.heading.text() == "1  60 µA  none"
    assert [window.stops.item(row).text() for row in range(window.stops.count())][
        2
    ] == "3  86.4 µA  afterdischarge 9.5 s"
    assert not window.trial.save.isEnabled()
    first_s, last_s = window.panel.span_s
    assert (first_s, last_s) == (pytest.approx(1.004), pytest.approx(27.004))


def test_an_edge_is_moved_by_keys_and_the_detectors_value_stays_beside_it(window: ReviewWindow, qtbot: QtBot) -> None:
    onset, end = to_the_discharge(window, qtbot)
    assert window.trial.marked.text().splitlines()[0].endswith("(as detected)")
    assert "as recorded: afterdischarge; 9.46 s, end clear, confidence 0." in window.trial.sayings.text()
    qtbot.keyClick(window.panel, Qt.Key.Key_Period)
    assert bounds(window) == (onset + 10, end)
    qtbot.keyClick(window.panel, Qt.Key.Key_E)
    qtbot.keyClick(window.panel, Qt.Key.Key_Comma)
    qtbot.keyClick(window.panel, Qt.Key.Key_Less)
    assert bounds(window) == (onset + 10, end - 11)
    assert "(detector: 0.435 to 9.890 s after the train, 9.455 s long)" in window.trial.marked.text()
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert bounds(window) == (onset + 10, end - 10)
    qtbot.mouseClick(window.trial.back, Qt.MouseButton.LeftButton)
    assert bounds(window) == (onset, end)
    assert not window.trial.save.isEnabled()


def test_an_edge_is_dragged_with_the_mouse(window: ReviewWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    # This hand is faster than any person's: no move of it is to be passed over.
    monkeypatch.setitem(pyqtgraph.CONFIG_OPTIONS, "mouseRateLimit", -1)
    onset, end = to_the_discharge(window, qtbot)
    viewport, (first_s, last_s) = window.panel.viewport(), window.panel.span_s

    begin, target = window.panel.place(onset / 1000), window.panel.place(onset / 1000 + 2.0)
    steps = [begin + (target - begin) * step / 8 for step in range(9)]
    for what, button, place in (
        (QEvent.Type.MouseMove, Qt.MouseButton.NoButton, begin),
        (QEvent.Type.MouseButtonPress, Qt.MouseButton.LeftButton, begin),
        *((QEvent.Type.MouseMove, Qt.MouseButton.LeftButton, step) for step in steps),
        (QEvent.Type.MouseButtonRelease, Qt.MouseButton.LeftButton, target),
    ):
        moved = what == QEvent.Type.MouseMove
        held = button if what != QEvent.Type.MouseButtonRelease else Qt.MouseButton.NoButton
        told = Qt.MouseButton.NoButton if moved else button
        place_f, globally = QPointF(place), QPointF(viewport.mapToGlobal(place))
        event = QMouseEvent(what, place_f, globally, told, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(viewport, event)
    seconds_per_pixel = (last_s - first_s) / viewport.width()
    assert bounds(window)[0] == pytest.approx(onset + 2000, abs=3000 * seconds_per_pixel)
    assert bounds(window)[1] == end
    assert window.looking is not None
    assert window.looking.chosen == (0, "onset")


def test_a_correction_is_signed_and_written(window: ReviewWindow, qtbot: QtBot, answers: Answers, study: Path) -> None:
    to_the_discharge(window, qtbot)
    qtbot.keyClick(window.panel, Qt.Key.Key_Period)
    qtbot.mouseClick(window.trial.save, Qt.MouseButton.LeftButton)
    part = session_part(entries(study)[0])
    assert part is not None
    assert part.trials[2].corrections == (), "without a signature nothing is written"
    answers.signature = Signature("A. Observer", "first spike missed")
    qtbot.mouseClick(window.trial.save, Qt.MouseButton.LeftButton)
    part = session_part(entries(study)[0])
    assert part is not None
    assert [one.author for one in part.trials[2].corrections] == ["A. Observer"]
    assert window.stops.item(2).text().endswith(", corrected")
    assert "corrected by A. Observer: first spike missed" in window.trial.marked.text()
    assert not window.trial.save.isEnabled()


def test_a_refused_correction_is_told_and_stays_on_the_screen(
    window: ReviewWindow, qtbot: QtBot, answers: Answers
) -> None:
    onset, _ = to_the_discharge(window, qtbot)
    assert window.looking is not None
    assert window.looking.draft is not None
    window.looking.draft.move(0, "end", onset + 50)
    window.trial.verdict.activated.emit(0)
    answers.signature = Signature("A. Observer", "short")
    qtbot.mouseClick(window.trial.save, Qt.MouseButton.LeftButton)
    assert "the criterion of this session takes" in window.statusBar().currentMessage()
    assert bounds(window) == (onset, onset + 50)


def test_a_trial_without_a_discharge_can_be_called_undetermined(
    window: ReviewWindow, answers: Answers, study: Path
) -> None:
    assert window.trial.verdict.isEnabled()
    window.trial.verdict.setCurrentText("undetermined")
    window.trial.verdict.activated.emit(2)
    answers.signature = Signature("A. Observer", "cable moved")
    window.trial.save.click()
    part = session_part(entries(study)[0])
    assert part is not None
    assert part.trials[0].verdict == "undetermined"
    assert window.heading.text() == "1  60 µA  undetermined, corrected"


def test_what_is_not_saved_is_asked_about_before_it_is_left(
    window: ReviewWindow, qtbot: QtBot, answers: Answers
) -> None:
    onset, end = to_the_discharge(window, qtbot)
    qtbot.keyClick(window.panel, Qt.Key.Key_Period)
    qtbot.keyClick(window.panel, Qt.Key.Key_PageUp)
    assert answers.asked == ["The correction of trial 3 is not saved. Discard it?"]
    assert bounds(window) == (onset + 10, end)
    assert window.stops.currentRow() == 2
    assert not window.close()
    answers.discard = True
    qtbot.keyClick(window.panel, Qt.Key.Key_PageUp)
    assert window.heading.text() == "2  72 µA  none"


def test_another_criterion_is_judged_in_the_background_and_compared(window: ReviewWindow, qtbot: QtBot) -> None:
    to_the_discharge(window, qtbot)
    window.judging.presets.setCurrentText("wagrij_gaers")
    qtbot.mouseClick(window.judging.judge, Qt.MouseButton.LeftButton)
    assert window.judging.stop.isVisible()
    assert not window.judging.judge.isEnabled()
    qtbot.waitUntil(lambda: window.judging.going is None, timeout=60_000)
    assert window.statusBar().currentMessage() == "Judged by wagrij_gaers: 1 discharge"
    assert window.trial.comparison.text() == "wagrij_gaers − as recorded: onset +0.12 s, end +0.00 s, duration -0.12 s"
    assert (window.compared.above.currentText(), window.compared.below.currentText()) == ("as recorded", "wagrij_gaers")
    window.compared.below.setCurrentText("nothing")
    assert not window.trial.comparison.isVisible()


def test_judging_is_stopped_by_its_button_and_by_closing(window: ReviewWindow, qtbot: QtBot) -> None:
    qtbot.mouseClick(window.judging.judge, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(window.judging.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.judging.going is None, timeout=60_000)
    assert window.statusBar().currentMessage().startswith("Stopped: nothing was judged")
    qtbot.mouseClick(window.judging.judge, Qt.MouseButton.LeftButton)
    going = window.judging.going
    assert window.close()
    assert going is not None
    going.join()
    assert going.cancelled
    assert going.reading is None


def test_what_cannot_be_opened_is_told_and_what_was_open_stays(window: ReviewWindow, tmp_path: Path) -> None:
    before = window.looking
    (tmp_path / "notes.txt").write_text("no recording")
    window.open_path(tmp_path / "notes.txt")
    assert "notes.txt cannot be read as a recording" in window.statusBar().currentMessage()
    window.open_path(tmp_path / "gone")
    assert "gone does not exist" in window.statusBar().currentMessage()
    assert window.looking is before


@pytest.mark.parametrize("ending", [".svg", ".png", ".pdf"])
def test_the_view_is_exported_and_the_same_view_gives_the_same_file(
    window: ReviewWindow, qtbot: QtBot, answers: Answers, tmp_path: Path, ending: str
) -> None:
    to_the_discharge(window, qtbot)
    written = []
    for name in ("one", "two"):
        answers.figure = tmp_path / f"{name}{ending}"
        qtbot.mouseClick(window.export, Qt.MouseButton.LeftButton)
        written.append(answers.figure.read_bytes())
    assert written[0] == written[1]
    assert len(written[0]) > 5000


def test_a_figure_that_cannot_be_written_is_told(
    window: ReviewWindow, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    for path, told in ((tmp_path / "a.doc", "end it in .svg, .png, .pdf"), (tmp_path / "no" / "a.svg", "cannot write")):
        answers.figure = path
        qtbot.mouseClick(window.export, Qt.MouseButton.LeftButton)
        assert told in window.statusBar().currentMessage()


def test_everything_is_reached_with_the_tab_key(window: ReviewWindow, qtbot: QtBot) -> None:
    to_the_discharge(window, qtbot)
    qtbot.keyClick(window.panel, Qt.Key.Key_Period)
    reached, widget = set(), window.panel
    for _ in range(40):
        widget.nextInFocusChain()
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        reached.add(window.focusWidget())
    wanted = {
        window.panel,
        window.stops,
        window.judging.presets,
        window.judging.judge,
        window.compared.above,
        window.export,
        window.trial.add,
        window.trial.save,
    }
    assert wanted <= reached


def test_keys_of_the_signal_magnify_move_along_and_change_the_gain(window: ReviewWindow, qtbot: QtBot) -> None:
    first_s, last_s = window.panel.span_s
    qtbot.keyClick(window.panel, Qt.Key.Key_Plus)
    near = window.panel.span_s
    assert near[1] - near[0] == pytest.approx((last_s - first_s) / 2)
    qtbot.keyClick(window.panel, Qt.Key.Key_Right)
    assert window.panel.span_s[0] == pytest.approx(near[0] + (near[1] - near[0]) / 4)
    qtbot.keyClick(window.panel, Qt.Key.Key_Minus)
    assert window.panel.span_s[1] - window.panel.span_s[0] == pytest.approx(last_s - first_s)
    before = window.panel.half_range("EEG")
    qtbot.keyClick(window.panel, Qt.Key.Key_Up)
    assert window.panel.half_range("EEG") < before


@pytest.mark.parametrize("chosen", [look(dark=dark, large=large) for dark in (False, True) for large in (False, True)])
def test_the_window_fits_a_small_screen_in_every_look(window: ReviewWindow, qtbot: QtBot, chosen: object) -> None:
    to_the_discharge(window, qtbot)
    window.set_look(chosen)
    window.resize(1280, 800)
    QApplication.processEvents()
    assert window.size().toTuple() == (1280, 800)
    for widget in window.findChildren(QPushButton):
        if widget.isVisible():
            assert widget.width() >= widget.fontMetrics().horizontalAdvance(widget.text().replace("&", ""))
    for label in window.findChildren(QLabel):
        assert not label.isVisible() or label.height() >= label.heightForWidth(label.width()) - 1


def test_a_signature_needs_a_name_and_a_reason(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = SignatureDialog(parent, "0.4 to 9.9 s", "")
    assert not dialog.save.isEnabled()
    qtbot.keyClicks(dialog.author, "A. Observer")
    assert not dialog.save.isEnabled()
    qtbot.keyClicks(dialog.reason, "  ")
    assert not dialog.save.isEnabled()
    qtbot.keyClicks(dialog.reason, "late spike")
    assert dialog.save.isEnabled()


def test_lanes_of_the_panel_share_its_height() -> None:
    eeg, ttl = bands([3.0, 1.0])
    assert (eeg.top, eeg.bottom, ttl.bottom) == (0.0, -3.0, -4.0)
    assert (eeg.middle, eeg.half) == (-1.5, 1.5)


def test_an_empty_panel_is_no_error(qtbot: QtBot) -> None:
    panel = SignalPanel(LIGHT)
    qtbot.addWidget(panel)
    panel.show()
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Left, Qt.Key.Key_Up):
        qtbot.keyClick(panel, key)
    assert panel.names == ()


def test_the_command_tells_what_there_is_not_before_it_opens_a_window(tmp_path: Path) -> None:
    told = CliRunner().invoke(kindle, ["review", str(tmp_path / "gone")])
    assert isinstance(told.exception, KindleError)
    assert str(told.exception) == f"{tmp_path / 'gone'} does not exist: check the path"


def test_the_look_is_chosen_by_key_and_kept(window: ReviewWindow, qtbot: QtBot) -> None:
    kept: list[Look] = []
    window.look_changed.connect(kept.append)
    qtbot.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert kept == [look(dark=True), look(dark=True, large=True)]


@pytest.mark.parametrize(("span_s", "label"), [(7200.0, "15:00"), (30.0, "0:05"), (0.5, "0.1"), (0.05, "0.01")])
def test_times_are_labelled_in_whole_minutes_seconds_or_parts(span_s: float, label: str) -> None:
    (spacing, _), _ = spacings(0.0, span_s, 900.0)
    assert times_told([spacing], 1.0, spacing) == [label]
