"""A train as the Pulse Pal will play it: whole cycles, whole pulses, symmetric codes; or a refusal that says why."""

from dataclasses import dataclass
from math import isfinite

from drivers.interface import DeliveredTrain, DeviceRefused, PulseTrain
from drivers.pulsepal_codec import CODES_PER_V, CYCLE_US, CYCLES_PER_S, MAX_CODES, ZERO_CODE, ChannelProgramme

TOLERANCE = 0.01
"""Largest deviation of what is delivered from what was asked."""

SYNC_CODE = ZERO_CODE + round(5 * CODES_PER_V)


@dataclass(frozen=True, slots=True)
class OutputStage:
    """The isolator behind a channel: its measured factor, its cap, and which way its wires go."""

    ua_per_v: float
    max_current_ua: float
    positive_is_cathodic: bool = False

    def __post_init__(self) -> None:
        for name, value in (("ua_per_v", self.ua_per_v), ("max_current_ua", self.max_current_ua)):
            if not isfinite(value) or value <= 0:
                raise DeviceRefused(f"{name} is {value:g}; measure it on the rig and give a positive number")

    @property
    def ua_per_code(self) -> float:
        return self.ua_per_v / CODES_PER_V


@dataclass(frozen=True, slots=True)
class QuantisedTrain:
    """The stimulating channel, a TTL of the train's length, and the train that comes out of them."""

    stimulus: ChannelProgramme
    sync: ChannelProgramme
    delivered: DeliveredTrain


def quantise(train: PulseTrain, stage: OutputStage) -> QuantisedTrain:
    """Round to the device's grid. Raises ``DeviceRefused`` where the result would not be the train that was asked."""
    numbers = (train.current_ua, train.phase_us, train.interphase_us, train.pulse_hz, train.train_s)
    if not all(map(isfinite, numbers)) or min(numbers) < 0 or train.phase_us == 0 or train.pulse_hz == 0:
        raise DeviceRefused(f"a train needs finite numbers, and more than 0 us and 0 Hz; asked was {train}")
    codes = _codes(train.current_ua, stage)
    biphasic = train.shape == "biphasic"
    phase = _cycles("phase", train.phase_us)
    interphase = _cycles("interphase gap", train.interphase_us) if biphasic else 0
    pulse = 2 * phase + interphase if biphasic else phase
    period = round(CYCLES_PER_S / train.pulse_hz)
    _check_close(
        "pulse rate", train.pulse_hz, CYCLES_PER_S / period if period else 0.0, "Hz", TOLERANCE * train.pulse_hz
    )
    # Without a gap a monophasic train would be direct current.
    if period < (pulse if biphasic else pulse + 1):
        raise DeviceRefused(
            f"a pulse of {pulse * CYCLE_US} us does not fit {train.pulse_hz:g} Hz, a period of {period * CYCLE_US} us: "
            "ask for a shorter phase or a lower rate"
        )
    # Whole periods only: with any other length the last pulse may be cut, and its charge stays in the tissue.
    train_cycles = train.n_pulses * period
    if not 0 < train_cycles < 2**32:
        raise DeviceRefused(
            f"{train.pulse_hz:g} Hz for {train.train_s:g} s makes {train.n_pulses} pulses; the Pulse Pal plays "
            f"from 1 pulse to {2**32 * CYCLE_US / 3.6e9:.0f} hours"
        )
    positive_first = (train.polarity == "cathodic_first") == stage.positive_is_cathodic
    signed = codes if positive_first else -codes
    stimulus = ChannelProgramme(
        phase1_cycles=phase,
        interphase_cycles=interphase,
        phase2_cycles=phase,
        interpulse_cycles=period - pulse,
        train_cycles=train_cycles,
        phase1_code=ZERO_CODE + signed,
        phase2_code=ZERO_CODE - signed,
        biphasic=int(biphasic),
    )
    sync = ChannelProgramme(phase1_cycles=train_cycles, train_cycles=train_cycles, phase1_code=SYNC_CODE, biphasic=0)
    current_ua, phase_us = codes * stage.ua_per_code, phase * CYCLE_US
    delivered = DeliveredTrain(
        current_ua=current_ua,
        phase_us=phase_us,
        interphase_us=interphase * CYCLE_US,
        period_us=period * CYCLE_US,
        n_pulses=train.n_pulses,
        net_charge_uc=0.0 if biphasic else current_ua * phase_us * 1e-6 * train.n_pulses,
        shape=train.shape,
        polarity=train.polarity,
    )
    return QuantisedTrain(stimulus, sync, delivered)


def _codes(current_ua: float, stage: OutputStage) -> int:
    if current_ua > stage.max_current_ua:
        raise DeviceRefused(
            f"train asks {current_ua:g} uA; this Pulse Pal's max_current_ua allows {stage.max_current_ua:g} uA"
        )
    codes = round(current_ua / stage.ua_per_code)
    # The nearest code may lie above the cap by a fraction of a step; the one below is as true to the request.
    if codes * stage.ua_per_code > stage.max_current_ua:
        codes -= 1
    if not 0 < codes <= MAX_CODES:
        raise DeviceRefused(
            f"{current_ua:g} uA is {current_ua / stage.ua_per_v:g} V at {stage.ua_per_v:g} uA/V; the Pulse Pal can put "
            f"out {1 / CODES_PER_V:.4f} to {MAX_CODES / CODES_PER_V:.4f} V: choose another range of the isolator"
        )
    slack_ua = max(stage.ua_per_code, TOLERANCE * current_ua)
    _check_close("current", current_ua, codes * stage.ua_per_code, "uA", slack_ua)
    return codes


def _cycles(what: str, asked_us: float) -> int:
    cycles = round(asked_us / CYCLE_US)
    _check_close(what, asked_us, cycles * CYCLE_US, "us", TOLERANCE * asked_us)
    return cycles


def _check_close(what: str, asked: float, possible: float, unit: str, slack: float) -> None:
    # A millionth forgives floating point, not quantisation.
    if abs(possible - asked) > slack * (1 + 1e-6):
        raise DeviceRefused(
            f"train asks a {what} of {asked:g} {unit}; the nearest that the Pulse Pal can play is {possible:g} {unit}, "
            f"more than {slack:.3g} {unit} off"
        )
