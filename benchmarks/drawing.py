"""What drawing costs: `python -m benchmarks.drawing [--seconds S] [--hours H] [--json]`.

Eight channels at 2 kHz in a window of 10 s, shown in real time: the processor's time that the whole process spends on a
frame, as a share of one core at 30 frames per second; a busy machine paints fewer, and the share stays. Beside it, in
the same run, every point drawn again in every frame, and the same with the peaks that pyqtgraph itself picks. Then two
hours of simulated time: memory and time per frame, early and late.
Without a screen (QT_QPA_PLATFORM=offscreen, the default here) nothing is copied to a display.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from drivers.interface import Channel
from kindle.gui.look import look
from kindle.gui.traces.live import LiveTraces
from kindle.gui.traces.settings import Mode, TraceSettings

RATE_HZ, WINDOW_S, FRAMES_HZ = 2000.0, 10.0, 30
SIZE_PX = (1600, 900)
CHANNELS = tuple(Channel(f"EEG {n}", "eeg", "uV", 0.1) for n in range(1, 9))


@dataclass(frozen=True, slots=True)
class Cost:
    """``core_share``: of one core at 30 frames/s, from the processor's time of a frame; ``frames_hz`` were painted."""

    way: str
    core_share: float
    frames_hz: float


@dataclass(frozen=True, slots=True)
class Endurance:
    """The processor's time of a frame, median over the first and over the last tenth of ``hours`` of signal."""

    hours: float
    first_frame_ms: float
    last_frame_ms: float
    first_resident_mb: float
    last_resident_mb: float
    memory_method: str


class Painted(QObject):
    """Counts the frames that reached the window."""

    def __init__(self) -> None:
        super().__init__()
        self.n = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        self.n += event.type() == QEvent.Type.Paint
        return False


def signal(seconds: float) -> NDArray[np.int16]:
    """``(8, n)``: background, and large spikes throughout, which cost most columns of ink."""
    rng = np.random.default_rng(20260105)
    n = round(seconds * RATE_HZ)
    eeg = rng.normal(0, 600, (len(CHANNELS), n))
    eeg = (eeg[:, 3:] + eeg[:, 2:-1] + eeg[:, 1:-2] + eeg[:, :-3]) / 2
    for at in range(300, n - 400, 500):
        eeg[:, at : at + 60] -= 5000 * np.hanning(60)
    return np.asarray(eeg.clip(-32768, 32767), np.int16)


def shown(way: str, widget: QWidget, feed: Callable[[int], None], seconds: float) -> Cost:
    """In real time, after a window has been filled; ``feed`` is given the frame's number."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    painted = Painted()
    inner = widget.viewport() if isinstance(widget, pyqtgraph.GraphicsView) else widget
    inner.installEventFilter(painted)
    widget.resize(*SIZE_PX)
    widget.show()
    for filling in range(round(WINDOW_S * FRAMES_HZ)):
        feed(filling)
    application.processEvents()
    number, frames = round(WINDOW_S * FRAMES_HZ), round(seconds * FRAMES_HZ)
    begun, spent, before = time.perf_counter(), time.process_time(), painted.n

    def frame() -> None:
        nonlocal number
        # What is late is fed late, so that a way that cannot keep up shows in its frames.
        feed(number)
        number += 1
        if number >= round(WINDOW_S * FRAMES_HZ) + frames or time.perf_counter() - begun > 3 * seconds:
            application.quit()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(frame)
    timer.start(round(1000 / FRAMES_HZ))
    application.exec()
    timer.stop()
    wall = time.perf_counter() - begun
    n_painted = max(1, painted.n - before)
    cost = Cost(way, (time.process_time() - spent) / n_painted * FRAMES_HZ, n_painted / wall)
    widget.close()
    return cost


def incremental(mode: Mode, seconds: float) -> Cost:
    traces = LiveTraces(CHANNELS, RATE_HZ, look(), TraceSettings(window_s=WINDOW_S, mode=mode))
    traces.set_frames_of_its_own(False)
    counts, step = signal(60), round(RATE_HZ / FRAMES_HZ)
    starts = counts.shape[1] // step

    def feed(frame: int) -> None:
        at = frame % starts * step
        traces.push(frame * step, counts[:, at : at + step])
        traces.frame()

    return shown(f"envelope, incremental, {mode}", traces, feed, seconds)


def every_point(seconds: float, *, peaks: bool) -> Cost:
    """One curve for each channel, all of its points given again in every frame."""
    view = pyqtgraph.GraphicsLayoutWidget()
    curves = []
    for _ in CHANNELS:
        plot = view.addPlot()
        view.nextRow()
        plot.setXRange(0, WINDOW_S, padding=0)
        plot.setYRange(-8000, 8000)
        plot.disableAutoRange()
        curves.append(plot.plot(pen=pyqtgraph.mkPen("k"), autoDownsample=peaks, downsampleMethod="peak"))
    counts, step, n = signal(60), round(RATE_HZ / FRAMES_HZ), round(RATE_HZ * WINDOW_S)
    t = np.arange(n) / RATE_HZ

    def feed(frame: int) -> None:
        at = frame * step % (counts.shape[1] - n)
        for curve, row in zip(curves, counts, strict=True):
            curve.setData(t, row[at : at + n])

    way = "pyqtgraph, its own peaks" if peaks else "pyqtgraph, every point"
    return shown(way, view, feed, seconds)


def endurance(hours: float) -> Endurance:
    """Every frame is drawn, each thirtieth painted; trains and discharges come and go as in a session."""
    traces = LiveTraces(CHANNELS, RATE_HZ, look(), TraceSettings(window_s=WINDOW_S))
    traces.set_frames_of_its_own(False)
    traces.resize(*SIZE_PX)
    traces.show()
    counts, step = signal(60), round(RATE_HZ / FRAMES_HZ)
    starts, frames = counts.shape[1] // step, round(hours * 3600 * FRAMES_HZ)
    took_ms: list[float] = []
    resident: list[tuple[float, str]] = []
    tenth = frames // 10
    for frame in range(frames):
        at = frame % starts * step
        if frame % (60 * FRAMES_HZ) == 0:
            onset = frame * step
            traces.show_train(onset, onset + 2000)
            traces.show_discharge(onset + 3000, onset + 43_000)
        begun = time.process_time()
        traces.push(frame * step, counts[:, at : at + step])
        traces.frame()
        if frame % FRAMES_HZ == 0:
            traces.repaint()
        if not tenth <= frame < frames - tenth:
            took_ms.append(1e3 * (time.process_time() - begun))
        if frame in (tenth, frames - 1):
            resident.append(_resident_mb())
    traces.close()
    half = len(took_ms) // 2
    return Endurance(
        hours,
        statistics.median(took_ms[:half]),
        statistics.median(took_ms[half:]),
        resident[0][0],
        resident[1][0],
        resident[0][1],
    )


def _resident_mb() -> tuple[float, str]:
    """What the process holds now; where the system does not say, the most that it ever held."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, "resident now"
    if sys.platform == "win32":
        return float("nan"), "not known on this system"
    import resource

    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, "resident at most"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="of real time for each way of drawing")
    parser.add_argument("--hours", type=float, default=2.0, help="of simulated time; 0 leaves this out")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    QApplication.instance() or QApplication([])
    pyqtgraph.setConfigOptions(background="w", foreground="k")
    costs = [incremental(mode, asked.seconds) for mode in Mode]
    costs += [every_point(asked.seconds, peaks=peaks) for peaks in (True, False)]
    lasting = endurance(asked.hours) if asked.hours > 0 else None
    if asked.json:
        print(
            json.dumps({"costs": [asdict(cost) for cost in costs], "endurance": asdict(lasting) if lasting else None})
        )
        return
    print(f"8 channels x {WINDOW_S:g} s x 2 kHz, {SIZE_PX[0]} x {SIZE_PX[1]} pixels, {QGuiApplication.platformName()}")
    for cost in costs:
        print(f"  {cost.way:32} {100 * cost.core_share:6.1f} % of a core   {cost.frames_hz:5.1f} frames/s")
    if lasting is not None:
        print(
            f"  {lasting.hours:g} h simulated: {lasting.first_frame_ms:.2f} ms a frame early, "
            f"{lasting.last_frame_ms:.2f} ms late; {lasting.first_resident_mb:.0f} MB early, "
            f"{lasting.last_resident_mb:.0f} MB late ({lasting.memory_method})"
        )


if __name__ == "__main__":
    main()
