"""A train as the StimJim will play it: whole us and uA, whole pulses, equal phases; or a refusal that says why."""

from dataclasses import dataclass, replace
from math import isfinite

from drivers.interface import DeliveredTrain, DeviceRefused, PulseTrain
from drivers.stimjim_codec import (
    CURRENT,
    GROUNDED,
    LEAST_STAGE_US,
    MOST_UA,
    UA_PER_CODE,
    Stage,
    TrainDefinition,
    code_of,
)
from drivers.train_grid import check_fits, check_numbers, whole_period_us, whole_ua, whole_us

MARGIN_US = 100
"""Between two pulses: for the converters and the timer. A pulse that is late is never cut, it runs into the next."""

LONGEST_PERIOD_US = 70_000_000
"""The timer counts 32 bits of a 60 MHz clock."""
LONGEST_TRAIN_US = 2**32 - 1


@dataclass(frozen=True, slots=True)
class OutputStage:
    """One channel: its cap, its 0 uA as the device measured it, and which way its wires go."""

    channel: int
    max_current_ua: float
    positive_is_cathodic: bool = False
    offset: int = 0

    def __post_init__(self) -> None:
        if self.channel not in (0, 1):
            raise DeviceRefused(f"channel {self.channel} does not exist; a StimJim has channels 0 and 1")
        if not isfinite(self.max_current_ua) or self.max_current_ua <= 0:
            raise DeviceRefused(f"max_current_ua is {self.max_current_ua:g}; give a positive number of uA")

    def with_offset(self, offset: int) -> "OutputStage":
        return replace(self, offset=offset)


@dataclass(frozen=True, slots=True)
class QuantisedTrain:
    """What is written, what comes out, and what every stage should measure in uA."""

    definition: TrainDefinition
    delivered: DeliveredTrain
    stage_ua: tuple[float, ...]


def quantise(train: PulseTrain, stage: OutputStage) -> QuantisedTrain:
    """Round to the device's grid. Raises ``DeviceRefused`` where the result would not be the train that was asked."""
    check_numbers(train)
    current_ua = whole_ua(train.current_ua, stage.max_current_ua, MOST_UA, "StimJim")
    biphasic = train.shape == "biphasic"
    phase_us = _stage_us("phase", train.phase_us)
    interphase_us = _stage_us("interphase gap", train.interphase_us) if biphasic and train.interphase_us else 0
    period_us = whole_period_us(train.pulse_hz)
    check_fits(2 * phase_us + interphase_us if biphasic else phase_us, period_us, train, MARGIN_US)
    # Half a period less than whole periods: neither one pulse more nor one less, however the timer jitters.
    duration_us = train.n_pulses * period_us - period_us // 2
    if train.n_pulses < 1 or period_us > LONGEST_PERIOD_US or duration_us > LONGEST_TRAIN_US:
        raise DeviceRefused(
            f"{train.pulse_hz:g} Hz for {train.train_s:g} s makes {train.n_pulses} pulses; the StimJim plays from 1 "
            f"pulse to {LONGEST_TRAIN_US / 6e7:.0f} minutes, and at least one pulse in {LONGEST_PERIOD_US / 1e6:.0f} s"
        )
    signed_ua = current_ua if (train.polarity == "cathodic_first") == stage.positive_is_cathodic else -current_ua
    first, second = code_of(signed_ua, stage.offset), code_of(-signed_ua, stage.offset)
    if biphasic and first != -second:
        raise DeviceRefused(
            f"{train.current_ua:g} uA lies below this board's own offset of {stage.offset * UA_PER_CODE:.2f} uA, where "
            "its two polarities differ: ask for more current"
        )
    phases = [(signed_ua, phase_us)]
    if biphasic:
        gap = [(0, interphase_us)] if interphase_us else []
        phases += [*gap, (-signed_ua, phase_us)]
    delivered_ua = abs(first) * UA_PER_CODE
    delivered = DeliveredTrain(
        current_ua=delivered_ua,
        phase_us=phase_us,
        interphase_us=interphase_us,
        period_us=period_us,
        n_pulses=train.n_pulses,
        net_charge_uc=0.0 if biphasic else delivered_ua * phase_us * 1e-6 * train.n_pulses,
        shape=train.shape,
        polarity=train.polarity,
    )
    modes = (CURRENT, GROUNDED) if stage.channel == 0 else (GROUNDED, CURRENT)
    stages = tuple(_stage(stage.channel, ua, stage_us) for ua, stage_us in phases)
    definition = TrainDefinition(modes, period_us, duration_us, stages)
    return QuantisedTrain(definition, delivered, tuple(code_of(ua, stage.offset) * UA_PER_CODE for ua, _ in phases))


def _stage(channel: int, ua: int, stage_us: int) -> Stage:
    return Stage(ua, 0, stage_us) if channel == 0 else Stage(0, ua, stage_us)


def _stage_us(what: str, asked_us: float) -> int:
    stage_us = whole_us(what, asked_us)
    if stage_us < LEAST_STAGE_US:
        raise DeviceRefused(
            f"train asks a {what} of {asked_us:g} us; below {LEAST_STAGE_US} us the StimJim may never end it"
        )
    return stage_us
