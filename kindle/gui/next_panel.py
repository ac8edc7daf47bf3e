"""The next current, large, with why; what is waited for; and the ladder with what happened at each rung."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from detectors.criterion import Verdict
from kindle.dose_cards import DoseCard, dose_cards
from kindle.exchange import Trial, VoidTrial
from kindle.gui.words import clock, line, say, say_or_hide
from kindle.protocols.catalogue import ObservingPlan
from kindle.rungs import Rung, outcome_word
from kindle.situation import Phase, Situation

SYMBOLS = {Verdict.AFTERDISCHARGE: "▲", Verdict.NONE: "○", Verdict.UNDETERMINED: "◆"}
VOID = "✕"
HIDDEN = "hidden until scored"


class NextPanel(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._what = line("Next current", "quiet")
        self._current = line("", "huge")
        self._current.setAccessibleName("Next current")
        self._why = line("", wraps=True)
        self._clock = line("", "title")
        self._waits = line("", "quiet", wraps=True)
        self._doses = line("", wraps=True)
        self._ladder = _table()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)
        for widget in (self._what, self._current, self._why, self._clock, self._waits, self._doses):
            column.addWidget(widget)
        column.addWidget(self._ladder, 1)
        self._drawn: tuple[object, ...] = ()

    def show_situation(self, now: Situation, *, hides: bool) -> None:
        """``hides``: the result of the last train is not told yet."""
        if isinstance(now.plan, ObservingPlan):
            self._show_observation(now)
        else:
            following = now.next_current
            say(self._current, "—" if following is None else f"{following.current_ua:.4g} µA")
            if hides and now.trials:
                told = "" if following is None else following.why.rsplit(", last:", 1)[0]
            else:
                told = "no further train is planned so far" if following is None else following.why
            say(self._why, told)
            say_or_hide(self._clock, _countdown(now))
            say_or_hide(self._waits, now.why)
        if not self._doses.text():
            say(self._doses, "\n".join(_told(card) for card in dose_cards(now.plan)))
            self._doses.setVisible(bool(self._doses.text()))
        self._show_ladder(now, hides)

    @property
    def doses(self) -> str:
        """What is to be drawn, in words."""
        return self._doses.text()

    @property
    def current(self) -> str:
        """What stands there large."""
        return self._current.text()

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The ladder in words."""
        table = self._ladder
        return [(_words(table.item(row, 0)), _words(table.item(row, 1))) for row in range(table.rowCount())]

    def _show_observation(self, now: Situation) -> None:
        say(self._what, "Observation")
        remaining = now.remaining_s
        say(self._current, "—" if remaining is None else clock(remaining))
        say(self._why, now.why)
        say_or_hide(self._clock, "")
        say_or_hide(self._waits, "")

    def _show_ladder(self, now: Situation, hides: bool) -> None:
        rungs, following = now.ladder, now.next_current
        next_ua = None if following is None else following.current_ua
        drawn = (len(now.trials), next_ua, hides, len(rungs), now.phase is Phase.CONNECTING)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        table = self._ladder
        table.setVisible(bool(rungs))
        table.setRowCount(len(rungs))
        last = now.trials[-1] if now.trials else None
        for row, rung in enumerate(rungs):
            is_next = rung.current_ua == next_ua
            current = QTableWidgetItem(f"{'▶ ' if is_next else ''}{rung.current_ua:.4g}")
            current.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            happened = QTableWidgetItem(_happened(rung, last if hides else None))
            happened.setToolTip("\n".join(_reason(trial) for trial in rung.results))
            for item in (current, happened):
                font = QFont(item.font())
                font.setBold(is_next)
                item.setFont(font)
            table.setItem(row, 0, current)
            table.setItem(row, 1, happened)
            if is_next:
                table.scrollToItem(current, QAbstractItemView.ScrollHint.PositionAtCenter)


def _table() -> QTableWidget:
    table = QTableWidget(0, 2)
    table.setHorizontalHeaderLabels(["µA", "what happened"])
    table.verticalHeader().hide()
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setShowGrid(False)
    table.verticalHeader().setDefaultSectionSize(2 * table.fontMetrics().height() - 8)
    table.setAccessibleName("Ladder of currents")
    return table


def _happened(rung: Rung, hidden: Trial | VoidTrial | None) -> str:
    return ", ".join(HIDDEN if trial is hidden else f"{_symbol(trial)} {outcome_word(trial)}" for trial in rung.results)


def _symbol(trial: Trial | VoidTrial) -> str:
    return VOID if isinstance(trial, VoidTrial) else SYMBOLS[trial.verdict]


def _reason(trial: Trial | VoidTrial) -> str:
    return trial.reason or outcome_word(trial)


def _countdown(now: Situation) -> str:
    if now.remaining_s is None or now.phase not in (Phase.RESTING, Phase.ARMED, Phase.LOST):
        return ""
    return clock(now.remaining_s)


def _told(card: DoseCard) -> str:
    parts = [f"{card.name}: draw {card.volume}" if card.volume else card.name, f"ordered {card.ordered}"]
    if card.really_given:
        parts.append(f"really given {card.really_given}")
    if card.wait_min:
        parts.append(f"then {card.wait_min:g} min")
    return "\n  ".join((*parts, *(f"! {warning}" for warning in card.warnings)))


def _words(item: QTableWidgetItem | None) -> str:
    return "" if item is None else item.text()
