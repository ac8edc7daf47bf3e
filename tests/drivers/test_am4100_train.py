"""Trains for the 4100: what it can play comes out as it was told, and anything else is refused."""

import pytest
from am4100_bench import Rig
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.am4100_train import OutputStage, quantise
from drivers.interface import DeviceRefused, PulseTrain


@pytest.mark.parametrize(
    "changes",
    [{"sync": 3}, {"monitor_ua_per_v": 50}, {"max_current_ua": 0.0}, {"max_current_ua": float("inf")}, {"pin": -1}],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(DeviceRefused, match=next(iter(changes))):
        Rig(**changes)


@pytest.mark.parametrize(
    ("train", "says"),
    [
        (PulseTrain(1200, 1000, 0, 60, 1), r"asks 1200 uA; .* max_current_ua allows 1000 uA"),
        (PulseTrain(0.4, 1000, 0, 60, 1), r"asks 0.4 uA; the 4100 puts out whole uA"),
        (PulseTrain(200, 20.5, 0, 60, 1), r"phase of 20.5 us; the nearest possible is 20 us"),
        (PulseTrain(200, 1000, 0.4, 60, 1), r"interphase gap of 0.4 us; the nearest possible is 0 us"),
        (PulseTrain(200, 1000, 0, 500, 1), r"2000 us does not fit 500 Hz, a period of 2000 us"),
        (PulseTrain(200, 1000, 0, 1000, 1, shape="monophasic"), r"1000 us does not fit 1000 Hz"),
        (PulseTrain(200, 1000, 0, 1, 0.4), r"makes 0 pulses"),
        (PulseTrain(200, 100, 0, 200, 600), r"makes 120000 pulses; the 4100 plays 1 to 99999 pulses"),
        (PulseTrain(200, 1000, 0, 1, 10_000), r"makes 10000 pulses; .* within 2.6 hours"),
    ],
)
def test_what_the_instrument_cannot_play_is_refused_with_both_numbers(train: PulseTrain, says: str) -> None:
    with pytest.raises(DeviceRefused, match=says):
        quantise(train, OutputStage(1000.0))


@st.composite
def playable(draw: st.DrawFn) -> PulseTrain:
    """Trains on the grid and within the range: none of them may be refused."""
    period_us = draw(st.sampled_from([5000, 16_000, 16_667, 20_000, 33_333, 333_333]))
    phase_us = draw(st.integers(1, (period_us - 2) // 2))
    interphase_us = draw(st.integers(0, period_us - 2 - 2 * phase_us))
    n_pulses = draw(st.integers(1, 80))
    hz = 1e6 / period_us
    shape = draw(st.sampled_from(["biphasic", "monophasic"]))
    polarity = draw(st.sampled_from(["cathodic_first", "anodic_first"]))
    return PulseTrain(draw(st.integers(1, 1000)), phase_us, interphase_us, hz, n_pulses / hz, shape, polarity)


@settings(deadline=None, max_examples=40)
@given(playable(), st.booleans())
def test_what_comes_out_is_what_prepare_returned(train: PulseTrain, positive_is_cathodic: bool) -> None:
    rig = Rig(positive_is_cathodic=positive_is_cathodic).ready()
    delivered = rig.fired(train)
    current = rig.current(0, 60_000_000)
    assert len(current) == train.n_phases * delivered.n_pulses == train.n_phases * train.n_pulses
    assert {abs(ua) for _, ua, _ in current} == {delivered.current_ua} == {train.current_ua}
    assert {us for _, _, us in current} == {delivered.phase_us}
    net_uc = sum(ua * us for _, ua, us in current) * 1e-6
    assert abs(net_uc) == pytest.approx(delivered.net_charge_uc, abs=1e-9)
    assert (current[0][1] > 0) == ((train.polarity == "cathodic_first") == positive_is_cathodic)
    rig.stimulator.close()
