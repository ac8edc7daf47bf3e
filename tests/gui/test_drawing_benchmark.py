"""The benchmark of drawing runs, and what it is there to show holds."""

from pytestqt.qtbot import QtBot

from benchmarks.drawing import endurance, every_point, incremental
from kindle.gui.traces.settings import Mode


def test_drawn_bit_by_bit_the_traces_cost_less_than_half_of_drawing_every_point(qtbot: QtBot) -> None:
    cheap = incremental(Mode.SCROLL, 0.5)
    dear = every_point(0.5, peaks=False)
    assert cheap.frames_hz > 1
    assert cheap.core_share < 0.5 * dear.core_share


def test_neither_memory_nor_the_time_of_a_frame_grows(qtbot: QtBot) -> None:
    lasting = endurance(0.01)
    assert lasting.last_frame_ms < 3 * lasting.first_frame_ms
    assert not lasting.last_resident_mb > lasting.first_resident_mb + 20
