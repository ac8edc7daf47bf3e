"""A train as samples of an analogue output: what is rounded, what never changes, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from drivers.daq_output import Armed, BoardFacts
from drivers.interface import DeviceRefused, PulseTrain
from drivers.isolator import IsolatorPlan
from drivers.isolator_train import OutputStage, grid_of

USB_6212 = BoardFacts("a board", -10.0, 10.0, 20 / 2**16, 250e3, 4095)
STAGE = OutputStage(ua_per_v=100.0, max_current_ua=900.0)


def plan(marker: str = "ao1", stage: OutputStage = STAGE, *, allow_streaming: bool = False) -> IsolatorPlan:
    return IsolatorPlan("Dev1", "ao0", marker, stage, allow_streaming)


@pytest.mark.parametrize(
    ("pulse_hz", "phase_us", "rate_hz", "period"),
    [(50.0, 1000.0, 1000.0, 20), (60.0, 1000.0, 3000.0, 50), (62.5, 1000.0, 1000.0, 16), (60.0, 500.0, 6000.0, 100)],
)
def test_the_slowest_clock_that_keeps_the_train_is_taken(
    pulse_hz: float, phase_us: float, rate_hz: float, period: int
) -> None:
    """Sixty pulses a second of 1 ms are 50 samples each at 3 kHz: a second of it fits into the board's memory."""
    grid = grid_of(PulseTrain(100, phase_us, 0, pulse_hz, 1), 100e3)
    assert grid.rate_hz == pytest.approx(rate_hz)
    assert grid.period == period


def test_a_gap_within_the_pulse_is_on_the_grid_too() -> None:
    grid = grid_of(PulseTrain(100, 500, 100, 50, 1), 100e3)
    assert (grid.rate_hz, grid.phase, grid.interphase, grid.period) == (10e3, 5, 1, 200)


def trains() -> st.SearchStrategy[PulseTrain]:
    return st.builds(
        PulseTrain,
        current_ua=st.floats(0.5, 900),
        phase_us=st.sampled_from([100.0, 200.0, 500.0, 1000.0, 2000.0]),
        interphase_us=st.sampled_from([0.0, 100.0, 1000.0]),
        pulse_hz=st.floats(1, 200),
        train_s=st.floats(0.1, 5),
        shape=st.sampled_from(["biphasic", "monophasic"]),
        polarity=st.sampled_from(["cathodic_first", "anodic_first"]),
    )


@given(train=trains(), marker=st.sampled_from(["ao1", "ctr0", "port0/line0"]))
def test_whatever_is_played_is_what_is_said_and_ends_at_rest(train: PulseTrain, marker: str) -> None:
    try:
        planned = plan(marker, allow_streaming=True).plan(train, USB_6212)
    except DeviceRefused:
        reject()
    waveform = planned.programme.waveform
    assert waveform is not None
    delivered = planned.delivered(Armed(waveform.rate_hz))
    ua = waveform.volts[0] * STAGE.ua_per_v
    sample_us = 1e6 / waveform.rate_hz
    assert (waveform.volts[:, -1] == 0.0).all()
    assert np.abs(ua).max() <= STAGE.max_current_ua
    assert np.abs(ua).max() == pytest.approx(delivered.current_ua)
    assert delivered.current_ua == pytest.approx(train.current_ua, rel=0.01, abs=USB_6212.step_v * STAGE.ua_per_v)
    assert abs(ua.sum() * sample_us * 1e-6) == pytest.approx(delivered.net_charge_uc, abs=1e-6)
    if train.shape == "biphasic":
        # Exactly, not nearly: the codes of the two phases are opposite.
        assert ua.sum() == pytest.approx(0.0, abs=1e-9)
    leading = np.sign(ua) == np.sign(ua[0])
    starts = np.flatnonzero(leading & ~np.append(False, leading[:-1]))
    assert starts.size == delivered.n_pulses == train.n_pulses
    assert np.diff(starts) * sample_us == pytest.approx(np.full(starts.size - 1, delivered.period_us))
    for row, (low_v, high_v) in zip(waveform.volts, waveform.limits_v, strict=True):
        assert low_v <= row.min() <= row.max() <= high_v


@given(train=trains())
def test_a_train_that_the_board_does_not_hold_is_refused_unless_streaming_is_allowed(train: PulseTrain) -> None:
    try:
        waveform = plan().plan(train, USB_6212).programme.waveform
    except DeviceRefused:
        reject()
    assert waveform is not None
    assert waveform.volts.shape[1] <= USB_6212.memory


def test_the_refusal_of_a_long_train_says_why_and_what_helps() -> None:
    long = PulseTrain(100, 500, 100, 60, 10)
    with pytest.raises(DeviceRefused, match=r"the last voltage would stay on.*allow_streaming"):
        plan().plan(long, USB_6212)
    assert plan(allow_streaming=True).plan(long, USB_6212).programme.waveform is not None


def test_polarity_and_wiring_decide_the_sign() -> None:
    train = PulseTrain(100, 1000, 0, 50, 0.1)
    first_volts = []
    for positive_is_cathodic in (False, True):
        stage = OutputStage(100.0, 900.0, positive_is_cathodic)
        waveform = plan(stage=stage).plan(train, USB_6212).programme.waveform
        assert waveform is not None
        first_volts.append(waveform.volts[0, 0])
    assert first_volts == pytest.approx([-1.0, 1.0], abs=1e-3)


def test_a_marker_on_an_output_is_high_for_whole_periods() -> None:
    waveform = plan().plan(PulseTrain(100, 1000, 0, 60, 1), USB_6212).programme.waveform
    assert waveform is not None
    assert waveform.volts[1].tolist() == [5.0] * 3000 + [0.0]


def test_a_marker_on_a_counter_is_one_pulse_that_begins_with_the_waveform() -> None:
    (pulse,) = plan("ctr0").plan(PulseTrain(100, 1000, 0, 60, 1), USB_6212).programme.pulses
    assert (pulse.high_s, pulse.n_pulses, pulse.starts_with) == (1.0, 1, "/Dev1/ao/StartTrigger")


@pytest.mark.parametrize(
    "train",
    [
        pytest.param(PulseTrain(900.5, 1000, 0, 50, 1), id="current above the cap"),
        pytest.param(PulseTrain(0.01, 1000, 0, 50, 1), id="less than a step of the converter"),
        pytest.param(PulseTrain(100, 1000, 0, 500, 1), id="no rest between pulses"),
        pytest.param(PulseTrain(100, 1000, 0, 1000, 1, shape="monophasic"), id="direct current"),
        pytest.param(PulseTrain(100, 1000, 1.0, 50, 1), id="a gap finer than any clock"),
        pytest.param(PulseTrain(100, 1, 0, 50, 1), id="a phase finer than any clock"),
        pytest.param(PulseTrain(100, 1000, 0, 50, 0.001), id="no pulse at all"),
        pytest.param(PulseTrain(100, 1000, 0, 50, 1e6), id="a train of days"),
    ],
)
def test_what_cannot_be_played_is_refused(train: PulseTrain) -> None:
    with pytest.raises(DeviceRefused):
        plan(allow_streaming=True).plan(train, USB_6212)


def test_a_current_at_the_cap_is_never_rounded_above_it() -> None:
    """100 uA are 3276.8 steps: 3277 would be 100.006 uA."""
    planned = plan(stage=OutputStage(100.0, 100.0)).plan(PulseTrain(100, 1000, 0, 50, 1), USB_6212)
    assert planned.delivered(Armed(1000.0)).current_ua == pytest.approx(3276 * 100 * 20 / 2**16)


def test_a_range_that_the_board_cannot_command_is_refused() -> None:
    coarse = OutputStage(ua_per_v=10.0, max_current_ua=900.0)
    with pytest.raises(DeviceRefused, match="another range"):
        plan(stage=coarse).plan(PulseTrain(200, 1000, 0, 50, 1), USB_6212)


def test_a_board_that_plays_at_another_rate_is_refused() -> None:
    planned = plan().plan(PulseTrain(100, 1000, 0, 50, 1), USB_6212)
    with pytest.raises(DeviceRefused, match="1200 Hz"):
        planned.delivered(Armed(1200.0))


@pytest.mark.parametrize(("channel", "marker"), [("ao0", "ao0"), ("ctr0", "ao1"), ("ao0", "PFI1"), ("ao0", "")])
def test_wiring_that_cannot_be_is_refused(channel: str, marker: str) -> None:
    with pytest.raises(DeviceRefused):
        IsolatorPlan("Dev1", channel, marker, STAGE)
