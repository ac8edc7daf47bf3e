"""The lines at the onset and the end of each discharge of a draft, to be dragged."""

from collections.abc import Callable
from typing import Any

import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont

from kindle.gui.look import Look
from kindle.gui.review.draft import Edge
from kindle.gui.review.looking import Looking

CHOSEN_PX, WIDE_PX, TOUCHED_PX = 4, 2, 6
LABEL_AT = 0.965
"""Of the height."""


class Edges:
    """``moved`` hears the discharge, the edge and the second it is dragged to; ``chosen`` which edge was clicked."""

    def __init__(
        self, plot: Any, moved: Callable[[int, Edge, float], None], chosen: Callable[[int, Edge], None]
    ) -> None:
        self._plot, self._moved, self._chosen = plot, moved, chosen
        self._lines: list[Any] = []

    def clear(self) -> None:
        while self._lines:
            self._plot.removeItem(self._lines.pop())

    def place(self, looking: Looking, look: Look, font: QFont) -> None:
        """Where the draft has them; the one that keys move is thick."""
        draft = looking.draft
        places: list[tuple[int, Edge, int]] = []
        for number, event in enumerate(draft.events if draft is not None else ()):
            places += [(number, "onset", event.onset_sample), (number, "end", event.end_sample)]
        while len(self._lines) > len(places):
            self._plot.removeItem(self._lines.pop())
        for number, edge, _ in places[len(self._lines) :]:
            self._lines.append(self._new(number, edge, look, font))
        for line, (number, edge, sample) in zip(self._lines, places, strict=True):
            colour = QColor(look.onset if edge == "onset" else look.end)
            style = Qt.PenStyle.SolidLine if edge == "onset" else Qt.PenStyle.DashLine
            width = CHOSEN_PX if looking.chosen == (number, edge) else WIDE_PX
            line.setPen(pyqtgraph.mkPen(colour, width=width, style=style))
            line.setHoverPen(pyqtgraph.mkPen(colour, width=TOUCHED_PX, style=style))
            # Placed by the program, it is nobody's drag.
            line.blockSignals(True)
            line.setValue(sample / looking.source.rate_hz)
            line.blockSignals(False)

    def _new(self, number: int, edge: Edge, look: Look, font: QFont) -> Any:
        line = pyqtgraph.InfiniteLine(
            movable=True,
            angle=90,
            label=edge,
            labelOpts={"position": LABEL_AT, "color": look.ink, "fill": QColor(look.ground)},
        )
        line.label.setFont(font)
        line.setZValue(20)
        line.sigDragged.connect(lambda dragged: self._moved(number, edge, float(dragged.value())))
        line.sigClicked.connect(lambda *_: self._chosen(number, edge))
        self._plot.addItem(line, ignoreBounds=True)
        return line
