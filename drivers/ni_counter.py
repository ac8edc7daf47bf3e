"""An NI counter whose pulses gate a stimulator: current flows while the pin is high, as strong as a dial says."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from drivers.board_dialogue import BoardDialogue, Planned, port_opener
from drivers.daq_output import TTL_V, BoardFacts, OutputPort, Pins, Programme, Pulses, Waveform
from drivers.dial import Dial, ReadDial
from drivers.dialled_shot import DialledShot
from drivers.interface import DeliveredTrain, DeviceRefused, Polarity, PulseTrain
from drivers.train_grid import TOLERANCE, check_numbers

SHORTEST_S = 1e-6
"""Of a pulse or a gap: more than enough ticks for any counter, less than any stimulator follows."""

MARKER_HZ = 100.0
"""About: a marker changes only at its ends, and few samples fit into any board."""


class CounterOutput(DialledShot):
    """One counter of ``device`` and the gated stimulator behind it; thread-safe.

    Monophasic trains only: a pin that is high or low has one direction, ``polarity``, by the wiring of the electrode.
    ``current_ua`` is the one current of the stimulator; without it ``read_dial`` asks for what the dial shows before
    every train. Either is what a person says: only the recorded current monitor knows. ``marker`` is high for the
    length of every train: an analogue output (``ao0``), which starts the counter, or another counter (``ctr2``),
    which the first one starts.

    The counter counts the pulses, so a train ends by itself even when the computer has died. ``CONFIRMED`` of a stop
    means that the board drives the pin low; an idle board may leave it open, so the stimulator's input needs to rest
    low by itself.
    """

    def __init__(
        self,
        device: str,
        *,
        counter: str = "ctr0",
        marker: str = "ao0",
        max_current_ua: float,
        current_ua: float | None = None,
        read_dial: ReadDial | None = None,
        polarity: Polarity = "cathodic_first",
        remote: str | None = None,
        serial_number: int | None = None,
        port: Callable[[Pins], OutputPort] | None = None,
    ) -> None:
        where = f"{counter} of {device} at {remote}" if remote else f"{counter} of {device}"
        dial = Dial(where, max_current_ua, read_dial, current_ua)
        plan = CounterPlan(device, counter, marker, dial, polarity)
        opener = port_opener(device, plan.pins, remote, serial_number, port)
        super().__init__(BoardDialogue(where, plan, opener), dial)


@dataclass(frozen=True, slots=True)
class CounterPlan:
    """A train as pulses of a counter."""

    device: str
    counter: str
    marker: str
    dial: Dial
    polarity: Polarity

    def __post_init__(self) -> None:
        if (
            not self.counter.startswith("ctr")
            or not self.marker.startswith(("ao", "ctr"))
            or self.marker == self.counter
        ):
            raise DeviceRefused(
                f"{self.device}: counter {self.counter!r} must be a counter (ctr0), and marker {self.marker!r} an "
                "analogue output (ao0) or another counter (ctr2)"
            )

    @property
    def pins(self) -> Pins:
        if self.marker.startswith("ao"):
            return Pins(analogue=(self.marker,), counters=(self.counter,))
        return Pins(counters=(self.counter, self.marker))

    @property
    def stops_with_the_board(self) -> bool:
        return True

    def accept(self, facts: BoardFacts) -> str:
        if self.pins.analogue and facts.max_rate_hz <= 0:
            raise DeviceRefused(f"{facts.identity} has no sample clock for {self.marker}: mark the train on a counter")
        return f"stimulator gated by {self.counter}, its current set by hand, train marked on {self.marker},"

    def plan(self, train: PulseTrain, facts: BoardFacts) -> Planned:
        check_numbers(train)
        if train.shape != "monophasic" or train.polarity != self.polarity:
            raise DeviceRefused(
                f"train is {train.shape}, {train.polarity}; {self.counter} of {self.device} gates a stimulator of one "
                f"direction: ask for monophasic pulses, {self.polarity}"
            )
        high_s, low_s = train.phase_us * 1e-6, 1 / train.pulse_hz - train.phase_us * 1e-6
        if train.n_pulses < 1 or high_s < SHORTEST_S or low_s < SHORTEST_S:
            raise DeviceRefused(
                f"pulses of {train.phase_us:g} us at {train.pulse_hz:g} Hz for {train.train_s:g} s: a counter needs at "
                f"least one pulse, and {SHORTEST_S * 1e6:g} us for a pulse and for the gap after it"
            )
        current_ua = self.dial.current_for(train)
        programme = self._programme(high_s, low_s, train.n_pulses)
        return Planned(programme, lambda armed: _delivered(train, current_ua, *armed.pulses_s[0]))

    def _programme(self, high_s: float, low_s: float, n_pulses: int) -> Programme:
        train_s = n_pulses * (high_s + low_s)
        if self.marker.startswith("ctr"):
            first = f"/{self.device}/{self.counter.capitalize()}InternalOutput"
            marker = Pulses(self.marker, train_s, low_s, 1, first)
            return Programme(pulses=(Pulses(self.counter, high_s, low_s, n_pulses), marker))
        n_samples = max(1, round(train_s * MARKER_HZ))
        volts = np.append(np.full(n_samples, TTL_V), 0.0)[np.newaxis]
        waveform = Waveform(volts, n_samples / train_s, ((0.0, TTL_V),))
        trigger = f"/{self.device}/ao/StartTrigger"
        return Programme(waveform, pulses=(Pulses(self.counter, high_s, low_s, n_pulses, trigger),))


def _delivered(train: PulseTrain, current_ua: float, high_s: float, low_s: float) -> DeliveredTrain:
    """What the counter will do, and the current that somebody says it will gate."""
    for what, asked, possible, unit in (
        ("phase", train.phase_us, high_s * 1e6, "us"),
        ("pulse rate", train.pulse_hz, 1 / (high_s + low_s), "Hz"),
    ):
        if abs(possible - asked) > TOLERANCE * asked:
            raise DeviceRefused(
                f"train asks a {what} of {asked:g} {unit}; the counter can only make {possible:g} {unit}"
            )
    return DeliveredTrain(
        current_ua=current_ua,
        phase_us=high_s * 1e6,
        interphase_us=0.0,
        period_us=(high_s + low_s) * 1e6,
        n_pulses=train.n_pulses,
        net_charge_uc=current_ua * high_s * train.n_pulses,
        shape="monophasic",
        polarity=train.polarity,
    )
