"""Trains for the StimJim: what it can play comes out as it was told, and anything else is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stimjim_bench import KINDLING, Rig

from drivers.interface import DeviceRefused, PulseTrain
from drivers.simulated.stimjim_device import StimJimDevice
from drivers.stimjim_codec import Summary
from drivers.stimjim_report import judge_summary
from drivers.stimjim_train import OutputStage, quantise


@pytest.mark.parametrize(
    ("summary", "complaint"),
    [
        (Summary(60, ((200, 0), (-200, 0))), ""),
        (Summary(60, ((218, 0), (-182, 0))), ""),
        (Summary(59, ((200, 0), (-200, 0))), "counted 59 pulses where 60 should come"),
        (Summary(60, ((200, 0), (-170, 0))), "measured -170 uA where -199.9 uA should flow"),
        (Summary(60, ((230, 0), (-200, 0))), "calibration"),
        (Summary(60, ((0, 200), (0, -200))), "measured 0 uA"),
        (Summary(60, ((-200, 0), (200, 0))), "measured -200 uA where 199.9 uA should flow"),
    ],
)
def test_every_stage_and_the_count_are_compared(summary: Summary, complaint: str) -> None:
    report = judge_summary(summary, quantise(KINDLING, OutputStage(0, 1000.0)), 0, 0.1)
    assert complaint in report.complaint
    assert bool(report.complaint) == bool(complaint)


def _stage(max_current_ua: float = 4000.0, offset: int = 11) -> OutputStage:
    return OutputStage(0, max_current_ua, offset=offset)


@pytest.mark.parametrize(
    ("train", "stage", "says"),
    [
        (PulseTrain(1200, 1000, 0, 60, 1), _stage(1000), r"asks 1200 uA; .* max_current_ua allows 1000 uA"),
        (PulseTrain(3400, 1000, 0, 60, 1), _stage(), r"asks 3400 uA; the StimJim puts out whole uA from 1 to 3300"),
        (PulseTrain(0.4, 1000, 0, 60, 1), _stage(), r"asks 0.4 uA; .* whole uA"),
        (PulseTrain(1, 1000, 0, 60, 1), _stage(), r"below this board's own offset of 1.12 uA"),
        (PulseTrain(200, 40, 0, 60, 1), _stage(), r"phase of 40 us; below 50 us .* may never end"),
        (PulseTrain(200, 1000, 20, 60, 1), _stage(), r"interphase gap of 20 us; below 50 us"),
        (PulseTrain(200, 0.3, 0, 60, 1), _stage(), r"phase of 0.3 us; the nearest possible is 0 us"),
        (PulseTrain(200, 1000, 0, 500, 1), _stage(), r"2000 us does not fit 500 Hz, a period of 2000 us"),
        (PulseTrain(200, 1000, 0, 999, 1, shape="monophasic"), _stage(), r"1000 us does not fit 999 Hz"),
        (PulseTrain(200, 50, 0, 90_000, 1), _stage(), r"pulse rate of 90000 Hz; the nearest possible is 90909.1 Hz"),
        (PulseTrain(200, 1000, 0, 1, 0.4), _stage(), r"makes 0 pulses"),
        (PulseTrain(200, 1000, 0, 0.01, 200), _stage(), r"makes 2 pulses; .* at least one pulse in 70 s"),
        (PulseTrain(200, 1000, 0, 1, 5000), _stage(), r"makes 5000 pulses; .* to 72 minutes"),
    ],
)
def test_what_the_instrument_cannot_play_is_refused_with_both_numbers(
    train: PulseTrain, stage: OutputStage, says: str
) -> None:
    with pytest.raises(DeviceRefused, match=says):
        quantise(train, stage)


@pytest.mark.parametrize("changes", [{"channel": 2}, {"max_current_ua": 0.0}, {"max_current_ua": float("nan")}])
def test_settings_that_cannot_be_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(DeviceRefused, match=next(iter(changes))):
        Rig(**changes)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, float("nan")])
def test_a_tolerance_that_lets_all_or_nothing_through_is_refused(tolerance: float) -> None:
    with pytest.raises(DeviceRefused, match="current_tolerance"):
        Rig(current_tolerance=tolerance)


SHAPES = st.sampled_from(["biphasic", "monophasic"])
POLARITIES = st.sampled_from(["cathodic_first", "anodic_first"])


@st.composite
def playable(draw: st.DrawFn) -> PulseTrain:
    """Trains on the grid and within the range: none of them may be refused."""
    period_us = draw(st.sampled_from([5000, 16_000, 16_667, 20_000, 33_333, 333_333]))
    phase_us = draw(st.integers(50, (period_us - 100) // 2))
    gap_us = period_us - 100 - 2 * phase_us
    interphase_us = draw(st.just(0) | st.integers(50, gap_us)) if gap_us >= 50 else 0
    n_pulses = draw(st.integers(1, 80))
    current_ua = draw(st.integers(2, 1000))
    hz = 1e6 / period_us
    return PulseTrain(current_ua, phase_us, interphase_us, hz, n_pulses / hz, draw(SHAPES), draw(POLARITIES))


@settings(deadline=None, max_examples=60)
@given(playable(), st.booleans(), st.integers(-12, 12))
def test_what_comes_out_is_what_prepare_returned(train: PulseTrain, positive_is_cathodic: bool, offset: int) -> None:
    device = StimJimDevice(current_offsets=(offset, 0))
    rig = Rig(device, positive_is_cathodic=positive_is_cathodic).ready()
    delivered = rig.fired(train)
    current = rig.current(0, 60_000_000)
    assert len(current) == train.n_phases * delivered.n_pulses == train.n_phases * train.n_pulses
    assert max(abs(ua) for _, ua, _ in current) <= 1000
    assert [abs(ua) for _, ua, _ in current] == pytest.approx([delivered.current_ua] * len(current))
    assert {us for _, _, us in current} == {delivered.phase_us}
    net_uc = sum(ua * us for _, ua, us in current) * 1e-6
    assert abs(net_uc) == pytest.approx(delivered.net_charge_uc, abs=1e-9)
    assert (current[0][1] > 0) == ((train.polarity == "cathodic_first") == positive_is_cathodic)
    rig.clock.now_us = 60_000_000
    rig.stimulator.rest()
    report = rig.stimulator.delivery_report()
    assert report is not None
    assert (report.n_pulses, report.complaint) == (train.n_pulses, "")
    rig.stimulator.close()


WILD = st.builds(
    PulseTrain,
    current_ua=st.floats(0.01, 1100),
    phase_us=st.floats(1, 5000),
    interphase_us=st.just(0.0) | st.floats(0, 2000),
    pulse_hz=st.floats(0.5, 400),
    train_s=st.floats(0.01, 2),
    shape=SHAPES,
    polarity=POLARITIES,
)


@settings(max_examples=300)
@given(WILD, st.sampled_from([50.0, 200.5, 1000.0]), st.integers(-12, 12))
def test_a_train_is_played_as_asked_or_refused(train: PulseTrain, max_current_ua: float, offset: int) -> None:
    try:
        delivered = quantise(train, OutputStage(0, max_current_ua, offset=offset)).delivered
    except DeviceRefused:
        return
    assert delivered.current_ua <= max_current_ua
    assert delivered.current_ua == pytest.approx(train.current_ua, rel=0.001, abs=1.2)
    assert delivered.phase_us == pytest.approx(train.phase_us, rel=0.0101)
    assert delivered.pulse_hz == pytest.approx(train.pulse_hz, rel=0.0101)
    assert delivered.n_pulses == train.n_pulses
    if train.shape == "biphasic":
        assert delivered.interphase_us == pytest.approx(train.interphase_us, rel=0.0101)
        assert delivered.net_charge_uc == 0.0
