"""Trains into a resistor in place of the electrode: the same rig, the same checks of delivery, and nothing is kept."""

from collections.abc import Iterable, Iterator
from math import inf

from msgspec import structs

from detectors.criterion import Criterion
from drivers.interface import PulseTrain
from kindle.assembly import Instruments
from kindle.exchange import Stimulate, Trial, VoidTrial
from kindle.experimenter import Unattended
from kindle.interrupted import Unrecorded
from kindle.progress import unheard
from kindle.rig import Rig
from kindle.rig_config import RigConfig
from kindle.safety import Exposure, SafetyLimits
from kindle.stimulator_config import CounterConfig
from kindle.stream import Stream

BASELINE_S = 1.0
WATCH_S = 1.5
"""So long that the monitor's quiet second before the next train holds nothing of the last one."""

NOTHING_COUNTS = Criterion(
    amplitude_ratio=1e9, min_duration_s=1.0, onset_window_s=0.1, secondary_window_s=0.1, baseline_s=BASELINE_S
)
"""A resistor has no afterdischarges."""


def without_animal(limits: SafetyLimits) -> SafetyLimits:
    """The limits of one train hold; those that spare an animal over time do not apply to a resistor."""
    return structs.replace(
        limits,
        max_charge_per_session_uc=1e6,
        max_charge_per_day_uc=1e6,
        max_trains_per_session=1000,
        min_interval_s=0.0,
        lockout_after_afterdischarge_s=0.0,
    )


def fired_into_dummy(
    instruments: Instruments, limits: SafetyLimits, trains: Iterable[PulseTrain]
) -> Iterator[Trial | VoidTrial]:
    """Each train in turn; the source must have been started. Current is off when this ends, however it ends.

    Raises ``UnsafeStimulus`` for a train that breaks a limit, and whatever the instruments raise.
    """
    stream = Stream(instruments.source, Unrecorded(), NOTHING_COUNTS, instruments.block, unheard)
    with Rig(
        stream,
        instruments.stimulator,
        without_animal(limits),
        Unattended(),
        watch_s=WATCH_S,
        baseline_s=BASELINE_S,
        recording="",
        listener=unheard,
        exposure=Exposure(),
        rest_limit_ua=instruments.rest_limit_ua,
    ) as rig:
        for train in trains:
            reply = rig.perform(Stimulate(train))
            if not isinstance(reply, Trial | VoidTrial):
                raise TypeError(f"a train was answered by {reply!r}")
            yield reply


def dummy_train(config: RigConfig, current_ua: float) -> PulseTrain:
    """What this rig can and may deliver of 1 ms phases at 20 Hz for 1 s, balanced unless its stimulator cannot."""
    limits, stimulator = config.limits, config.stimulator
    one_way = isinstance(stimulator, CounterConfig)
    phase_us = min(1000.0, limits.max_phase_us, 1e6 * limits.max_charge_per_phase_uc / current_ua)
    pulse_hz = min(20.0, limits.max_pulse_hz)
    pulse_uc = current_ua * phase_us * 1e-6 * (1 if one_way else 2)
    most_uc = min(limits.max_charge_per_train_uc, limits.max_net_charge_uc if one_way else inf)
    n_pulses = max(1, min(round(pulse_hz * min(1.0, limits.max_train_s)), int(most_uc / pulse_uc)))
    return PulseTrain(
        current_ua,
        phase_us,
        0.0,
        pulse_hz,
        n_pulses / pulse_hz,
        shape="monophasic" if one_way else "biphasic",
        polarity=stimulator.polarity if isinstance(stimulator, CounterConfig) else "cathodic_first",
    )
