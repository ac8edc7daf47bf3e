"""Limits and interlocks: accepted at the limit, refused just above it, and never fooled by what is no number."""

import re
from math import inf, nan
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from drivers.interface import DeliveredTrain, PulseTrain
from kindle.errors import ConfigError, UnsafeStimulus
from kindle.safety import (
    Exposure,
    SafetyLimits,
    check_delivered,
    check_interlocks,
    check_train,
)

LIMITS = SafetyLimits(
    max_current_ua=1000.0,
    max_phase_us=2000.0,
    max_pulse_hz=100.0,
    max_train_s=2.0,
    max_charge_per_phase_uc=1.5,
    max_net_charge_uc=25.0,
    max_charge_per_train_uc=300.0,
    max_charge_per_session_uc=1000.0,
    max_charge_per_day_uc=1500.0,
    max_trains_per_session=40,
    min_interval_s=60.0,
    lockout_after_afterdischarge_s=14_400.0,
)

TRAIN = PulseTrain(current_ua=500.0, phase_us=1000.0, interphase_us=0.0, pulse_hz=50.0, train_s=1.0)
MONOPHASIC = structs.replace(TRAIN, shape="monophasic")

ABOVE = 1 + 1e-6
"""Just above a limit, and well above the rounding of a product."""


def train(**changes: Any) -> PulseTrain:
    return structs.replace(TRAIN, **changes)


class TestLimits:
    @pytest.mark.parametrize(
        ("at_the_limit", "field", "quantity", "limit"),
        [
            (train(current_ua=1000.0), "current_ua", "current", "max_current_ua allows 1000 uA"),
            (train(phase_us=2000.0), "phase_us", "phase", "max_phase_us allows 2000 us"),
            (train(pulse_hz=100.0), "pulse_hz", "pulse rate", "max_pulse_hz allows 100 Hz"),
            (train(train_s=2.0), "train_s", "train length", "max_train_s allows 2 s"),
            (
                train(current_ua=750.0, phase_us=2000.0),
                "current_ua",
                "charge per phase",
                "max_charge_per_phase_uc allows 1.5 uC",
            ),
        ],
    )
    def test_each_limit_holds_just_above_it(
        self, at_the_limit: PulseTrain, field: str, quantity: str, limit: str
    ) -> None:
        check_train(at_the_limit, LIMITS)
        above = structs.replace(at_the_limit, **{field: getattr(at_the_limit, field) * ABOVE})
        with pytest.raises(UnsafeStimulus, match=f"train asks a {quantity} of .*; the rig's {limit}"):
            check_train(above, LIMITS)

    def test_the_message_names_both_numbers(self) -> None:
        with pytest.raises(UnsafeStimulus) as refused:
            check_train(train(current_ua=1200.0), LIMITS)
        assert str(refused.value) == "train asks a current of 1200 uA; the rig's max_current_ua allows 1000 uA"

    def test_the_message_tells_close_numbers_apart(self) -> None:
        with pytest.raises(
            UnsafeStimulus, match=re.escape("current of 1000.001 uA; the rig's max_current_ua allows 1000")
        ):
            check_train(train(current_ua=1000.001), LIMITS)

    @pytest.mark.parametrize("field", ["current_ua", "phase_us", "pulse_hz", "train_s"])
    @pytest.mark.parametrize("value", [nan, inf, -inf, 0.0, -1.0])
    def test_what_is_no_positive_number_is_refused(self, field: str, value: float) -> None:
        with pytest.raises(UnsafeStimulus, match="it must be a positive number"):
            check_train(train(**{field: value}), LIMITS)

    @pytest.mark.parametrize("value", [nan, inf, -inf, -1.0])
    def test_an_interphase_gap_that_is_no_number_is_refused(self, value: float) -> None:
        with pytest.raises(UnsafeStimulus, match="it must be 0 or more"):
            check_train(train(interphase_us=value), LIMITS)

    def test_direct_current_has_a_limit_of_its_own(self) -> None:
        """Monophasic 50 x 0.5 uC = 25 uC net in a train; domain reference, section 17.2."""
        assert MONOPHASIC.net_charge_uc == pytest.approx(25.0)
        check_train(MONOPHASIC, LIMITS)
        with pytest.raises(UnsafeStimulus, match=r"carries 25.0005 uC of direct current; .* allows 25 uC"):
            check_train(structs.replace(MONOPHASIC, current_ua=500.01), LIMITS)

    def test_a_rig_for_biphasic_trains_refuses_every_monophasic_one(self) -> None:
        balanced_only = structs.replace(LIMITS, max_net_charge_uc=0.0)
        check_train(TRAIN, balanced_only)
        with pytest.raises(UnsafeStimulus, match="use a biphasic train or raise the limit on purpose"):
            check_train(structs.replace(MONOPHASIC, current_ua=0.01), balanced_only)

    @pytest.mark.parametrize(
        "impossible",
        [
            train(pulse_hz=0.4),
            train(phase_us=2000.0, pulse_hz=100.0, interphase_us=6001.0),
            train(phase_us=2000.0, pulse_hz=100.0, interphase_us=7000.0, train_s=1.004),
            train(pulse_hz=2.0, train_s=0.75, interphase_us=400_000.0),
        ],
        ids=[
            "no pulse fits",
            "pulses overlap",
            "pulses overlap with time left over",
            "the last pulse outlasts the train",
        ],
    )
    def test_a_train_that_cannot_hold_its_pulses_is_refused(self, impossible: PulseTrain) -> None:
        with pytest.raises(UnsafeStimulus, match="cannot hold whole pulses"):
            check_train(impossible, LIMITS)

    def test_pulses_may_fill_their_period(self) -> None:
        check_train(train(phase_us=2000.0, pulse_hz=100.0, interphase_us=6000.0), LIMITS)

    @settings(deadline=None)
    @given(
        current_ua=st.floats(0.1, 1500.0),
        phase_us=st.floats(10.0, 3000.0),
        interphase_us=st.floats(0.0, 5000.0),
        pulse_hz=st.floats(0.5, 150.0),
        train_s=st.floats(0.1, 3.0),
        shape=st.sampled_from(("biphasic", "monophasic")),
    )
    def test_whatever_is_accepted_lies_within_every_limit(self, **fields: Any) -> None:
        asked = PulseTrain(**fields)
        try:
            check_train(asked, LIMITS)
        except UnsafeStimulus:
            return
        slack = 1 + 1e-8
        assert asked.current_ua <= LIMITS.max_current_ua * slack
        assert asked.phase_us <= LIMITS.max_phase_us * slack
        assert asked.pulse_hz <= LIMITS.max_pulse_hz * slack
        assert asked.charge_per_phase_uc <= LIMITS.max_charge_per_phase_uc * slack
        assert asked.net_charge_uc <= LIMITS.max_net_charge_uc * slack
        last_edge_s = (asked.n_pulses - 1) / asked.pulse_hz + asked.pulse_us * 1e-6
        assert 0 < last_edge_s <= LIMITS.max_train_s * slack


class TestTheLimitsThemselves:
    @pytest.mark.parametrize("name", SafetyLimits.__struct_fields__)
    @pytest.mark.parametrize("value", [nan, inf, -1.0])
    def test_a_limit_that_is_no_limit_is_refused(self, name: str, value: float) -> None:
        with pytest.raises(ConfigError, match=f"{name} is .*; a limit must be a finite number, 0 or more"):
            structs.replace(LIMITS, **{name: value})
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert({**structs.asdict(LIMITS), name: value}, SafetyLimits)

    @pytest.mark.parametrize("name", SafetyLimits.__struct_fields__)
    def test_no_limit_has_a_default(self, name: str) -> None:
        chosen = {key: value for key, value in structs.asdict(LIMITS).items() if key != name}
        with pytest.raises(msgspec.ValidationError, match=f"missing required field `{name}`"):
            msgspec.convert(chosen, SafetyLimits)

    def test_a_limit_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(msgspec.ValidationError, match="unknown field `max_curent_ua`"):
            msgspec.convert({**structs.asdict(LIMITS), "max_curent_ua": 10.0}, SafetyLimits)


class TestWhatQuantisationMadeOfATrain:
    def test_what_is_delivered_as_asked_is_accepted(self) -> None:
        check_delivered(TRAIN, DeliveredTrain.as_asked(TRAIN), LIMITS)
        check_delivered(MONOPHASIC, DeliveredTrain.as_asked(MONOPHASIC), LIMITS)

    @pytest.mark.parametrize(
        ("asked", "made", "limits", "message"),
        [
            (
                train(current_ua=1000.0),
                {"current_ua": 1000.6},
                {},
                "round 1000 uA up to 1000.6 uA; the rig's max_current_ua allows 1000 uA",
            ),
            (
                train(phase_us=2000.0),
                {"phase_us": 2050.0},
                {},
                "round 2000 us up to 2050 us; the rig's max_phase_us allows 2000 us",
            ),
            (
                TRAIN,
                {"current_ua": 501.0},
                {"max_charge_per_phase_uc": 0.5},
                "round 0.5 uC per phase up to 0.501 uC per phase; the rig's max_charge_per_phase_uc allows 0.5 uC",
            ),
            (
                train(pulse_hz=100.0),
                {"period_us": 9000.0},
                {},
                "round 100 Hz up to 111.1111111 Hz; the rig's max_pulse_hz allows 100 Hz",
            ),
            (
                train(train_s=2.0),
                {"period_us": 21_000.0},
                {},
                "stretch 2 s to 2.081 s; the rig's max_train_s allows 2 s",
            ),
            (TRAIN, {"n_pulses": 51}, {}, "would deliver 51 pulses; 50 were asked"),
            (TRAIN, {"n_pulses": 49}, {}, "would deliver 49 pulses; 50 were asked"),
            (TRAIN, {"net_charge_uc": 0.5}, {}, "leave 0.5 uC of direct current; 0.125 uC are allowed"),
            (TRAIN, {"net_charge_uc": -0.5}, {}, "leave -0.5 uC of direct current; 0.125 uC are allowed"),
            (MONOPHASIC, {"net_charge_uc": 25.1}, {}, "leave 25.1 uC of direct current; 25 uC are allowed"),
            (
                TRAIN,
                {"shape": "monophasic"},
                {},
                "deliver a monophasic, cathodic_first train; biphasic, cathodic_first",
            ),
            (
                TRAIN,
                {"polarity": "anodic_first"},
                {},
                "deliver a biphasic, anodic_first train; biphasic, cathodic_first",
            ),
            (TRAIN, {"period_us": 1500.0}, {}, "pulses of 2000 us into a period of 1500 us; they must not overlap"),
            (TRAIN, {"interphase_us": 18_001.0}, {}, "pulses of 20001 us into a period of 20000 us"),
        ],
    )
    def test_what_breaks_a_limit_after_rounding_is_refused(
        self, asked: PulseTrain, made: dict[str, Any], limits: dict[str, Any], message: str
    ) -> None:
        limits_now = structs.replace(LIMITS, **limits)
        check_train(asked, limits_now)
        with pytest.raises(UnsafeStimulus, match=re.escape(message)):
            check_delivered(asked, structs.replace(DeliveredTrain.as_asked(asked), **made), limits_now)

    @pytest.mark.parametrize("field", ["current_ua", "phase_us", "period_us", "interphase_us", "net_charge_uc"])
    @pytest.mark.parametrize("value", [nan, inf, -inf])
    def test_what_is_no_number_is_refused(self, field: str, value: float) -> None:
        with pytest.raises(UnsafeStimulus):
            check_delivered(TRAIN, structs.replace(DeliveredTrain.as_asked(TRAIN), **{field: value}), LIMITS)

    @pytest.mark.parametrize("field", ["current_ua", "phase_us", "period_us", "n_pulses"])
    @pytest.mark.parametrize("value", [0, -1])
    def test_what_is_not_positive_is_refused(self, field: str, value: int) -> None:
        with pytest.raises(UnsafeStimulus):
            check_delivered(TRAIN, structs.replace(DeliveredTrain.as_asked(TRAIN), **{field: value}), LIMITS)

    def test_a_clock_with_ticks_may_miss_the_rate_by_a_little(self) -> None:
        """60 Hz is 333 ticks of 50 us on a Pulse Pal: 60.06 Hz, 60 pulses; stimulator reference, section 2."""
        asked = train(pulse_hz=60.0)
        on_a_pulse_pal = structs.replace(DeliveredTrain.as_asked(asked), period_us=333 * 50.0)
        assert on_a_pulse_pal.pulse_hz > 60.06
        check_delivered(asked, on_a_pulse_pal, structs.replace(LIMITS, max_pulse_hz=60.0, max_train_s=1.0))

    def test_one_lost_phase_is_refused(self) -> None:
        """61 positive and 60 negative phases, as a Pulse Pal gives for 60 Hz in 1.000 s; same section."""
        asked = train(pulse_hz=60.0)
        with pytest.raises(UnsafeStimulus, match=re.escape("leave 0.5 uC of direct current; 0.15 uC are allowed")):
            check_delivered(asked, structs.replace(DeliveredTrain.as_asked(asked), net_charge_uc=0.5), LIMITS)


class TestInterlocks:
    @pytest.mark.parametrize(
        ("exposure", "now_s", "refused_by"),
        [
            (Exposure(), 0.0, None),
            (Exposure(n_trains=39), 0.0, None),
            (Exposure(n_trains=40), 0.0, "the session has had 40 trains"),
            (Exposure(charge_uc=950.0), 0.0, None),
            (Exposure(charge_uc=950.001), 0.0, "bring the session to 1000.001 uC; .* allows 1000 uC"),
            (Exposure(charge_uc=nan), 0.0, "max_charge_per_session_uc"),
            (Exposure(last_onset_s=10.0), 70.0, None),
            (Exposure(last_onset_s=10.0), 69.999, "the last train began 59.999 s ago; min_interval_s asks for 60 s"),
            (Exposure(last_onset_s=10.0), 5.0, "min_interval_s"),
            (Exposure(last_onset_s=10.0), nan, "min_interval_s"),
            (Exposure(last_onset_s=nan), 70.0, "min_interval_s"),
            (Exposure(last_afterdischarge_end_s=100.0), 14_500.0, None),
            (Exposure(last_afterdischarge_end_s=100.0), 14_499.999, "ended 14399.999 s ago; .* asks for 14400 s"),
            (Exposure(last_afterdischarge_end_s=nan), 14_500.0, "lockout_after_afterdischarge_s"),
            (Exposure(in_discharge=True), 1e6, "an afterdischarge is still going on"),
        ],
    )
    def test_what_went_before_decides(self, exposure: Exposure, now_s: float, refused_by: str | None) -> None:
        if refused_by is None:
            check_interlocks(TRAIN, exposure, now_s, LIMITS)
        else:
            with pytest.raises(UnsafeStimulus, match=refused_by):
                check_interlocks(TRAIN, exposure, now_s, LIMITS)

    def test_a_session_may_use_its_charge_to_the_last_train(self) -> None:
        """Thirty trains of 0.01 uC are 0.3 uC, whatever binary sums make of it."""
        small = structs.replace(TRAIN, current_ua=0.1)
        limits = structs.replace(LIMITS, max_charge_per_session_uc=0.3, min_interval_s=0.0)
        exposure = Exposure()
        for _ in range(30):
            check_interlocks(small, exposure, 0.0, limits)
            exposure = Exposure(exposure.n_trains + 1, exposure.charge_uc + small.charge_uc)
        with pytest.raises(UnsafeStimulus, match=r"bring the session to 0.31 uC"):
            check_interlocks(small, exposure, 0.0, limits)

    @settings(deadline=None)
    @given(elapsed_s=st.floats(0.0, 200.0), rate_hz=st.floats(100.0, 30_000.0))
    def test_an_interval_counted_in_samples_is_long_enough(self, elapsed_s: float, rate_hz: float) -> None:
        """Rounded up to whole samples, the interval of the limits is always accepted."""
        onset = round(elapsed_s * rate_hz)
        due = onset + round(LIMITS.min_interval_s * rate_hz + 0.5)
        check_interlocks(TRAIN, Exposure(last_onset_s=onset / rate_hz), due / rate_hz, LIMITS)
