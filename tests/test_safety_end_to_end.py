"""Random trains on rigs of every kind, through drivers and emulated instruments: what reaches the electrode counts."""

from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from random import Random

import numpy as np
import pytest
from any_rig import KINDS, any_rig, documented
from msgspec import structs
from test_safety_properties import SLACK, some_limits, some_train

from drivers.interface import DriverError, PulseTrain
from drivers.simulated.stimulator_output import StimulatorOutput
from kindle.dummy_load import fired_into_dummy
from kindle.errors import UnsafeStimulus
from kindle.rig_config import RigConfig
from kindle.safety import SafetyLimits
from kindle.stimulator_config import CounterConfig

N_TRAINS = 60
LEAST_DELIVERED = 5

GRID_US = 50.0

STEP_US = 1.0
"""Emulated waveforms are told in whole microseconds: each edge may lie that far off."""


@dataclass(frozen=True, slots=True)
class Flowed:
    """The waveform at the electrode, summed over its stretches of constant current."""

    peak_ua: float
    phase_uc: float
    phase_us: float
    train_uc: float
    net_uc: float
    n_phases: int


def fired(config: RigConfig, random: Random) -> Flowed | None:
    """One random train asked of ``config``, and what flowed all the same if it was refused."""
    train = on_grid(some_train(random, config.limits))
    if isinstance(config.stimulator, CounterConfig):
        train = structs.replace(train, shape="monophasic", polarity="cathodic_first")
    with any_rig(config, threshold_ua=1e6) as rig:
        rig.instruments.stimulator.identify()
        rig.instruments.source.start()
        with suppress(UnsafeStimulus, DriverError):
            list(fired_into_dummy(rig.instruments, config.limits, [train]))
    return flowed(rig.output, rig.clock.now_us() + 1_000_000)


def on_grid(train: PulseTrain) -> PulseTrain:
    """Times that the coarsest instrument can play, where they are numbers: others it would only refuse."""
    phase_us, gap_us = (
        value // GRID_US * GRID_US if isfinite(value) and value >= GRID_US else value
        for value in (train.phase_us, train.interphase_us)
    )
    return structs.replace(train, phase_us=phase_us, interphase_us=gap_us)


def flowed(output: StimulatorOutput, until_us: int) -> Flowed | None:
    steps = output.output(0, until_us)
    lengths_us = np.diff(np.append(steps.times_us, until_us))
    on = steps.ua != 0.0
    if not on.any():
        return None
    charges_uc = steps.ua[on] * lengths_us[on] * 1e-6
    return Flowed(
        peak_ua=float(np.abs(steps.ua).max()),
        phase_uc=float(np.abs(charges_uc).max()),
        phase_us=float(lengths_us[on].max()),
        train_uc=float(np.abs(charges_uc).sum()),
        net_uc=abs(float(charges_uc.sum())),
        n_phases=int(on.sum()),
    )


def check_within(limits: SafetyLimits, found: Flowed) -> None:
    edge_uc = found.peak_ua * STEP_US * 1e-6
    assert found.peak_ua <= limits.max_current_ua * SLACK
    assert found.phase_us <= limits.max_phase_us + STEP_US
    assert found.phase_uc <= limits.max_charge_per_phase_uc * SLACK + edge_uc
    assert found.train_uc <= limits.max_charge_per_train_uc * SLACK + found.n_phases * edge_uc
    balanced_uc = 0.005 * found.train_uc / 2
    assert found.net_uc <= max(limits.max_net_charge_uc, balanced_uc) * SLACK + found.n_phases * edge_uc


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_asked_no_current_flows_beyond_a_limit(kind: str) -> None:
    random = Random(kind)
    config = documented(kind)
    quick = structs.replace(config, daq=structs.replace(config.daq, rate_hz=2000.0, block_s=0.5))
    delivered = 0
    for _ in range(N_TRAINS):
        limits = structs.replace(some_limits(random), max_train_s=random.uniform(0.2, 3.0))
        found = fired(structs.replace(quick, limits=limits), random)
        if found is not None:
            delivered += 1
            check_within(limits, found)
    assert delivered >= LEAST_DELIVERED
