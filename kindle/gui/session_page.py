"""The screen of a running session: traces in the middle, what comes next on the left, the two acts on the right."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from drivers.interface import Block, Channel
from kindle.behaviour import DEATH
from kindle.conducting import Conductor, Ended, Shown
from kindle.desk import NotAsked
from kindle.errors import KindleError
from kindle.ethogram import load_ethogram
from kindle.experimenter import ItemMark
from kindle.gui.control_panel import ControlPanel
from kindle.gui.ended_bar import EndedBar
from kindle.gui.keys import Command
from kindle.gui.look import Look
from kindle.gui.next_panel import NextPanel
from kindle.gui.question_bar import QuestionBar
from kindle.gui.scoring_panel import ScoringPanel
from kindle.gui.session_traces import SessionTraces
from kindle.gui.traces.live import LiveTraces
from kindle.gui.traces.settings import TraceSettings
from kindle.gui.void_bar import VoidBar
from kindle.gui.words import line, say, say_or_hide
from kindle.marking_keys import TAKE_BACK, MarkingKeys
from kindle.protocols.catalogue import ObservingPlan
from kindle.scale import load_scale
from kindle.situation import Phase, Situation
from kindle.voiding import Voiding

SIDE_PX, LARGE_SIDE_PX = 285, 330


class SessionPage(QWidget):
    """Shows one ``Conductor`` and passes on what the person does; it decides nothing."""

    left = Signal()
    """The person goes back to the start, the session being over."""
    report_wanted = Signal(str)
    """Of this session."""
    said = Signal(str)
    """Why something that was pressed did nothing."""
    traces_changed = Signal()
    rang = Signal()
    """Something waits for the person."""

    def __init__(self, look: Look, *, hides_result: bool, traces: TraceSettings) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._look = look
        self._settings = traces
        self._hides_result = hides_result
        self.conductor: Conductor | None = None
        self._traces: SessionTraces | None = None
        self.scoring: ScoringPanel | None = None
        self._keys: MarkingKeys | None = None
        self._death_asked = False
        self._phase: Phase | None = None
        self._drawn: Situation | None = None
        self.next = NextPanel()
        self.controls = ControlPanel()
        self.controls.arm_pressed.connect(lambda: self.command(Command.ARM))
        self.controls.fire_pressed.connect(lambda: self.command(Command.FIRE))
        self.question = QuestionBar()
        self.question.answered.connect(self._answer)
        self.alarm = line("", "warning", wraps=True)
        self.alarm.setAccessibleName("Alarm")
        self.note = QLineEdit()
        self.note.setPlaceholderText("Note, then Enter; Tab leaves it")
        self.note.returnPressed.connect(self._write_note)
        self.void = VoidBar()
        self.void.called.connect(self._call_void)
        self.void.left.connect(self.setFocus)
        self.ended = EndedBar()
        self.ended.left.connect(self.left)
        self.ended.report_wanted.connect(self.report_wanted)
        self._middle = QVBoxLayout()
        self._waiting = line("connecting to the instruments", "title")
        self._middle.addWidget(self._waiting, 1)
        for widget in (self.alarm, self.question, self.void, self.note, self.ended):
            self._middle.addWidget(widget)
            widget.hide()
        self._fit_sides()
        row = QHBoxLayout()
        row.addWidget(self.next)
        row.addLayout(self._middle, 1)
        row.addWidget(self.controls)
        self._whole = QVBoxLayout(self)
        self._whole.setContentsMargins(0, 0, 0, 0)
        self._whole.addLayout(row, 1)

    def push(self, first_sample: int, block: Block) -> None:
        """From the thread of the session; blocks that come before there is a picture are not shown."""
        traces = self._traces
        if traces is not None:
            traces.push(first_sample, block)

    @property
    def traces(self) -> LiveTraces | None:
        return None if self._traces is None else self._traces.picture

    def set_hides_result(self, hides: bool) -> None:
        self._hides_result = hides
        self._drawn = None

    def set_look(self, look: Look) -> None:
        self._look = look
        self._fit_sides()
        if self.traces is not None:
            self.traces.set_look(look)
        if self.scoring is not None:
            self.scoring.set_look(look)
            self._drawn = None

    def refresh(self) -> None:
        """Draw what has changed since the last time; called some thirty times a second."""
        if self.conductor is None:
            return
        shown = self.conductor.shown
        now = shown.situation
        if now is not None and now is not self._drawn:
            self._drawn = now
            self._show_situation(shown, now)
        if self.question.question is not shown.question:
            self._show_question(shown)
        if shown.ended is not None:
            self._show_end(shown.ended)

    def command(self, command: Command) -> None:
        """What a key or a button means; what is not possible now is said, and changes nothing."""
        if self.conductor is None:
            return
        try:
            match command:
                case Command.STOP:
                    self.conductor.stop()
                case Command.ARM if self.question.isVisible():
                    self.question.confirm()
                case Command.ARM:
                    self.conductor.arm()
                case Command.FIRE:
                    self.conductor.fire()
                case Command.UNDO:
                    self._mark(TAKE_BACK)
                case Command.NOTE:
                    self.note.show()
                    self.note.setFocus()
                case Command.VOID:
                    self._ask_void()
        except NotAsked as nothing_waits:
            self.said.emit(str(nothing_waits))

    def typed(self, key: str) -> bool:
        """The key of a stage or an item; of an answer while the session asks for one. Whether it meant anything."""
        if self.conductor is None or self.conductor.shown.over:
            return False
        asked = self.question.question
        if asked is not None and self.question.choose(key):
            return True
        if self._keys is None or (asked is not None and asked.for_stage and key.isdigit()):
            return False
        meant = self._keys.meaning(key)
        if meant is None:
            return False
        confirmed, self._death_asked = self._death_asked, False
        if isinstance(meant, ItemMark) and meant.item == DEATH and not confirmed:
            self._death_asked = True
            self.said.emit(f"Death ends the observation for good: press {key} once more to enter it.")
            return True
        self._mark(key)
        return True

    def _mark(self, key: str) -> None:
        if self.conductor is None or self._keys is None:
            return
        mark = self._keys.read(key)
        if mark is not None:
            self.conductor.mark(mark)
        if self.scoring is not None:
            self.scoring.show_going_on(self._keys.going_on)

    def _fit_sides(self) -> None:
        for side in (self.next, self.controls):
            side.setFixedWidth(LARGE_SIDE_PX if self._look.large else SIDE_PX)

    def _answer(self, said: str) -> None:
        if self.conductor is None:
            return
        try:
            self.conductor.answer(said)
        except KindleError as refused:
            self.said.emit(str(refused))
        self.setFocus()

    def _write_note(self) -> None:
        text = self.note.text().strip()
        if text and self.conductor is not None:
            self.conductor.mark(ItemMark(f"note: {text}"))
        self.note.clear()
        self.note.hide()
        self.setFocus()

    def _ask_void(self) -> None:
        train = None if self._drawn is None else self._drawn.last_train
        if train is None:
            self.said.emit("No train was given yet that could be called void.")
        else:
            self.void.ask(train.current_ua)

    def _call_void(self, called: Voiding) -> None:
        if self.conductor is None:
            return
        try:
            self.conductor.void(called)
        except KindleError as refused:
            self.said.emit(str(refused))
            return
        self.void.close_bar()
        self.said.emit("Void: written down once the trial is over; the protocol goes on as after any void train.")
        self.setFocus()

    def _show_situation(self, shown: Shown, now: Situation) -> None:
        if self.scoring is None:
            self._build_scoring(now)
        if self._traces is None and shown.channels:
            self._build_traces(shown.channels, now.rate_hz)
        hides = self._hides_result and now.to_be_scored
        self.next.show_situation(now, hides=hides)
        self.controls.show_situation(now, hides=hides, asked=shown.question is not None)
        if self.scoring is not None:
            self.scoring.show_situation(now)
        say_or_hide(self.alarm, now.alarm or now.trouble)
        if self._traces is not None:
            self._traces.show_situation(now, hides=hides)
        if now.phase is not self._phase:
            self._phase = now.phase
            if now.phase in (Phase.TRAIN, Phase.OBSERVING) and self._keys is not None and self.scoring is not None:
                self._keys.begin()
                self.scoring.show_going_on(self._keys.going_on)
            if now.phase in (Phase.READY, Phase.LOST):
                self.rang.emit()

    def _show_question(self, shown: Shown) -> None:
        suggested = ""
        question, now = shown.question, shown.situation
        if question is not None:
            self.rang.emit()
            highest = None if now is None else now.scoring.highest
            if question.for_stage and highest is not None:
                suggested = f"{highest:g}"
        self.question.show_question(question, suggested)

    def _show_end(self, ended: Ended) -> None:
        if not self.ended.isHidden():
            return
        self.ended.show_end(ended)
        say_or_hide(self.alarm, "" if self._drawn is None else self._drawn.alarm)
        self.question.show_question(None)
        self.void.close_bar()
        if self.scoring is not None:
            self.scoring.setEnabled(False)
        self.controls.no_session("The session is over." if ended.finished else "The session has stopped.")
        say(self._waiting, "")

    def _build_scoring(self, now: Situation) -> None:
        ethogram = load_ethogram("ptz" if isinstance(now.plan, ObservingPlan) else "kindling")
        self._keys = MarkingKeys(ethogram)
        self.scoring = ScoringPanel(load_scale(now.scale), ethogram)
        self.scoring.set_look(self._look)
        self.scoring.typed.connect(self.typed)
        self.scoring.undone.connect(lambda: self.command(Command.UNDO))
        self.scoring.noted.connect(lambda: self.command(Command.NOTE))
        self.scoring.voided.connect(lambda: self.command(Command.VOID))
        self._whole.addWidget(self.scoring)

    def _build_traces(self, channels: tuple[Channel, ...], rate_hz: float) -> None:
        traces = SessionTraces(channels, rate_hz, self._look, self._settings)
        traces.picture.settings_changed.connect(lambda _: self.traces_changed.emit())
        self._waiting.hide()
        self._middle.insertWidget(0, traces.picture, 1)
        self._traces = traces
