"""The widget that shows a rig's signals as they come."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from drivers.interface import Block, Channel
from kindle.gui.look import Look
from kindle.gui.traces.face import Face
from kindle.gui.traces.headline import Headline, aside
from kindle.gui.traces.lanes import stepped
from kindle.gui.traces.mailbox import Mailbox
from kindle.gui.traces.marks import Span
from kindle.gui.traces.scene import Changed, Scene
from kindle.gui.traces.settings import Mode, TraceSettings, next_window_s

FRAME_MS = 33
HELD_S = 10.0
"""Of signal that waits for a window that is busy; more than that is not drawn."""


class LiveTraces(QWidget):
    """EEG, TTL and current monitor of a rig. Samples are counted as ``kindle.progress.Read`` counts them.

    ``push`` may be called from any thread and never waits; everything else belongs to the thread of the window. The
    display may drop blocks (``n_dropped``): the recording never does. Keys, where the traces have the focus: up and
    down choose a channel, + and - its gain, [ and ] the window, M scroll or sweep, P pause, left and right look back
    while paused.
    """

    settings_changed = Signal(object)
    """``TraceSettings``, whenever a person changed them: keep them."""
    paused_changed = Signal(bool)

    def __init__(
        self,
        channels: Sequence[Channel],
        rate_hz: float,
        look: Look,
        settings: TraceSettings | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.scene = Scene(channels, rate_hz, look, settings or TraceSettings())
        self._mailbox = Mailbox(round(HELD_S * rate_hz))
        self._face = Face(self.scene.channels, look, self.font())
        self._headline = Headline()
        self._said: tuple[str, str, str] = ("", "", "")
        self._chosen = 0
        self._last_tick = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Live traces")
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.frame)
        self._timer.start(FRAME_MS)

    def push(self, first_sample: int, block: Block) -> None:
        """``(n_channels, n)`` counts from any thread; copied, so that the caller may use the block again."""
        if block.shape[0] != len(self.scene.channels):
            raise ValueError(f"expected a block of {len(self.scene.channels)} channels, got {block.shape[0]}")
        self._mailbox.put(first_sample, block)

    def show_train(self, onset_sample: int, end_sample: int | None) -> None:
        """Shade a train; ``None`` while it goes on. The same onset again says more of the same train."""
        self._changed(self.scene.remark(self.scene.marks.train(Span(onset_sample, end_sample))))

    def show_discharge(self, onset_sample: int, end_sample: int | None, *, secondary: bool = False) -> None:
        """Shade a discharge, with a running clock while its end is ``None``. The same onset again changes its end."""
        self._changed(self.scene.remark(self.scene.marks.discharge(Span(onset_sample, end_sample, secondary))))
        self._say()

    def hide_discharges(self) -> None:
        """Forget discharges, clock and verdict: what the EEG says is not shown until the behaviour is scored."""
        self._headline = Headline()
        self._changed(self.scene.remark(self.scene.marks.forget_discharges()))
        self._say()

    def show_spike_rate(self, spike_hz: float | None) -> None:
        """Beside the running clock; ``None`` where there is nothing to count."""
        self._headline = replace(self._headline, spike_hz=spike_hz)
        self._say()

    def show_verdict(self, text: str, confidence: float | None = None) -> None:
        """One line above the traces; an empty text takes it away."""
        self._headline = replace(self._headline, verdict=text, confidence=confidence)
        self._say()

    def show_baseline(self, channel: str, baseline_uv: float | None, ratio: float = 2.0) -> None:
        """The band of ± baseline, and lines at ± ``ratio`` baselines; ``None`` or NaN takes them away."""
        if self.scene.marks.band(channel, baseline_uv, ratio):
            self._changed(self.scene.redraw())

    def show_gap(self, sample: int, n_lost: int) -> None:
        """Samples were lost before ``sample``."""
        self._changed(self.scene.remark(self.scene.marks.gap(sample, n_lost)))

    @property
    def settings(self) -> TraceSettings:
        return self.scene.settings

    def set_settings(self, settings: TraceSettings) -> None:
        self.scene.set_settings(settings)
        self.settings_changed.emit(settings)
        self.update()

    def set_paused(self, paused: bool) -> None:
        """The picture stands still; samples go on being taken in."""
        if paused != self.scene.paused:
            self.scene.set_paused(paused)
            self.paused_changed.emit(paused)
            self._say()
            self.update()

    def set_look(self, look: Look) -> None:
        self._face = Face(self.scene.channels, look, self.font())
        self.scene.set_look(look)
        self._fit()

    def clear(self) -> None:
        """Another session: no samples, no marks."""
        self._mailbox.take()
        self._headline = Headline()
        self.scene.clear()
        self.update()

    @property
    def n_dropped(self) -> int:
        """Samples per channel that the display did not take in because it was too slow."""
        return self._mailbox.n_dropped

    def headline(self) -> tuple[str, str]:
        """What stands above the traces on the left, and on the right."""
        marks = self.scene.marks
        return self._headline.left, self._headline.right(marks.running, self.scene.n_samples, self.scene.rate_hz)

    def aside(self) -> str:
        """What the display says of itself; empty where all is well."""
        return aside(paused=self.scene.paused, n_dropped=self.n_dropped, rate_hz=self.scene.rate_hz)

    def set_frames_of_its_own(self, own: bool) -> None:
        """Whether a timer calls ``frame``; otherwise somebody else does."""
        if own:
            self._timer.start(FRAME_MS)
        else:
            self._timer.stop()

    def frame(self) -> None:
        """Take in what came, and draw it; called 30 times a second."""
        for first_sample, block in self._mailbox.take():
            self.scene.push(first_sample, block)
        if self.isVisible():
            self._changed(self.scene.advance())
            self._say()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(900, 90 + 60 * len(self.scene.channels))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(360, 60 + 28 * len(self.scene.channels))

    def choose(self, row: int) -> None:
        """The channel whose gain the keys change."""
        self._chosen = max(0, min(row, len(self.scene.channels) - 1))
        self.update(self._face.gutter)

    def change_gain(self, step: int) -> None:
        """1 shows the chosen channel larger, -1 smaller."""
        name = self.scene.channels[self._chosen].name
        half = stepped(self.scene.half_range(self._chosen), -step)
        self.set_settings(msgspec.structs.replace(self.settings, half_ranges={**self.settings.half_ranges, name: half}))

    def change_window(self, step: int) -> None:
        """1 shows a longer stretch, -1 a shorter one."""
        self.set_settings(msgspec.structs.replace(self.settings, window_s=next_window_s(self.settings.window_s, step)))

    def change_mode(self) -> None:
        other = Mode.SWEEP if self.settings.mode is Mode.SCROLL else Mode.SCROLL
        self.set_settings(msgspec.structs.replace(self.settings, mode=other))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        match event.key():
            case Qt.Key.Key_Up:
                self.choose(self._chosen - 1)
            case Qt.Key.Key_Down:
                self.choose(self._chosen + 1)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.change_gain(1)
            case Qt.Key.Key_Minus:
                self.change_gain(-1)
            case Qt.Key.Key_BracketLeft:
                self.change_window(-1)
            case Qt.Key.Key_BracketRight:
                self.change_window(1)
            case Qt.Key.Key_M:
                self.change_mode()
            case Qt.Key.Key_P:
                self.set_paused(not self.scene.paused)
            case Qt.Key.Key_Left | Qt.Key.Key_Right if self.scene.paused:
                step_s = self.settings.window_s / 4
                self.scene.look_back(-step_s if event.key() == Qt.Key.Key_Left else step_s)
                self.update()
            case _:
                super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        y = (event.position().y() - self._face.plot.top()) * self.devicePixelRatioF()
        for row, lane in enumerate(self.scene.lanes):
            if lane.top <= y < lane.top + lane.height:
                self.choose(row)
        super().mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        if event.angleDelta().y():
            self.change_gain(1 if event.angleDelta().y() > 0 else -1)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self._fit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._fit()
        elif event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter, dirty = QPainter(self), event.region()
        if dirty.intersects(self._face.plot):
            self._paint_picture(painter, dirty.boundingRect())
        chosen = self._chosen if self.hasFocus() else None
        self._face.paint(painter, dirty, self.scene, self.devicePixelRatioF(), self._said, chosen)

    def _paint_picture(self, painter: QPainter, dirty: QRect) -> None:
        plot, pixels, ratio = self._face.plot, self.scene.picture.pixels, self.devicePixelRatioF()
        height, width = pixels.shape
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        if self.settings.mode is Mode.SWEEP:
            part = dirty.intersected(plot).translated(-plot.topLeft())
            left, top, wide, high = (round(ratio * edge) for edge in (part.x(), part.y(), part.width(), part.height()))
            source = QRect(left, top, wide, high)
            painter.drawImage(plot.topLeft() + part.topLeft(), image, source)
            return
        begin = self.scene.end_column % width
        painter.drawImage(plot.topLeft(), image, QRect(begin, 0, width - begin, height))
        if begin:
            right = plot.topLeft() + QPoint(round((width - begin) / ratio), 0)
            painter.drawImage(right, image, QRect(0, 0, begin, height))

    def _changed(self, changed: Changed | None) -> None:
        if changed is None:
            return
        plot = self._face.plot
        if changed.everything or self.settings.mode is Mode.SCROLL:
            self.update(plot)
            self.update(self._face.axis)
            if changed.last - changed.first >= self.scene.picture.width:
                self.update(self._face.gutter)
            return
        width, ratio = self.scene.picture.width, self.devicePixelRatioF()
        first, last = changed.first % width, changed.first % width + changed.last - changed.first
        for begin, end in ((first, min(last, width)), (0, last - width)):
            if begin < end:
                left, right = int(begin / ratio), int(-(-end // ratio))
                self.update(QRect(plot.left() + left, plot.top(), right - left + 1, plot.height()).intersected(plot))
        tick = int(self.scene.seconds_of(self.scene.end_column) / self.scene.tick_s)
        if tick != self._last_tick:
            self._last_tick = tick
            self.update(self._face.axis)

    def _say(self) -> None:
        said = (*self.headline(), self.aside())
        if said != self._said:
            self._said = said
            self.update(self._face.header)

    def _fit(self) -> None:
        self._face.resize(self.width(), self.height())
        plot, ratio = self._face.plot, self.devicePixelRatioF()
        self.scene.resize(int(plot.width() * ratio), int(plot.height() * ratio), max(1, round(ratio)))
        self.update()
