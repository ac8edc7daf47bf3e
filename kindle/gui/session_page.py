"""The screen of a running session: traces in the middle, what comes next on the left, the two acts on the right."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from detectors.criterion import Verdict
from drivers.interface import Block, Channel
from kindle.behaviour import DEATH
from kindle.conducting import Conductor, Ended, Shown
from kindle.desk import NotAsked
from kindle.errors import KindleError
from kindle.ethogram import load_ethogram
from kindle.exchange import Trial, VoidTrial
from kindle.experimenter import ItemMark
from kindle.gui.control_panel import ControlPanel
from kindle.gui.keys import Command
from kindle.gui.look import Look
from kindle.gui.next_panel import HIDDEN, NextPanel
from kindle.gui.question_bar import QuestionBar
from kindle.gui.scoring_panel import ScoringPanel
from kindle.gui.traces.live import LiveTraces
from kindle.gui.traces.settings import TraceSettings
from kindle.gui.words import line, rename, say, say_or_hide
from kindle.marking_keys import TAKE_BACK, MarkingKeys
from kindle.protocols.catalogue import ObservingPlan
from kindle.rungs import outcome_word
from kindle.scale import load_scale
from kindle.situation import Phase, Situation

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
        self.traces: LiveTraces | None = None
        self.scoring: ScoringPanel | None = None
        self._keys: MarkingKeys | None = None
        self._death_asked = False
        self._phase: Phase | None = None
        self._n_trials = -1
        self._n_gaps = 0
        self._train_end = -1
        self._rows: list[int] = []
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
        self._over = line("", "title", wraps=True)
        self._back = QPushButton("Back to the animals")
        self._back.clicked.connect(self.left)
        self._report = QPushButton("Report of this session")
        self._report.clicked.connect(self._want_report)
        self._middle = QVBoxLayout()
        self._waiting = line("connecting to the instruments", "title")
        self._middle.addWidget(self._waiting, 1)
        for widget in (self.alarm, self.question, self.note, self._over):
            self._middle.addWidget(widget)
            widget.hide()
        after = QHBoxLayout()
        for button in (self._back, self._report):
            after.addWidget(button)
            button.hide()
        after.addStretch(1)
        self._middle.addLayout(after)
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
        traces = self.traces
        if traces is not None:
            traces.push(first_sample, block[self._rows])

    def set_hides_result(self, hides: bool) -> None:
        self._hides_result = hides
        self._n_trials = -1
        self._n_gaps = 0
        self._drawn = None

    def set_look(self, look: Look) -> None:
        self._look = look
        self._fit_sides()
        if self.traces is not None:
            self.traces.set_look(look)

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

    def _want_report(self) -> None:
        ended = None if self.conductor is None else self.conductor.shown.ended
        if ended is not None:
            self.report_wanted.emit(ended.session)

    def _show_situation(self, shown: Shown, now: Situation) -> None:
        if self.scoring is None:
            self._build_scoring(now)
        if self.traces is None and shown.channels:
            self._build_traces(shown.channels, now.rate_hz)
        hides = self._hides_result and now.to_be_scored
        self.next.show_situation(now, hides=hides)
        self.controls.show_situation(now, hides=hides, asked=shown.question is not None)
        if self.scoring is not None:
            self.scoring.show_situation(now)
        say_or_hide(self.alarm, now.alarm or now.trouble)
        self._show_marks(now, hides)
        if now.phase is not self._phase:
            self._phase = now.phase
            if now.phase in (Phase.TRAIN, Phase.OBSERVING) and self._keys is not None and self.scoring is not None:
                self._keys.begin()
                self.scoring.show_going_on(self._keys.going_on)
            if now.phase in (Phase.READY, Phase.LOST):
                self.rang.emit()

    def _show_marks(self, now: Situation, hides: bool) -> None:
        traces = self.traces
        if traces is None:
            return
        if now.train is not None and now.train.end is not None and now.train.end > self._train_end:
            self._train_end = now.train.end
            traces.show_train(now.train.onset, now.train.end)
        for sample, n_lost in now.gaps[self._n_gaps :]:
            traces.show_gap(sample, n_lost)
        self._n_gaps = len(now.gaps)
        if hides:
            if self._n_trials != -1:
                traces.hide_discharges()
                traces.show_verdict(HIDDEN)
                self._n_trials = -1
            return
        if len(now.trials) == self._n_trials:
            if now.discharge is not None and now.phase is Phase.WATCHING:
                traces.show_discharge(now.discharge.onset, now.discharge.end)
                traces.show_spike_rate(now.spike_hz)
        else:
            self._n_trials = len(now.trials)
            self._show_verdict(traces, now.trials[-1] if now.trials else None, here=now.train is not None)

    def _show_verdict(self, traces: LiveTraces, trial: Trial | VoidTrial | None, *, here: bool) -> None:
        """``here``: the trial lies in the recording that is on the screen."""
        if trial is None or not here:
            return
        match trial:
            case Trial(verdict=Verdict.AFTERDISCHARGE):
                first, *later = trial.afterdischarges
                traces.hide_discharges()
                traces.show_discharge(first.onset_sample, first.end_sample)
                for secondary in later:
                    traces.show_discharge(secondary.onset_sample, secondary.end_sample, secondary=True)
                traces.show_verdict(f"{trial.train.current_ua:.4g} µA: {outcome_word(trial)}", first.confidence)
            case _:
                word = "no afterdischarge" if trial.verdict is Verdict.NONE else outcome_word(trial)
                traces.show_verdict(f"{trial.train.current_ua:.4g} µA: {word}, {trial.reason}")
        if isinstance(trial, Trial):
            traces.show_baseline(trial.channel, trial.baseline_uv)

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
        if self._back.isVisible():
            return
        say(self._over, ended.said)
        rename(self._over, "good" if ended.finished else "warning")
        self._over.show()
        self._back.show()
        self._report.setVisible(ended.finished)
        say_or_hide(self.alarm, "" if self._drawn is None else self._drawn.alarm)
        self.question.show_question(None)
        if self.scoring is not None:
            self.scoring.setEnabled(False)
        self.controls.no_session("The session is over." if ended.finished else "The session has stopped.")
        say(self._waiting, "")

    def _build_scoring(self, now: Situation) -> None:
        ethogram = load_ethogram("ptz" if isinstance(now.plan, ObservingPlan) else "kindling")
        self._keys = MarkingKeys(ethogram)
        self.scoring = ScoringPanel(load_scale(now.scale), ethogram)
        self.scoring.typed.connect(self.typed)
        self.scoring.undone.connect(lambda: self.command(Command.UNDO))
        self.scoring.noted.connect(lambda: self.command(Command.NOTE))
        self._whole.addWidget(self.scoring)

    def _build_traces(self, channels: tuple[Channel, ...], rate_hz: float) -> None:
        self._rows = [row for row, channel in enumerate(channels) if channel.role != "aux"]
        traces = LiveTraces([channels[row] for row in self._rows], rate_hz, self._look, self._settings)
        traces.settings_changed.connect(lambda _: self.traces_changed.emit())
        self._waiting.hide()
        self._middle.insertWidget(0, traces, 1)
        self.traces = traces
