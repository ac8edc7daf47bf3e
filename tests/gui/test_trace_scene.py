"""What the live traces show: drawn bit by bit it is the same picture as drawn at once."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.interface import Channel
from kindle.gui.look import DARK, LIGHT
from kindle.gui.traces.lanes import Scale, laid_out, scale_of, stepped, told
from kindle.gui.traces.marks import Marks, Span
from kindle.gui.traces.picture import argb, mixed
from kindle.gui.traces.scene import Scene
from kindle.gui.traces.settings import Mode, TraceSettings, next_window_s

CHANNELS = (
    Channel("AMY", "eeg", "uV", 0.1),
    Channel("TTL", "stimulus_ttl", "V", 5 / 32768),
    Channel("Monitor", "current_monitor", "uA", 0.05),
)
FIXED = {"AMY": 1000.0, "Monitor": 500.0}
"""Scales that do not follow the signal, so that pictures can be compared."""


def scene(
    mode: Mode = Mode.SCROLL,
    rate_hz: float = 2000.0,
    window_s: float = 5.0,
    width: int = 200,
    channels: tuple[Channel, ...] = CHANNELS,
) -> Scene:
    made = Scene(channels, rate_hz, LIGHT, TraceSettings(window_s, mode, FIXED))
    made.resize(width, 90, 1)
    return made


def signal(n: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    counts = np.zeros((3, n), np.int16)
    counts[0] = rng.normal(0, 2500, n).clip(-32768, 32767)
    counts[1] = np.where(np.arange(n) // 700 % 3 == 0, 32767, 0)
    counts[2] = rng.normal(0, 1500, n)
    return counts


@given(
    cuts=st.lists(st.integers(1, 4000), min_size=1, max_size=25),
    mode=st.sampled_from(Mode),
    rate_hz=st.sampled_from([20.0, 250.0, 2000.0]),
    trains=st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 3000)), max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_drawn_as_it_came_the_picture_is_the_same_as_drawn_at_once(
    cuts: list[int], mode: Mode, rate_hz: float, trains: list[tuple[int, int]]
) -> None:
    # The middle of an EEG lane follows the signal when the whole is drawn again; that of others does not.
    unmoved = (msgspec.structs.replace(CHANNELS[0], role="aux"), *CHANNELS[1:])
    shown, at = scene(mode, rate_hz, channels=unmoved), 0
    counts = signal(sum(cuts))
    for number, n in enumerate(cuts):
        shown.push(at, counts[:, at : at + n])
        at += n
        shown.advance()
        for onset, length in trains[number : number + 1]:
            shown.remark(shown.marks.train(Span(onset, onset + length)))
            shown.remark(shown.marks.discharge(Span(onset + length, None)))
    bit_by_bit = shown.picture.pixels.copy()
    shown.redraw()
    np.testing.assert_array_equal(bit_by_bit, shown.picture.pixels)


def test_a_spike_of_one_sample_is_seen_in_two_minutes_of_signal() -> None:
    shown = scene(window_s=120.0)
    counts = np.zeros((3, 240_000), np.int16)
    counts[0, 123_457] = 9000
    shown.push(0, counts)
    shown.advance()
    lane = shown.lanes[0]
    inked = shown.picture.pixels[lane.top : lane.top + lane.height // 4] == argb(LIGHT.trace)
    assert np.flatnonzero(inked.any(axis=0)).tolist() == [123_457 * 200 // 240_000]


def test_a_slow_signal_is_a_line_without_holes() -> None:
    shown = scene(rate_hz=20.0)
    shown.push(0, signal(400))
    shown.advance()
    lane = shown.lanes[0]
    inked = (shown.picture.pixels[lane.top : lane.top + lane.height] == argb(LIGHT.trace)).any(axis=0)
    assert inked.sum() >= 195


def test_samples_that_were_passed_over_leave_a_hole() -> None:
    shown = scene()
    counts = signal(10_000)
    shown.push(0, counts[:, :4000])
    shown.push(6000, counts[:, 6000:])
    shown.advance()
    lane = shown.lanes[0]
    inked = (shown.picture.pixels[lane.top : lane.top + lane.height] == argb(LIGHT.trace)).any(axis=0)
    assert np.flatnonzero(~inked).tolist() == list(range(80, 120))


def test_a_sweep_is_blank_ahead_of_the_newest_sample() -> None:
    shown = scene(Mode.SWEEP)
    shown.push(0, signal(14_000))
    shown.advance()
    newest = shown.end_column % 200
    ahead = shown.picture.pixels[: shown.lanes[0].height, newest : newest + 4]
    assert (ahead == argb(LIGHT.ground)).all()
    assert not (shown.picture.pixels[: shown.lanes[0].height, newest + 4] == argb(LIGHT.ground)).all()


def test_a_mark_that_changes_behind_the_newest_sample_leaves_the_gap_of_the_sweep_blank() -> None:
    shown = scene(Mode.SWEEP)
    shown.push(0, signal(14_000))
    shown.advance()
    shown.remark(shown.marks.train(Span(0, 10)))
    newest = shown.end_column % 200
    assert (shown.picture.pixels[: shown.lanes[0].height, newest : newest + 4] == argb(LIGHT.ground)).all()


@pytest.mark.parametrize("mode", Mode)
def test_of_the_recording_before_nothing_is_left_on_the_screen(mode: Mode) -> None:
    again, fresh = scene(mode), scene(mode)
    again.push(0, signal(9000, seed=2))
    again.remark(again.marks.discharge(Span(100, None)))
    again.advance()
    for shown in (again, fresh):
        shown.push(0, signal(3000))
        shown.advance()
    np.testing.assert_array_equal(again.picture.pixels, fresh.picture.pixels)


def test_only_the_columns_that_came_are_drawn() -> None:
    shown = scene(Mode.SWEEP)
    counts = signal(4100)
    shown.push(0, counts[:, :4000])
    shown.advance()
    shown.push(4000, counts[:, 4000:])
    changed = shown.advance()
    assert changed is not None
    assert (changed.first, changed.last) == (80, 82 + 4)


def test_a_paused_picture_stands_still_and_goes_on_with_everything_that_came() -> None:
    shown = scene()
    counts = signal(30_000)
    shown.push(0, counts[:, :12_000])
    shown.advance()
    before = shown.picture.pixels.copy()
    shown.set_paused(True)
    shown.push(12_000, counts[:, 12_000:])
    assert shown.advance() is None
    np.testing.assert_array_equal(before, shown.picture.pixels)
    shown.look_back(-2.0)
    assert shown.shown == (0, 200)
    shown.look_back(+1000.0)
    assert shown.shown == (400, 600)
    shown.set_paused(False)
    assert shown.end_column == 600


def test_another_gain_or_window_while_paused_shows_the_same_moment() -> None:
    shown = scene()
    shown.push(0, signal(40_000))
    shown.advance()
    shown.set_paused(True)
    shown.look_back(-8.0)
    assert shown.seconds_of(shown.end_column) == pytest.approx(12.0, abs=0.05)
    shown.set_settings(TraceSettings(10.0, Mode.SCROLL, {"AMY": 500.0}))
    assert shown.seconds_of(shown.end_column) == pytest.approx(12.0, abs=0.05)
    shown.set_paused(False)
    assert shown.seconds_of(shown.end_column) == pytest.approx(20.0, abs=0.05)


def test_nothing_is_looked_back_at_before_the_ring_begins() -> None:
    shown = scene()
    counts = signal(10_000)
    for at in range(0, 400_000, 10_000):
        shown.push(at, counts)
    shown.advance()
    shown.set_paused(True)
    shown.look_back(-1000.0)
    first, last = shown.shown
    assert shown.seconds_of(first + 100) >= 400_000 / 2000 - 121
    assert last > first


def test_a_discharge_that_goes_on_is_shaded_up_to_the_newest_column() -> None:
    shown = scene()
    shown.push(0, np.zeros((3, 8000), np.int16))
    shown.advance()
    shown.remark(shown.marks.discharge(Span(5000, None)))
    shown.push(8000, np.zeros((3, 1000), np.int16))
    shown.advance()
    shaded = shown.picture.pixels[1] == argb(LIGHT.discharge)
    lines = {100, 160}
    """Where the onset stands, and the fourth second."""
    assert set(np.flatnonzero(shaded)) == set(range(100, 180)) - lines
    shown.remark(shown.marks.discharge(Span(5000, 7000)))
    shaded = shown.picture.pixels[1] == argb(LIGHT.discharge)
    assert set(np.flatnonzero(shaded)) == set(range(100, 140)) - lines


def test_marks_say_from_where_the_picture_is_another_one() -> None:
    marks = Marks()
    assert marks.discharge(Span(100, None)) == 100
    assert marks.discharge(Span(100, None)) is None
    assert marks.discharge(Span(100, 900)) == 900
    assert marks.discharge(Span(100, 700)) == 700
    assert marks.running is None
    assert marks.forget_discharges() == 100
    assert marks.discharges == ()


def test_no_number_of_marks_makes_memory_grow() -> None:
    marks = Marks()
    for onset in range(0, 2_000_000, 1000):
        marks.discharge(Span(onset, onset + 10))
    assert len(marks.discharges) == 500


def test_marks_go_with_the_samples_that_they_belong_to_so_that_frames_cost_the_same_after_hours() -> None:
    shown = scene()
    counts = signal(20_000)
    shown.marks.discharge(Span(1000, None))
    for first in range(0, 40 * 20_000, 20_000):
        shown.remark(shown.marks.train(Span(first, first + 2000)))
        shown.remark(shown.marks.gap(first + 5000, 3))
        shown.push(first, counts)
        shown.advance()
    oldest = 39 * 20_000 + 20_000 - 121 * 2000
    kept = shown.marks.grounds(np.arange(0, 800_001, 50.0))
    first_train = int(np.flatnonzero(kept == 3)[0]) * 50
    assert oldest - 20_000 <= first_train
    assert shown.marks.running == Span(1000, None), "what goes on is kept however long it does"
    lost = shown.marks.lines(np.arange(0, 800_001, 50.0), 1e12)
    assert (lost == 4).sum() <= 13


def test_lanes_fill_the_height_and_none_touches_another() -> None:
    lanes = laid_out(CHANNELS, 200)
    assert lanes[0].top == 0
    assert lanes[-1].top + lanes[-1].height == 200
    assert all(one.top + one.height + 3 == other.top for one, other in pairwise(lanes))
    assert lanes[0].height > lanes[2].height > lanes[1].height


@pytest.mark.parametrize(
    ("half", "larger", "smaller"), [(1000.0, 2000.0, 500.0), (0.5, 1.0, 0.2), (300.0, 500.0, 200.0)]
)
def test_gain_steps_by_one_two_five(half: float, larger: float, smaller: float) -> None:
    assert stepped(half, +1) == pytest.approx(larger)
    assert stepped(half, -1) == pytest.approx(smaller)


def test_an_amplifiers_offset_is_taken_away_and_small_sways_are_not_followed() -> None:
    eeg = CHANNELS[0]
    first = scale_of(eeg, TraceSettings(), 900.0, 1100.0, None)
    assert first == Scale(1000.0, 1000.0)
    assert scale_of(eeg, TraceSettings(), 1000.0, 1200.0, first) is first
    assert scale_of(eeg, TraceSettings(), -100.0, 100.0, first) == Scale(0.0, 1000.0)


def test_the_monitor_grows_until_its_current_fits_and_does_not_flicker() -> None:
    monitor = CHANNELS[2]
    small = scale_of(monitor, TraceSettings(), -8.0, 8.0, None)
    assert small.half == 10.0
    large = scale_of(monitor, TraceSettings(), -150.0, 150.0, small)
    assert large.half == 200.0
    assert scale_of(monitor, TraceSettings(), -60.0, 60.0, large) is large


def test_an_eeg_in_volts_is_shown_at_one_millivolt_as_well() -> None:
    assert scale_of(Channel("A", "eeg", "V", 1e-7), TraceSettings(), 0.0, 0.0, None).half == pytest.approx(1e-3)


def test_a_value_is_told_in_the_unit_with_fewest_digits() -> None:
    assert [told(500.0, "uV"), told(2000.0, "uV"), told(20.0, "uA"), told(5.0, "V")] == [
        "500 µV",
        "2 mV",
        "20 µA",
        "5 V",
    ]


def test_windows_outside_five_to_a_hundred_and_twenty_seconds_are_refused() -> None:
    for window_s in (4.9, 121.0, float("nan")):
        with pytest.raises(ValueError, match="traces show 5 to 120 s"):
            TraceSettings(window_s)
    assert [next_window_s(7.0, 1), next_window_s(7.0, -1), next_window_s(120.0, 1), next_window_s(5.0, -1)] == [
        10.0,
        5.0,
        120.0,
        5.0,
    ]


def test_another_look_draws_the_same_traces_in_its_own_colours() -> None:
    shown = scene()
    shown.push(0, signal(10_000))
    shown.advance()
    light = shown.picture.pixels == argb(LIGHT.trace)
    shown.set_look(DARK)
    np.testing.assert_array_equal(light, shown.picture.pixels == argb(DARK.trace))


@pytest.mark.parametrize("eeg", [CHANNELS[0], Channel("AMY", "eeg", "mV", 1e-4)])
def test_the_band_is_one_baseline_and_the_lines_are_the_criterion_to_either_side_of_the_middle(eeg: Channel) -> None:
    shown = Scene((eeg,), 2000.0, LIGHT, TraceSettings(5.0))
    shown.resize(200, 101, 1)
    counts = np.full((1, 10_000), 700, np.int16)
    shown.push(0, counts)
    shown.advance()
    assert shown.marks.band("AMY", 200.0, 2.0)
    shown.redraw()
    column = shown.picture.pixels[:, 3].tolist()
    banded = [row for row, colour in enumerate(column) if colour == argb(mixed(LIGHT.band, LIGHT.ground, 0.7))]
    assert (banded[0], banded[-1]) == (40, 60)
    assert column[50] == argb(LIGHT.trace)
    dashed = shown.picture.pixels == argb(LIGHT.criterion)
    assert np.flatnonzero(dashed.any(axis=1)).tolist() == [30, 70]
    assert not shown.marks.band("AMY", 200.0, 2.0)
    assert shown.marks.band("AMY", float("nan"), 2.0)
    shown.redraw()
    assert not (shown.picture.pixels == argb(LIGHT.criterion)).any()


def test_where_samples_were_lost_a_line_stands() -> None:
    shown = scene()
    shown.push(0, np.zeros((3, 10_000), np.int16))
    shown.advance()
    shown.remark(shown.marks.gap(7030, 500))
    assert np.flatnonzero(shown.picture.pixels[1] == argb(LIGHT.lost)).tolist() == [140]


@pytest.mark.parametrize(("count", "at_the_top"), [(32_767, True), (-32_768, False)])
def test_a_signal_beyond_its_lane_stands_at_the_border_of_it(count: int, at_the_top: bool) -> None:
    """A saturated amplifier must not look like one that is not connected."""
    channels = (Channel("X", "aux", "V", 1.0), Channel("Y", "aux", "V", 1.0))
    shown = Scene(channels, 2000.0, LIGHT, TraceSettings(5.0, half_ranges={"X": 100.0, "Y": 100.0}))
    shown.resize(200, 90, 1)
    shown.push(0, np.stack([np.full(10_000, count, np.int16), np.zeros(10_000, np.int16)]))
    shown.advance()
    lane, other = shown.lanes
    inked = np.flatnonzero(shown.picture.pixels[:, 50] == argb(LIGHT.trace)).tolist()
    assert inked == [lane.top if at_the_top else lane.last, other.top + (other.height - 1) // 2]
