"""A TTL into a stimulator on which a person sets current, phase and rate: the program owns only when, and how long."""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.board_dialogue import BoardDialogue, Planned, port_opener
from drivers.daq_output import Armed, BoardFacts, OutputPort, Pins, Programme, Pulses
from drivers.dial import Dial, ReadDial
from drivers.dialled_shot import DialledShot
from drivers.interface import DeliveredTrain, DeviceRefused, PulseTrain
from drivers.train_grid import check_numbers

LONGEST_S = 40.0
"""One pulse of a counter with 32 bits at 100 MHz."""

LOW_S = 1e-3


class ManualGate(DialledShot):
    """One pulse of a counter of ``device`` into a stimulator that is set by hand; thread-safe.

    It lasts as long as the train, but for half a gap.

    ``read_dial`` asks the experimenter for what the stimulator is set to, before every train. What ``prepare`` returns
    is that answer: phase, rate and number of pulses are as asked because nobody here can know better, and the
    recorded current monitor decides afterwards.

    The counter times the pulse, so the pin falls even when the computer has died. ``gated`` says that the stimulator
    gives current only while the pin is high. Otherwise the rising edge starts a train that it times itself: then a
    stop is ``UNCONFIRMED`` until that train must be over, because nothing here can end it.
    """

    def __init__(
        self,
        device: str,
        *,
        counter: str = "ctr0",
        gated: bool = True,
        max_current_ua: float,
        read_dial: ReadDial,
        remote: str | None = None,
        serial_number: int | None = None,
        port: Callable[[Pins], OutputPort] | None = None,
    ) -> None:
        where = f"{counter} of {device} at {remote}" if remote else f"{counter} of {device}"
        dial = Dial(where, max_current_ua, read_dial)
        plan = ManualPlan(device, counter, gated, dial)
        opener = port_opener(device, plan.pins, remote, serial_number, port)
        super().__init__(BoardDialogue(where, plan, opener), dial)


@dataclass(frozen=True, slots=True)
class ManualPlan:
    """A train as one pulse of a counter."""

    device: str
    counter: str
    gated: bool
    dial: Dial

    def __post_init__(self) -> None:
        if not self.counter.startswith("ctr"):
            raise DeviceRefused(f"{self.device}: {self.counter!r} is no counter; give one, such as ctr0")

    @property
    def pins(self) -> Pins:
        return Pins(counters=(self.counter,))

    @property
    def stops_with_the_board(self) -> bool:
        return self.gated

    def accept(self, facts: BoardFacts) -> str:
        how = "gated" if self.gated else "triggered"
        return f"stimulator {how} by {self.counter}, current, phase and rate set by hand and unverified,"

    def plan(self, train: PulseTrain, facts: BoardFacts) -> Planned:
        check_numbers(train)
        period_us = 1e6 / train.pulse_hz
        # Half a gap after the last pulse: the stimulator's own clock is not the board's, and a gate of whole periods
        # would cut a pulse in two, or let one more begin.
        gate_s = (train.n_pulses * period_us - (period_us - train.pulse_us) / 2) * 1e-6
        if train.n_pulses < 1 or gate_s > LONGEST_S:
            raise DeviceRefused(
                f"{train.pulse_hz:g} Hz for {train.train_s:g} s makes {train.n_pulses} pulses; {self.counter} can gate "
                f"from 1 pulse to {LONGEST_S:g} s"
            )
        if train.pulse_us >= period_us:
            raise DeviceRefused(
                f"a pulse of {train.pulse_us:g} us does not fit {train.pulse_hz:g} Hz, a period of {period_us:g} us: "
                "ask for a shorter phase or a lower rate"
            )
        current_ua = self.dial.current_for(train)

        def delivered(armed: Armed) -> DeliveredTrain:
            return DeliveredTrain(
                current_ua=current_ua,
                phase_us=train.phase_us,
                interphase_us=train.interphase_us if train.n_phases == 2 else 0.0,
                period_us=period_us,
                n_pulses=train.n_pulses,
                net_charge_uc=0.0 if train.n_phases == 2 else current_ua * train.phase_us * 1e-6 * train.n_pulses,
                shape=train.shape,
                polarity=train.polarity,
            )

        return Planned(Programme(pulses=(Pulses(self.counter, gate_s, LOW_S, 1),)), delivered)
