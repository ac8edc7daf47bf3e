"""A train as samples of an analogue output: whole samples, whole pulses, symmetric codes; or a refusal."""

from dataclasses import dataclass
from math import floor, inf, isfinite

import numpy as np
from numpy.typing import NDArray

from drivers.daq_output import BoardFacts
from drivers.interface import DeliveredTrain, DeviceRefused, PulseTrain
from drivers.train_grid import TOLERANCE, check_numbers

CLOSE = 1e-4
"""A grid that keeps rate and gap this close is as good as any finer one."""

HIGHEST_RATE_HZ = 100e3


@dataclass(frozen=True, slots=True)
class OutputStage:
    """The isolator behind an analogue output: its measured factor, its cap, and which way its wires go."""

    ua_per_v: float
    max_current_ua: float
    positive_is_cathodic: bool = False

    def __post_init__(self) -> None:
        for name, value in (("ua_per_v", self.ua_per_v), ("max_current_ua", self.max_current_ua)):
            if not isfinite(value) or value <= 0:
                raise DeviceRefused(f"{name} is {value:g}; measure it on the rig and give a positive number")

    def limit_v(self, facts: BoardFacts) -> float:
        """The voltage of the cap, or the board's own if that is less."""
        return min(self.max_current_ua / self.ua_per_v, facts.high_v, -facts.low_v)


@dataclass(frozen=True, slots=True)
class Grid:
    """Samples of a phase, of the gap in a pulse and of a period, at ``rate_hz``."""

    rate_hz: float
    phase: int
    interphase: int
    period: int


def grid_of(train: PulseTrain, highest_hz: float, longest_period: float = inf) -> Grid:
    """The slowest sample clock on which ``train`` keeps its shape: the fewer samples, the sooner the board holds all.

    A phase is a whole number of samples by construction; the gap in a pulse and the period are rounded. Raises
    ``DeviceRefused`` where no clock up to ``highest_hz`` with at most ``longest_period`` samples comes within the
    tolerance.
    """
    check_numbers(train)
    phase_s, gap_s = train.phase_us * 1e-6, train.interphase_us * 1e-6 if train.n_phases == 2 else 0.0
    best: tuple[float, Grid] | None = None
    for phase in range(1, max(1, floor(highest_hz * phase_s)) + 1):
        rate_hz = phase / phase_s
        grid = Grid(rate_hz, phase, round(gap_s * rate_hz), round(rate_hz / train.pulse_hz))
        if grid.period > longest_period:
            break
        error = max(
            abs(grid.interphase / rate_hz / gap_s - 1) if gap_s else 0.0,
            abs(grid.period / rate_hz * train.pulse_hz - 1),
        )
        if best is None or error < best[0]:
            best = (error, grid)
        if error <= CLOSE:
            break
    if best is None or best[1].rate_hz > highest_hz * (1 + 1e-9) or best[0] > TOLERANCE:
        raise DeviceRefused(
            f"no sample clock up to {highest_hz:g} Hz holds phases of {train.phase_us:g} us with gaps of "
            f"{train.interphase_us:g} us at {train.pulse_hz:g} Hz within {TOLERANCE:.0%}: ask for rounder numbers"
        )
    return best[1]


def steps_of(train: PulseTrain, stage: OutputStage, facts: BoardFacts) -> int:
    """The converter steps of one phase. Raises ``DeviceRefused`` above the cap, or where a step is too coarse."""
    if train.current_ua > stage.max_current_ua:
        raise DeviceRefused(
            f"train asks {train.current_ua:g} uA; this isolator's max_current_ua allows {stage.max_current_ua:g} uA"
        )
    step_ua = facts.step_v * stage.ua_per_v
    steps = round(train.current_ua / step_ua)
    # The nearest step may lie above the cap by a fraction; the one below is as true to the request.
    if steps * step_ua > stage.max_current_ua:
        steps -= 1
    # The highest code of a converter is one step below its range.
    highest = floor(min(facts.high_v, -facts.low_v) / facts.step_v) - 1
    if not 0 < steps <= highest:
        raise DeviceRefused(
            f"{train.current_ua:g} uA is {train.current_ua / stage.ua_per_v:g} V at {stage.ua_per_v:g} uA/V; the board "
            f"can put out {facts.step_v:.4f} to {highest * facts.step_v:.4f} V: choose another range of the isolator"
        )
    if abs(steps * step_ua - train.current_ua) > max(step_ua, TOLERANCE * train.current_ua):
        raise DeviceRefused(
            f"train asks {train.current_ua:g} uA; the nearest that the board can command is {steps * step_ua:g} uA: "
            "choose a finer range of the isolator"
        )
    return steps


def pulse_steps(train: PulseTrain, grid: Grid, steps: int, stage: OutputStage) -> NDArray[np.float64]:
    """One period in converter steps, shape ``(n_samples,)``; ends with at least one sample of 0.

    Raises ``DeviceRefused`` where the pulse does not fit into its period.
    """
    signed = steps if (train.polarity == "cathodic_first") == stage.positive_is_cathodic else -steps
    phases = [np.full(grid.phase, signed)]
    if train.shape == "biphasic":
        phases += [np.zeros(grid.interphase), np.full(grid.phase, -signed)]
    pulse = np.concatenate(phases).astype(np.float64)
    # Without a sample of 0 V between pulses, a monophasic train would be direct current.
    if pulse.size >= grid.period:
        raise DeviceRefused(
            f"a pulse of {train.pulse_us:g} us does not fit {train.pulse_hz:g} Hz, a period of "
            f"{1e6 / train.pulse_hz:g} us: ask for a shorter phase or a lower rate"
        )
    return np.concatenate((pulse, np.zeros(grid.period - pulse.size)))


def delivered_train(train: PulseTrain, grid: Grid, rate_hz: float, current_ua: float) -> DeliveredTrain:
    """What comes out at the sample rate that the board really has."""
    sample_us = 1e6 / rate_hz
    phase_us = grid.phase * sample_us
    return DeliveredTrain(
        current_ua=current_ua,
        phase_us=phase_us,
        interphase_us=grid.interphase * sample_us,
        period_us=grid.period * sample_us,
        n_pulses=train.n_pulses,
        net_charge_uc=0.0 if train.shape == "biphasic" else current_ua * phase_us * 1e-6 * train.n_pulses,
        shape=train.shape,
        polarity=train.polarity,
    )


def check_rate(grid: Grid, rate_hz: float) -> None:
    """Raises ``DeviceRefused`` where the board's own sample rate is not the one that ``grid`` was made for."""
    if abs(rate_hz - grid.rate_hz) > TOLERANCE * grid.rate_hz:
        raise DeviceRefused(f"the board plays at {rate_hz:g} Hz where the train needs {grid.rate_hz:g} Hz")
