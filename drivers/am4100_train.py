"""A train as the 4100 will play it, whole us and uA, and the settings that make it; or a refusal that says why."""

from dataclasses import dataclass
from math import isfinite

from drivers.am4100_codec import (
    AMPLITUDE_1,
    AUTO,
    AUTO_COUNT,
    DURATION_1,
    EVENT_DELAY,
    EVENT_NUMBER,
    EVENT_PERIOD,
    EVENT_TYPE,
    HOLD_OR_OFFSET,
    INTERNAL_CURRENT,
    INTERPHASE,
    LEVEL,
    LIBRARY,
    MODE,
    MONITOR,
    MONITOR_UA_PER_V,
    MOST_PULSES,
    MOST_UA,
    MOST_US,
    OFFSET,
    OUTPUT,
    OUTPUT_ON,
    PERIOD,
    PERIOD_OR_FREQUENCY,
    TRAIN_DELAY,
    TRAIN_DURATION,
    TRAIN_NUMBER,
    TRAIN_TYPE,
    UNIFORM,
    UNIFORM_EVENT,
    EventType,
    Settings,
    sync,
)
from drivers.interface import DeliveredTrain, DeviceRefused, PulseTrain
from drivers.train_grid import check_fits, check_numbers, whole_period_us, whole_ua, whole_us

MARGIN_US = 2
"""Between two pulses: the shortest gap that the instrument knows."""


@dataclass(frozen=True, slots=True)
class OutputStage:
    """The cap, the range of the monitor output, the sync output in use, and which way the wires go."""

    max_current_ua: float
    monitor_ua_per_v: int = 100
    sync: int = 1
    positive_is_cathodic: bool = False

    def __post_init__(self) -> None:
        if not isfinite(self.max_current_ua) or self.max_current_ua <= 0:
            raise DeviceRefused(f"max_current_ua is {self.max_current_ua:g}; give a positive number of uA")
        if self.monitor_ua_per_v not in MONITOR_UA_PER_V:
            ranges = ", ".join(map(str, MONITOR_UA_PER_V))
            raise DeviceRefused(f"monitor_ua_per_v is {self.monitor_ua_per_v}; a 4100 has {ranges}")
        if self.sync not in (1, 2):
            raise DeviceRefused(f"sync is {self.sync}; a 4100 has sync outputs 1 and 2")


@dataclass(frozen=True, slots=True)
class QuantisedTrain:
    """The amplitude comes last, so that nothing half-programmed has one."""

    settings: Settings
    delivered: DeliveredTrain


SILENT: Settings = {AMPLITUDE_1: 0, LEVEL: 0}


def quantise(train: PulseTrain, stage: OutputStage) -> QuantisedTrain:
    """Round to 1 us and 1 uA. Raises ``DeviceRefused`` where the result would not be the train that was asked."""
    check_numbers(train)
    current_ua = whole_ua(train.current_ua, stage.max_current_ua, MOST_UA, "4100")
    biphasic = train.shape == "biphasic"
    phase_us = whole_us("phase", train.phase_us)
    interphase_us = whole_us("interphase gap", train.interphase_us) if biphasic else 0
    period_us = whole_period_us(train.pulse_hz)
    check_fits(2 * phase_us + interphase_us if biphasic else phase_us, period_us, train, MARGIN_US)
    if phase_us < 1 or not 1 <= train.n_pulses <= MOST_PULSES or train.n_pulses * period_us > MOST_US:
        raise DeviceRefused(
            f"{train.pulse_hz:g} Hz for {train.train_s:g} s makes {train.n_pulses} pulses; the 4100 plays 1 to "
            f"{MOST_PULSES} pulses within {MOST_US / 3.6e9:.1f} hours"
        )
    signed_ua = current_ua if (train.polarity == "cathodic_first") == stage.positive_is_cathodic else -current_ua
    settings = {
        MODE: INTERNAL_CURRENT,
        MONITOR: MONITOR_UA_PER_V[stage.monitor_ua_per_v],
        AUTO: AUTO_COUNT,
        OUTPUT: OUTPUT_ON,
        PERIOD_OR_FREQUENCY: PERIOD,
        sync(stage.sync): TRAIN_DURATION,
        UNIFORM_EVENT: LIBRARY,
        TRAIN_TYPE: UNIFORM,
        TRAIN_DELAY: 0,
        TRAIN_NUMBER: 1,
        HOLD_OR_OFFSET: OFFSET,
        LEVEL: 0,
        EVENT_TYPE: int(EventType.BIPHASIC if biphasic else EventType.MONOPHASIC),
        EVENT_DELAY: 0,
        EVENT_NUMBER: train.n_pulses,
        EVENT_PERIOD: period_us,
        DURATION_1: phase_us,
        INTERPHASE: interphase_us,
        AMPLITUDE_1: signed_ua,
    }
    delivered = DeliveredTrain(
        current_ua=float(current_ua),
        phase_us=phase_us,
        interphase_us=interphase_us,
        period_us=period_us,
        n_pulses=train.n_pulses,
        net_charge_uc=0.0 if biphasic else current_ua * phase_us * 1e-6 * train.n_pulses,
        shape=train.shape,
        polarity=train.polarity,
    )
    return QuantisedTrain(settings, delivered)
