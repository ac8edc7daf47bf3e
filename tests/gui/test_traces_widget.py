"""The live traces as a person meets them: keys, clock, theme, and a display that never holds up the recording."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from drivers.interface import Channel
from kindle.gui.look import DARK, LIGHT, Look, look
from kindle.gui.traces.live import LiveTraces
from kindle.gui.traces.settings import Mode, TraceSettings

CHANNELS = (Channel("AMY", "eeg", "uV", 0.1), Channel("TTL", "stimulus_ttl", "V", 5 / 32768))
RATE_HZ = 1000.0


def contrast(one: str, other: str) -> float:
    """1 (the same) to 21 (black on white), as WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.fixture
def traces(qtbot: QtBot) -> LiveTraces:
    made = LiveTraces(CHANNELS, RATE_HZ, LIGHT)
    made.set_frames_of_its_own(False)
    made.resize(700, 300)
    qtbot.addWidget(made)
    made.show()
    made.setFocus()
    return made


def feed(traces: LiveTraces, first: int, n: int, value: int = 0) -> None:
    traces.push(first, np.full((2, n), value, np.int16))
    traces.frame()


def picture(traces: LiveTraces) -> QImage:
    return traces.grab().toImage()


def test_the_running_clock_counts_from_the_onset_and_stops_with_the_end(traces: LiveTraces) -> None:
    feed(traces, 0, 8000)
    traces.show_discharge(3000, None)
    traces.show_spike_rate(3.25)
    assert traces.headline() == ("", "afterdischarge 5.0 s  ·  3.2 spikes/s")
    feed(traces, 8000, 500)
    assert traces.headline() == ("", "afterdischarge 5.5 s  ·  3.2 spikes/s")
    traces.show_discharge(3000, 8200)
    traces.show_verdict("Afterdischarge, 5.2 s", 0.97)
    assert traces.headline() == ("Afterdischarge, 5.2 s  ·  confidence 0.97", "")


def test_a_blinded_observer_sees_nothing_of_what_the_eeg_says(traces: LiveTraces) -> None:
    feed(traces, 0, 8000)
    before = picture(traces)
    traces.show_discharge(3000, 5000)
    traces.show_verdict("Afterdischarge", 0.9)
    assert picture(traces) != before
    traces.hide_discharges()
    assert traces.headline() == ("", "")
    assert picture(traces) == before


def test_keys_change_gain_window_and_mode_and_say_so(traces: LiveTraces, qtbot: QtBot) -> None:
    told: list[TraceSettings] = []
    traces.settings_changed.connect(told.append)
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_BracketRight, Qt.Key.Key_M, Qt.Key.Key_Down, Qt.Key.Key_Minus):
        qtbot.keyClick(traces, key)
    assert told[-1] == TraceSettings(20.0, Mode.SWEEP, {"AMY": 500.0, "TTL": 5.0})
    assert traces.settings == told[-1]


def test_p_pauses_and_the_screen_says_so_while_samples_go_on_being_taken_in(traces: LiveTraces, qtbot: QtBot) -> None:
    feed(traces, 0, 20_000)
    qtbot.keyClick(traces, Qt.Key.Key_P)
    still = picture(traces)
    feed(traces, 20_000, 5000, 3000)
    assert picture(traces) == still
    assert traces.aside() == "PAUSED"
    qtbot.keyClick(traces, Qt.Key.Key_Left)
    assert traces.scene.shown[1] < traces.scene.picture.width * 2
    qtbot.keyClick(traces, Qt.Key.Key_P)
    assert traces.scene.seconds_of(traces.scene.end_column) == pytest.approx(25.0, abs=0.1)


class Around(QWidget):
    """The window of a session, as far as keys go."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[int] = []

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        self.heard.append(event.key())


def test_keys_of_the_session_reach_the_window_around_the_traces(qtbot: QtBot) -> None:
    """Stages, items, Esc, Enter and Space belong to the session, wherever the focus is."""
    around = Around()
    qtbot.addWidget(around)
    traces = LiveTraces(CHANNELS, RATE_HZ, LIGHT, parent=around)
    wanted = [Qt.Key.Key_0, Qt.Key.Key_5, Qt.Key.Key_B, Qt.Key.Key_E, Qt.Key.Key_W, Qt.Key.Key_N, Qt.Key.Key_V]
    wanted += [Qt.Key.Key_F1, Qt.Key.Key_F8, Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Escape]
    for key in wanted:
        qtbot.keyClick(traces, key)
    assert around.heard == wanted
    assert traces.settings == TraceSettings()


def test_a_window_that_fell_behind_says_how_much_was_not_drawn(traces: LiveTraces) -> None:
    for first in range(0, 30_000, 1000):
        traces.push(first, np.zeros((2, 1000), np.int16))
    traces.frame()
    assert traces.n_dropped == 20_000
    assert traces.aside() == "20.0 s not drawn, all recorded"


def test_a_hidden_display_takes_samples_in_and_draws_them_when_it_is_seen_again(traces: LiveTraces) -> None:
    feed(traces, 0, 5000)
    drawn = traces.scene.end_column
    traces.hide()
    feed(traces, 5000, 5000)
    assert traces.scene.end_column == drawn
    traces.show()
    traces.frame()
    assert traces.scene.seconds_of(traces.scene.end_column) == pytest.approx(10.0, abs=0.05)


def test_a_block_of_other_channels_is_refused(traces: LiveTraces) -> None:
    with pytest.raises(ValueError, match="expected a block of 2 channels"):
        traces.push(0, np.zeros((3, 10), np.int16))


@pytest.mark.parametrize("chosen", [look(dark=dark, large=large) for dark in (False, True) for large in (False, True)])
def test_the_traces_are_readable_in_every_look(traces: LiveTraces, chosen: Look) -> None:
    feed(traces, 0, 20_000)
    traces.set_look(chosen)
    image = picture(traces)
    inside = {image.pixelColor(x, 60).name() for x in range(traces.width() // 2, traces.width() - 20)}
    assert QColor(chosen.ground).name() in inside
    assert image.pixelColor(4, image.height() // 3).name() in (QColor(chosen.panel).name(), QColor(chosen.focus).name())


@pytest.mark.parametrize("chosen", [LIGHT, DARK])
def test_every_text_and_every_line_stands_out_from_its_ground(chosen: Look) -> None:
    """WCAG 2: 4.5 for text, 3 for lines and large areas that carry a meaning."""
    for ground in (chosen.panel, chosen.ground):
        assert contrast(chosen.ink, ground) >= 7
        assert contrast(chosen.quiet, ground) >= 4.5
        assert contrast(chosen.warning, ground) >= 4.5
        assert contrast(chosen.good, ground) >= 4.5
        assert contrast(chosen.focus, ground) >= 3
    for text, button in (
        (chosen.stop_text, chosen.stop),
        (chosen.arm_text, chosen.arm),
        (chosen.fire_text, chosen.fire),
    ):
        assert contrast(text, button) >= 4.5
    for ground in (chosen.ground, chosen.discharge, chosen.band):
        assert contrast(chosen.trace, ground) >= 7
        for line in (chosen.onset, chosen.end, chosen.criterion):
            assert contrast(line, ground) >= 3


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_at_twice_the_density_the_picture_has_twice_the_pixels(
    traces: LiveTraces, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = traces.scene.picture.pixels.shape
    monkeypatch.setattr(LiveTraces, "devicePixelRatioF", lambda self: 2.0)
    traces.resize(traces.width() + 1, traces.height())
    twice = traces.scene.picture.pixels.shape
    assert twice[0] == 2 * once[0]
    assert twice[1] == 2 * (once[1] + 1)
