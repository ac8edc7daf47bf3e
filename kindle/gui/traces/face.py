"""The parts of the live traces beside the picture: where each lies, and what is written there."""

from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QRegion

from drivers.interface import Channel
from kindle.gui.look import Look
from kindle.gui.traces.headline import clock
from kindle.gui.traces.lanes import told
from kindle.gui.traces.scene import Scene

MARGIN_PX = 8
WIDEST_LABEL = "± 1000 mV"
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class Face:
    """Rectangles in points of the window; the picture itself is in pixels of the screen."""

    def __init__(self, channels: Sequence[Channel], look: Look, font: QFont) -> None:
        self._look = look
        self._plain = QFont(font)
        self._plain.setPointSize(look.text_pt)
        self._bold = QFont(self._plain)
        self._bold.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetrics(self._bold)
        self._line = metrics.height()
        widest = max(
            metrics.horizontalAdvance(text) for text in (*(channel.name for channel in channels), WIDEST_LABEL)
        )
        self._gutter_px = min(14 * self._line, widest + 24)
        self.resize(0, 0)

    def resize(self, width: int, height: int) -> None:
        above, below = round(1.7 * self._line), round(1.5 * self._line)
        inside = height - above - below
        self.whole = QRect(0, 0, width, height)
        self.header = QRect(0, 0, width, above)
        self.gutter = QRect(0, above, self._gutter_px, inside)
        self.plot = QRect(self._gutter_px, above, width - self._gutter_px - MARGIN_PX, inside)
        self.axis = QRect(0, height - below, width, below)
        self.margin = QRect(width - MARGIN_PX, above, MARGIN_PX, inside)

    def paint(
        self,
        painter: QPainter,
        dirty: QRegion,
        scene: Scene,
        ratio: float,
        said: tuple[str, str, str],
        chosen: int | None,
    ) -> None:
        """All but the picture. ``said`` stands above it; ``chosen`` is the channel that keys act on, where they do."""
        panel = QColor(self._look.panel)
        for beside in (self.header, self.gutter, self.axis, self.margin):
            if dirty.intersects(beside):
                painter.fillRect(beside, panel)
        if dirty.intersects(self.header):
            self._paint_header(painter, *said)
        if dirty.intersects(self.gutter):
            self._paint_gutter(painter, scene, ratio, chosen)
        if dirty.intersects(self.axis):
            self._paint_axis(painter, scene, ratio)
        if chosen is not None and not dirty.subtracted(QRegion(self.plot)).isEmpty():
            painter.setPen(QPen(QColor(self._look.focus), 2))
            painter.drawRect(self.whole.adjusted(1, 1, -2, -2))

    def _paint_header(self, painter: QPainter, left: str, right: str, aside: str) -> None:
        box = self.header.adjusted(10, 0, -10, 0)
        painter.setFont(self._bold)
        painter.setPen(QColor(self._look.ink))
        painter.drawText(box, _RIGHT, right)
        wide = QFontMetrics(self._bold).horizontalAdvance(right) + 24 if right else 0
        painter.setPen(QColor(self._look.warning))
        painter.drawText(box.adjusted(0, 0, -wide, 0), _RIGHT, aside)
        wide += QFontMetrics(self._bold).horizontalAdvance(aside) + 24 if aside else 0
        painter.setPen(QColor(self._look.ink))
        room = max(0, box.width() - wide)
        # A long reason gives way to the running clock.
        painter.drawText(box, _LEFT, QFontMetrics(self._bold).elidedText(left, Qt.TextElideMode.ElideRight, room))

    def _paint_gutter(self, painter: QPainter, scene: Scene, ratio: float, chosen: int | None) -> None:
        metrics = QFontMetrics(self._bold)
        for row, (channel, lane) in enumerate(zip(scene.channels, scene.lanes, strict=True)):
            top, height = round(self.gutter.top() + lane.top / ratio), round(lane.height / ratio)
            if row == chosen:
                painter.fillRect(QRect(self.gutter.left() + 3, top, 4, height), QColor(self._look.focus))
            box = QRect(self.gutter.left() + 10, top, self.gutter.width() - 16, height)
            two_lines = height >= 2 * self._line
            middle = box.center().y()
            upper = QRect(box.left(), middle - self._line, box.width(), self._line) if two_lines else box
            painter.setFont(self._bold)
            painter.setPen(QColor(self._look.ink))
            painter.drawText(upper, _LEFT, metrics.elidedText(channel.name, Qt.TextElideMode.ElideRight, box.width()))
            if two_lines:
                painter.setFont(self._plain)
                painter.setPen(QColor(self._look.quiet))
                painter.drawText(QRect(box.left(), middle, box.width(), self._line), _LEFT, _scale(channel, scene, row))

    def _paint_axis(self, painter: QPainter, scene: Scene, ratio: float) -> None:
        painter.setFont(self._plain)
        painter.setPen(QColor(self._look.quiet))
        for column, second in scene.ticks():
            x = self.plot.left() + round(scene.place(column) / ratio)
            box = QRect(x - 60, self.axis.top(), 120, self.axis.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, clock(second))


def _scale(channel: Channel, scene: Scene, row: int) -> str:
    if channel.role == "stimulus_ttl" and channel.name not in scene.settings.half_ranges:
        return "0 / 5 V" if channel.unit == "V" else "0 / 1"
    return f"± {told(scene.half_range(row), channel.unit)}"
