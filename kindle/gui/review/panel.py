"""The signal of an open recording: lanes, marks, and the two lines that a person drags."""

from typing import Any

import pyqtgraph
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from kindle.gui.look import Look
from kindle.gui.review.draft import Edge
from kindle.gui.review.edges import Edges
from kindle.gui.review.looking import Looking
from kindle.gui.review.shades import Shades
from kindle.gui.review.shading import behind, over
from kindle.gui.review.stacked import Stacked
from kindle.gui.review.time_axis import spacings, times_told

LEAST_S = 0.02
FIRST_S = 60.0
"""Of a recording that was just opened."""
REFRESH_MS = 15
"""After a change of the view: several changes are drawn once."""
FEWEST_PIECES = 64


class SignalPanel(QFrame):
    """Keys, where it has the focus: left and right move along, + and - magnify, up and down change the gain."""

    edge_moved = Signal(int, str, int)
    """Number of the discharge, which edge, and the sample it was dragged to."""
    edge_chosen = Signal(int, str)
    channel_chosen = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setObjectName("signal")
        self.setAccessibleName("Signal")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._plot: Any = pyqtgraph.PlotWidget()
        # Keys are this panel's own: a graphics view would scroll with them.
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.getAxis("bottom").tickStrings = times_told
        self._plot.getAxis("bottom").tickSpacing = spacings
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self._plot)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setMouseEnabled(x=True, y=False)
        self._look = look
        self._looking: Looking | None = None
        self._stacked: Stacked | None = None
        self._curves: list[Any] = []
        self._edges = Edges(self._plot, self._dragged, self.edge_chosen.emit)
        self._font = self.font()
        self._behind, self._over = Shades(self._plot.getViewBox()), Shades(self._plot.getViewBox())
        self._behind.setZValue(-10)
        self._over.setZValue(5)
        self._plot.addItem(self._behind, ignoreBounds=True)
        self._plot.addItem(self._over, ignoreBounds=True)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        self._plot.getViewBox().sigXRangeChanged.connect(lambda *_: self._soon.start())
        self._plot.scene().sigMouseClicked.connect(self._clicked)
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        self._look = look
        self._plot.setBackground(look.ground)
        self._font.setPointSize(look.text_pt)
        for side in ("left", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setPen(look.line)
            axis.setTextPen(look.ink)
            axis.setStyle(tickFont=self._font, tickTextOffset=8)
        self._plot.getAxis("left").setStyle(tickLength=0)
        self._plot.showGrid(x=True, alpha=0.15)
        self._plot.getAxis("bottom").setHeight(round(2.6 * look.text_pt) + 8)
        self._fit_axis()
        for curve in self._curves:
            curve.setPen(QColor(look.trace))
        self._edges.clear()
        self.refresh()

    def look_at(self, looking: Looking | None) -> None:
        for curve in self._curves:
            self._plot.removeItem(curve)
        self._edges.clear()
        self._curves.clear()
        self._behind.show_all(())
        self._over.show_all(())
        self._looking = looking
        self._stacked = None if looking is None else Stacked(looking)
        if looking is None or self._stacked is None:
            return
        for _ in self._stacked.names:
            curve = pyqtgraph.PlotCurveItem(pen=QColor(self._look.trace), connect="finite", antialias=False)
            self._curves.append(curve)
            self._plot.addItem(curve, ignoreBounds=True)
        duration_s = looking.source.duration_s
        self._plot.setYRange(self._stacked.bottom, 0.0, padding=0)
        self._plot.setLimits(xMin=-1.0, xMax=duration_s + 1.0, minXRange=LEAST_S)
        self.show_span(0.0, min(duration_s, FIRST_S))
        self._fit_axis()

    @property
    def span_s(self) -> tuple[float, float]:
        first, last = self._plot.getViewBox().viewRange()[0]
        return float(first), float(last)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the lanes, from the top."""
        return () if self._stacked is None else self._stacked.names

    def half_range(self, name: str) -> float:
        """Half a lane, in the channel's unit; 0 where nothing is open."""
        return 0.0 if self._stacked is None else self._stacked.half_range(name)

    def viewport(self) -> QWidget:
        """Where the mouse is."""
        inner: QWidget = self._plot.viewport()
        return inner

    def place(self, second: float) -> QPoint:
        """A second of the recording in the viewport, half way down."""
        box = self._plot.getViewBox()
        middle = box.viewRect().center().y()
        point: QPoint = self._plot.mapFromScene(box.mapViewToScene(QPointF(second, middle)))
        return point

    def show_span(self, first_s: float, last_s: float) -> None:
        self._plot.setXRange(first_s, max(first_s + LEAST_S, last_s), padding=0)
        self.refresh()

    def zoom(self, factor: float) -> None:
        """Around the chosen edge where one is on the screen, else around the middle."""
        first, last = self.span_s
        at = (first + last) / 2
        chosen = None if self._looking is None else self._looking.chosen_s
        if chosen is not None and first <= chosen <= last:
            at = chosen
        self.show_span(at - (at - first) * factor, at + (last - at) * factor)

    def pan(self, share: float) -> None:
        first, last = self.span_s
        by = max(-first, share * (last - first))
        self.show_span(first + by, last + by)

    def show_chosen(self) -> None:
        """Bring the chosen edge onto the screen, if it is not there."""
        chosen = None if self._looking is None else self._looking.chosen_s
        first, last = self.span_s
        if chosen is not None and not first <= chosen <= last:
            half = (last - first) / 2
            self.show_span(max(0.0, chosen - half), max(0.0, chosen - half) + 2 * half)

    def change_gain(self, step: int) -> None:
        """1 shows every brain signal larger."""
        if self._stacked is not None:
            self._stacked.change_gain(step)
            self.refresh()
            self._fit_axis()

    def refresh(self) -> None:
        """Draw again what is on the screen."""
        if self._looking is None or self._stacked is None:
            return
        source, (first_s, last_s) = self._looking.source, self.span_s
        pieces = max(FEWEST_PIECES, int(self.width() * self.devicePixelRatioF()))
        first, last = int(first_s * source.rate_hz), int(last_s * source.rate_hz) + 2
        outline = source.outline(self._stacked.names, first, last, pieces)
        if self._stacked.fit(outline):
            self._fit_axis()
        for lane, curve in enumerate(self._curves):
            curve.setData(*self._stacked.curve(outline, lane))
        self.refresh_marks()

    def refresh_marks(self) -> None:
        if self._looking is None or self._stacked is None:
            return
        self._behind.show_all(behind(self._looking, self._stacked, self._look, self.span_s))
        self._over.show_all(over(self._looking, self._stacked, self._look))
        self._edges.place(self._looking, self._look, self._font)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier):
            super().keyPressEvent(event)
            return
        match event.key():
            case Qt.Key.Key_Left:
                self.pan(-0.25)
            case Qt.Key.Key_Right:
                self.pan(0.25)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom(0.5)
            case Qt.Key.Key_Minus:
                self.zoom(2.0)
            case Qt.Key.Key_Up:
                self.change_gain(1)
            case Qt.Key.Key_Down:
                self.change_gain(-1)
            case _:
                super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit_axis()
        self._soon.start()

    def _clicked(self, click: Any) -> None:
        self.setFocus()
        if self._stacked is not None and click.button() == Qt.MouseButton.LeftButton:
            at = float(self._plot.getViewBox().mapSceneToView(click.scenePos()).y())
            for name, band in zip(self._stacked.names, self._stacked.bands, strict=True):
                if band.bottom <= at < band.top:
                    self.channel_chosen.emit(name)

    def _fit_axis(self) -> None:
        if self._stacked is None:
            return
        axis = self._plot.getAxis("left")
        metrics = QFontMetrics(self._font)
        labels = self._stacked.labels(self._plot.height(), metrics.height())
        axis.setTicks([labels])
        parts = [part for _, label in labels for part in label.split("\n")]
        axis.setWidth(max(metrics.horizontalAdvance(part) for part in parts) + 24)

    def _dragged(self, number: int, edge: Edge, at_s: float) -> None:
        if self._looking is not None:
            self.edge_moved.emit(number, edge, round(at_s * self._looking.source.rate_hz))
