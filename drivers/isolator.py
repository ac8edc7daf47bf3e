"""NI analogue output into a voltage-controlled current source: a finite waveform on the board's own clock."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.board_dialogue import BoardDialogue, Planned, port_opener
from drivers.daq_output import TTL_V, Armed, BoardFacts, Levels, OutputPort, Pins, Programme, Pulses, Waveform
from drivers.interface import DeliveredTrain, DeviceRefused, PulseTrain
from drivers.isolator_train import (
    HIGHEST_RATE_HZ,
    Grid,
    OutputStage,
    check_rate,
    delivered_train,
    grid_of,
    pulse_steps,
    steps_of,
)
from drivers.one_shot import OneShot
from drivers.train_grid import check_numbers

MOST_PULSES = 10_000
"""Longer trains would take minutes to hand over."""

AFTER_MARKER_S = 1e-3
"""A counter's pulse has a low part too."""


class IsolatorOutput(OneShot):
    """One analogue output of ``device`` and the isolator behind it; thread-safe.

    ``ua_per_v`` is the isolator's measured calibration; ``positive_is_cathodic`` says which way it is wired.
    ``marker`` is 5 V for the length of every train, hardware-timed: another analogue output (``ao1``), a counter
    (``ctr0``) or a clocked digital line (``port0/line0``). ``remote`` is ``host:port`` of a device server.

    Pins are at 0 V after ``identify``, ``rest``, ``abort`` and ``close``, and every waveform ends there. A train that
    the board cannot hold in its own memory is refused unless ``allow_streaming``: if the computer stopped in the
    middle of such a train, the last voltage would stay. It also stays where the driver's process is killed, whatever
    the length of the train: no software can act then, only the isolator's own limit or switch.

    ``CONFIRMED`` of a stop means that the board took 0 V on demand, which it does only when nothing plays; that the
    isolator followed is for the recorded current monitor to say.
    """

    def __init__(
        self,
        device: str,
        *,
        channel: str = "ao0",
        marker: str = "ao1",
        ua_per_v: float,
        max_current_ua: float,
        positive_is_cathodic: bool = False,
        allow_streaming: bool = False,
        remote: str | None = None,
        serial_number: int | None = None,
        port: Callable[[Pins], OutputPort] | None = None,
    ) -> None:
        where = f"{channel} of {device} at {remote}" if remote else f"{channel} of {device}"
        stage = OutputStage(ua_per_v, max_current_ua, positive_is_cathodic)
        plan = IsolatorPlan(device, channel, marker, stage, allow_streaming)
        super().__init__(BoardDialogue(where, plan, port_opener(device, plan.pins, remote, serial_number, port)))


@dataclass(frozen=True, slots=True)
class IsolatorPlan:
    """A train in samples and pulses of the board."""

    device: str
    channel: str
    marker: str
    stage: OutputStage
    allow_streaming: bool = False

    def __post_init__(self) -> None:
        known = ("ao", "ctr", "port")
        if not self.channel.startswith("ao") or not self.marker.startswith(known) or self.marker == self.channel:
            raise DeviceRefused(
                f"{self.device}: channel {self.channel!r} must be an analogue output (ao0), and marker {self.marker!r} "
                "another output of the board: ao1, ctr0 or port0/line0"
            )

    @property
    def pins(self) -> Pins:
        if self.marker.startswith("ao"):
            return Pins(analogue=(self.channel, self.marker))
        if self.marker.startswith("ctr"):
            return Pins(analogue=(self.channel,), counters=(self.marker,))
        return Pins(analogue=(self.channel,), digital=(self.marker,))

    @property
    def stops_with_the_board(self) -> bool:
        return True

    def accept(self, facts: BoardFacts) -> str:
        if facts.max_rate_hz <= 0:
            raise DeviceRefused(
                f"{facts.identity} has no sample clock for its analogue outputs: software would time every pulse; use "
                "a board whose outputs are hardware-timed, such as a USB-6211 or a PCIe-6321"
            )
        if not facts.low_v < 0 < facts.high_v:
            raise DeviceRefused(
                f"{facts.identity} puts out {facts.low_v:g} to {facts.high_v:g} V; a train needs both signs and 0 V"
            )
        return f"isolator of {self.stage.ua_per_v:g} uA/V at {self.channel}, train marked on {self.marker},"

    def plan(self, train: PulseTrain, facts: BoardFacts) -> Planned:
        check_numbers(train)
        steps = steps_of(train, self.stage, facts)
        grid = self._grid(train, facts)
        period = pulse_steps(train, grid, steps, self.stage) * facts.step_v
        # One sample more than the train: whatever else happens, the last value is 0 V on every pin.
        stimulus = np.append(np.tile(period, train.n_pulses), 0.0)
        high = np.append(np.ones(stimulus.size - 1, np.bool_), False)

        def delivered(armed: Armed) -> DeliveredTrain:
            check_rate(grid, armed.rate_hz)
            return delivered_train(train, grid, armed.rate_hz, steps * facts.step_v * self.stage.ua_per_v)

        return Planned(self._programme(stimulus, high, grid.rate_hz, facts), delivered)

    def _grid(self, train: PulseTrain, facts: BoardFacts) -> Grid:
        """The slowest clock that will do; one whose samples the board holds by itself, unless streaming is allowed."""
        if not 1 <= train.n_pulses <= MOST_PULSES:
            raise DeviceRefused(
                f"{train.pulse_hz:g} Hz for {train.train_s:g} s makes {train.n_pulses} pulses; the board is given from "
                f"1 to {MOST_PULSES} of them"
            )
        fastest_hz = min(HIGHEST_RATE_HZ, facts.max_rate_hz)
        try:
            return grid_of(train, fastest_hz, (facts.memory - 1) // train.n_pulses)
        except DeviceRefused as refused:
            grid = grid_of(train, fastest_hz)
            if self.allow_streaming:
                return grid
            raise DeviceRefused(
                f"this train takes {grid.period * train.n_pulses + 1} samples and the board itself holds "
                f"{facts.memory}: if the computer stopped in the middle, the last voltage would stay on; ask for a "
                "shorter train or for rounder numbers, mark the train on a counter, or set allow_streaming"
            ) from refused

    def _programme(
        self, stimulus: NDArray[np.float64], high: NDArray[np.bool_], rate_hz: float, facts: BoardFacts
    ) -> Programme:
        limit_v = self.stage.limit_v(facts) + facts.step_v
        limits_v = (max(-limit_v, facts.low_v), min(limit_v, facts.high_v))
        if self.marker.startswith("ao"):
            volts = np.stack((stimulus, TTL_V * high))
            return Programme(Waveform(volts, rate_hz, (limits_v, (0.0, TTL_V + facts.step_v))))
        waveform = Waveform(stimulus[np.newaxis], rate_hz, (limits_v,))
        if self.marker.startswith("ctr"):
            train_s = (stimulus.size - 1) / rate_hz
            trigger = f"/{self.device}/ao/StartTrigger"
            return Programme(waveform, pulses=(Pulses(self.marker, train_s, AFTER_MARKER_S, 1, trigger),))
        return Programme(waveform, levels=Levels(self.marker, high))
