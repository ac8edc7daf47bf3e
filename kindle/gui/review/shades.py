"""What lies behind and over the signal, painted in one go: a recording may have thousands of marks."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from kindle.gui.review.shading import Shade


class Shades(QGraphicsObject):
    """``view`` is pyqtgraph's box: it says which seconds and lanes are on the screen."""

    def __init__(self, view: Any) -> None:
        super().__init__()
        self.shades: tuple[Shade, ...] = ()
        self._view = view
        view.sigRangeChanged.connect(self._moved)

    def show_all(self, shades: Sequence[Shade]) -> None:
        if tuple(shades) != self.shades:
            self.prepareGeometryChange()
            self.shades = tuple(shades)
            self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return QRectF(self._view.viewRect())

    def _moved(self, *_: object) -> None:
        self.prepareGeometryChange()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        seen = self._view.viewRect()
        for shade in self.shades:
            first, last = max(shade.first_s, seen.left()), min(shade.last_s, seen.right())
            if first > last:
                continue
            box = QRectF(first, shade.bottom, last - first, shade.top - shade.bottom)
            colour = QColor(shade.colour)
            colour.setAlphaF(shade.alpha)
            if not shade.hatched:
                painter.fillRect(box, colour)
            else:
                brush = QBrush(colour, Qt.BrushStyle.BDiagPattern)
                # The pattern is one of the screen, not of seconds and lanes.
                brush.setTransform(painter.worldTransform().inverted()[0])
                painter.fillRect(box, brush)
            if shade.outlined:
                pen = QPen(colour, 1.5)
                pen.setCosmetic(True)
                painter.setPen(pen)
                painter.drawRect(box)
