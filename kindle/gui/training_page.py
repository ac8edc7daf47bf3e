"""Practice: traces whose truth is known, read by key, and the agreement with the truth at the end."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from kindle.gui.look import Look
from kindle.gui.traces.live import LiveTraces
from kindle.gui.traces.settings import TraceSettings
from kindle.gui.words import button, line, rename, say
from kindle.training import AFTER_S, BEFORE_S, Clip, Reading, Training, training

KEYS = {"A": Reading.AFTERDISCHARGE, "N": Reading.NONE, "U": Reading.UNDETERMINED}


class TrainingPage(QWidget):
    left = Signal()

    def __init__(self, look: Look, seed: int) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._look = look
        self._training = training(seed)
        self._clip: Clip | None = None
        self._answered = False
        self._title = line("", "title", wraps=True)
        self._said = line("", wraps=True)
        self._score = line("", "quiet", wraps=True)
        self._traces: LiveTraces | None = None
        self._middle = QVBoxLayout()
        self._buttons: dict[Reading, QPushButton] = {}
        answers = QHBoxLayout()
        for key, reading in KEYS.items():
            self._buttons[reading] = button(f"{reading.value}\n{key}", self._typing(key))
            answers.addWidget(self._buttons[reading])
        self._next = button("Next\nEnter", self.next)
        for other in (self._next, button("Leave the training", self.left.emit)):
            answers.addWidget(other)
        column = QVBoxLayout(self)
        column.addWidget(self._title)
        column.addLayout(self._middle, 1)
        column.addWidget(self._said)
        column.addLayout(answers)
        column.addWidget(self._score)
        self._show_clip()

    @property
    def training(self) -> Training:
        return self._training

    @property
    def said(self) -> str:
        return self._said.text()

    @property
    def score(self) -> str:
        return self._score.text()

    def set_look(self, look: Look) -> None:
        self._look = look
        if self._traces is not None:
            self._traces.set_look(look)

    def typed(self, key: str) -> bool:
        """A reading of the trace on the screen; whether the key meant one."""
        reading = KEYS.get(key)
        if reading is None or self._answered or self._clip is None:
            return False
        right = reading is self._clip.truth
        self._training = self._training.answered(reading)
        self._answered = True
        say(self._said, f"{'Right' if right else 'No'}: {self._clip.explained}")
        rename(self._said, "good" if right else "warning")
        say(self._score, str(self._training.result()))
        self._show_truth(self._clip)
        self._allow()
        return True

    def next(self) -> None:
        if self._answered and not self._training.over:
            self._show_clip()

    def _typing(self, key: str) -> Callable[[], bool]:
        return lambda: self.typed(key)

    def _show_clip(self) -> None:
        clip = self._training.clip()
        self._clip, self._answered = clip, False
        done, n = len(self._training.readings), len(self._training.numbers)
        say(self._title, f"Trace {done + 1} of {n}: what followed the train?")
        say(self._said, "An afterdischarge, none, or can it not be told?")
        rename(self._said, "")
        settings = TraceSettings(window_s=BEFORE_S + AFTER_S)
        traces = LiveTraces(clip.channels, clip.rate_hz, self._look, settings)
        self._push(traces, clip)
        traces.show_train(*clip.train)
        traces.show_baseline("EEG", clip.baseline_uv)
        if self._traces is not None:
            self._middle.removeWidget(self._traces)
            self._traces.deleteLater()
        self._traces = traces
        self._middle.addWidget(traces, 1)
        self._allow()

    def _push(self, traces: LiveTraces, clip: Clip) -> None:
        """In pieces: the display takes no more at once than it can hold."""
        step = round(5 * clip.rate_hz)
        for first in range(0, clip.block.shape[1], step):
            traces.push(first, clip.block[:, first : first + step])
            traces.frame()

    def _show_truth(self, clip: Clip) -> None:
        if self._traces is None:
            return
        for place, (onset, end) in enumerate(clip.discharges):
            self._traces.show_discharge(onset, end, secondary=place > 0)
        self._traces.show_verdict(clip.explained)

    def _allow(self) -> None:
        for answer in self._buttons.values():
            answer.setEnabled(not self._answered)
        self._next.setEnabled(self._answered and not self._training.over)
        if self._training.over:
            say(self._title, "The training is over.")
