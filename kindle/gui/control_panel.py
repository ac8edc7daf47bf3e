"""Arm and Fire, as two buttons far from each other in meaning, and every interlock with what it says now."""

from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGroupBox, QScrollArea, QVBoxLayout, QWidget

from kindle.gui.words import button, enable, line, say
from kindle.interlock_list import Interlock, forbidding
from kindle.protocols.catalogue import ObservingPlan
from kindle.situation import Phase, Situation

HIDDEN_NAMES = ("No afterdischarge going on", "Lock-out after a discharge")
"""What these interlocks say is a result of the EEG."""


class ControlPanel(QWidget):
    arm_pressed = Signal()
    fire_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._phase = line("", "title", wraps=True)
        self._phase.setAccessibleName("State of the session")
        self.arm = button("Arm\nEnter", self.arm_pressed.emit)
        self.arm.setObjectName("arm")
        self.fire = button("Fire\nSpace", self.fire_pressed.emit)
        self.fire.setObjectName("fire")
        self._reason = line("", "quiet", wraps=True)
        self._listed = line("", wraps=True)
        self._listed.setTextFormat(Qt.TextFormat.RichText)
        self._listed.setAlignment(Qt.AlignmentFlag.AlignTop)
        group = QGroupBox("Interlocks")
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self._listed)
        framed = QVBoxLayout(group)
        framed.setContentsMargins(6, 6, 6, 6)
        framed.addWidget(area)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._phase, self.arm, self.fire, self._reason):
            column.addWidget(widget)
        column.addWidget(group, 1)
        self._shown: tuple[Interlock, ...] | None = None
        self.no_session("connecting")

    def show_situation(self, now: Situation, *, hides: bool, asked: bool) -> None:
        """``hides`` what the EEG says of the last train; ``asked``: a question has to be answered first."""
        say(self._phase, "a question waits" if asked else _phase(now))
        if isinstance(now.plan, ObservingPlan):
            self.arm.hide()
            self.fire.hide()
        enable(self.arm, now.phase is Phase.READY)
        enable(self.fire, now.phase is Phase.ARMED)
        listed = now.interlocks
        if hides:
            listed = tuple(one for one in listed if one.name not in HIDDEN_NAMES)
        say(self._reason, "Answer the question below the traces." if asked else _why_not(now, listed))
        self._show_interlocks(listed)

    def no_session(self, said: str) -> None:
        say(self._phase, said)
        enable(self.arm, False)
        enable(self.fire, False)
        say(self._reason, "")

    @property
    def reason(self) -> str:
        return self._reason.text()

    @property
    def interlocks(self) -> tuple[Interlock, ...]:
        return self._shown or ()

    def _show_interlocks(self, listed: tuple[Interlock, ...]) -> None:
        if listed != self._shown:
            self._shown = listed
            say(self._listed, "".join(_listed(one) for one in listed))


def _listed(one: Interlock) -> str:
    told = escape(f"{'✓' if one.permits else '✕'} {one.name}: {one.reason}")
    return f"<p style='margin: 0 0 3px 0'>{told if one.permits else f'<b>{told}</b>'}</p>"


def _phase(now: Situation) -> str:
    return now.phase.value if now.offered is None else f"{now.phase.value}: {now.offered.current_ua:.4g} µA"


def _why_not(now: Situation, listed: tuple[Interlock, ...]) -> str:
    """Beside the buttons: why neither can be pressed, or what to press."""
    match now.phase:
        case Phase.READY:
            return f"Look at the animal, then arm ({now.why})."
        case Phase.ARMED:
            delivered = now.delivered
            really = "" if delivered is None else f" {delivered.current_ua:.4g} µA will be delivered."
            return f"Armed.{really} Fire within {now.remaining_s or 0:.0f} s."
        case Phase.LOST:
            return now.trouble
        case _:
            first = next(forbidding(listed), None)
            return now.why if first is None else f"{first.name}: {first.reason}"
