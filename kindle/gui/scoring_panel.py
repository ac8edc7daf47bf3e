"""Stages and items of behaviour with their keys, the latency clock since the train's end, and what was stamped."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QGroupBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from kindle.behaviour import ItemStamp, Scoring, StageStamp
from kindle.ethogram import Ethogram, Item
from kindle.gui.look import Look
from kindle.gui.words import button, clock, line, say
from kindle.scale import Scale
from kindle.situation import Situation

ITEM_ROWS = 3
N_STAMPS, N_STAMPS_LARGE = 5, 3
"""As many of the last stamps are shown, in large type fewer: the traces need the room. The journal has them all."""


class ScoringPanel(QWidget):
    typed = Signal(str)
    """The key of a stage or an item, whether it was pressed or clicked."""
    undone = Signal()
    noted = Signal()
    voided = Signal()

    def __init__(self, scale: Scale, ethogram: Ethogram) -> None:
        super().__init__()
        self._keys: dict[str, QPushButton] = {}
        self._n_stamps = N_STAMPS
        self._clock = line("", "title")
        self._clock.setAccessibleName("Time since the end of the train")
        self._since = line("", "quiet", wraps=True)
        self._stamps = line("", wraps=True)
        self._stamps.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._counts = line("", "quiet", wraps=True)
        undo = self._button("Undo\nCtrl+Z", self.undone.emit)
        note = self._button("Note\nN", self.noted.emit)
        void = self._button("Void\nV", self.voided.emit)
        void.setToolTip("Call the last train void, with a reason")
        said = QVBoxLayout()
        for widget in (self._clock, self._since, self._stamps, self._counts):
            said.addWidget(widget)
        said.addStretch(1)
        acts = QHBoxLayout()
        for act in (undo, note, void):
            acts.addWidget(act)
        said.addLayout(acts)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._stages(scale))
        row.addWidget(self._items(ethogram), 2)
        row.addLayout(said, 1)

    def set_look(self, look: Look) -> None:
        self._n_stamps = N_STAMPS_LARGE if look.large else N_STAMPS

    def show_situation(self, now: Situation) -> None:
        since_s = now.since_zero_s
        began = "since the train's end" if now.observed_from is None else "since the injection"
        say(self._clock, "" if since_s is None else clock(since_s))
        say(self._since, "no train yet" if since_s is None else began)
        scoring, zero = now.scoring, now.zero_sample
        say(self._stamps, "\n".join(_stamps(scoring, zero, now.rate_hz)[-self._n_stamps :]))
        say(self._counts, _counts(scoring))

    def show_going_on(self, items: frozenset[str]) -> None:
        """The keys of lasting items look pressed while their items go on."""
        for item, key in self._keys.items():
            key.setChecked(item in items)

    @property
    def stamps(self) -> str:
        return self._stamps.text()

    def _stages(self, scale: Scale) -> QGroupBox:
        group = QGroupBox(scale.name)
        grid = QGridLayout(group)
        columns = -(-len(scale.stages) // 2)
        for place, stage in enumerate(scale.stages):
            word = f"{stage.stage:g}"
            key = self._button(word, self._typing(word))
            key.setToolTip(stage.wording)
            key.setAccessibleName(f"stage {word}: {stage.wording}")
            grid.addWidget(key, place // columns, place % columns)
        return group

    def _items(self, ethogram: Ethogram) -> QGroupBox:
        group = QGroupBox("Items: once to begin, again to end")
        grid = QGridLayout(group)
        grid.setSpacing(4)
        columns = -(-len(ethogram.items) // ITEM_ROWS)
        for place, item in enumerate(ethogram.items):
            key = self._button(f"{item.key}\n{_short(item)}", self._typing(item.key))
            key.setToolTip(item.wording)
            key.setAccessibleName(item.wording)
            key.setCheckable(item.lasts)
            self._keys[item.item] = key
            grid.addWidget(key, place // columns, place % columns)
        return group

    def _typing(self, key: str) -> Callable[[], None]:
        return lambda: self.typed.emit(key)

    def _button(self, text: str, pressed: Callable[[], None]) -> QPushButton:
        made = button(text, pressed)
        # The keys of a session go to the session, never to a button that was clicked before.
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return made


def _short(item: Item) -> str:
    words = item.item.replace("_", " ")
    for long, short in (
        ("generalised", "gen."),
        ("ipsilateral ", ""),
        ("extension", "ext."),
        ("running bouncing", "run"),
    ):
        words = words.replace(long, short)
    return words


def _stamps(scoring: Scoring, zero: int | None, rate_hz: float) -> list[str]:
    told = []
    for stamp in scoring.standing[-N_STAMPS:]:
        at = "" if zero is None else f"{(stamp.sample - zero) / rate_hz:+.1f} s  "
        match stamp:
            case StageStamp(stage=stage):
                told.append(f"{at}stage {stage:g}")
            case ItemStamp(item=item, edge="event"):
                told.append(f"{at}{item.replace('_', ' ')}")
            case ItemStamp(item=item, edge=edge):
                told.append(f"{at}{item.replace('_', ' ')} {edge}")
    return told


def _counts(scoring: Scoring) -> str:
    highest = "" if scoring.highest is None else f"highest: stage {scoring.highest:g}"
    items = dict.fromkeys(stamp.item for stamp in scoring.standing if isinstance(stamp, ItemStamp))
    counted = [f"{item.replace('_', ' ')} {n}" for item in items if (n := scoring.count_of(item)) > 1]
    return "; ".join(part for part in (highest, *counted) if part)
