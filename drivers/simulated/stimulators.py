"""Every stimulator that can stand on an emulated bench, by the name of its kind in a rig's file."""

from dataclasses import dataclass
from typing import Literal, get_args

from drivers.simulated.board import Board
from drivers.simulated.endpoints import SerialDevice
from drivers.simulated.hand_set import HandSetStimulator
from drivers.simulated.isolator import Isolator, PinIntoIsolator, PulsePalIntoIsolator
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.stimulator_output import StimulatorOutput

Kind = Literal["pulsepal", "stimjim", "am4100", "isolator", "counter", "manual"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a stimulator is wired; what does not concern its kind is not looked at.

    ``output`` and ``marker`` are a channel of a serial stimulator or a pin of the board, and its usual ones where
    empty. ``fixed_ua`` is the one current of a stimulator without a dial.
    """

    output: str = ""
    marker: str = ""
    ua_per_v: float = 100.0
    gated: bool = True
    fixed_ua: float | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """What a bench needs of a stimulator, and who answers on its line: the hand that sets it, where it has dials."""

    output: StimulatorOutput
    line: SerialDevice | None


def place(kind: Kind, board: Board, wiring: Wiring) -> Placed:
    """A stimulator of ``kind``, on the outputs of ``board`` where it is one that a board commands."""
    match kind:
        case "pulsepal":
            pulsepal = PulsePalDevice()
            channels = {"channel": int(wiring.output or 1), "sync_channel": int(wiring.marker or 2)}
            return Placed(PulsePalIntoIsolator(pulsepal, Isolator(wiring.ua_per_v), **channels), pulsepal)
        case "stimjim":
            from drivers.simulated.stimjim_device import StimJimDevice

            stimjim = StimJimDevice(channel=int(wiring.output or 0))
            return Placed(stimjim, stimjim)
        case "am4100":
            from drivers.simulated.am4100_device import AM4100Device

            am4100 = AM4100Device(sync_output=int(wiring.marker or 1))
            return Placed(am4100, am4100)
        case "isolator":
            pins = {"pin": wiring.output or "ao0", "marker": wiring.marker or "ao1"}
            return Placed(PinIntoIsolator(board, Isolator(wiring.ua_per_v), **pins), None)
        case "counter":
            pins = {"pin": wiring.output or "ctr0", "marker": wiring.marker or "ao0"}
            gated = HandSetStimulator(board, "pulse", fixed_ua=wiring.fixed_ua, **pins)
            return Placed(gated, gated)
        case "manual":
            by_hand = HandSetStimulator(board, "gate" if wiring.gated else "trigger", pin=wiring.output or "ctr0")
            return Placed(by_hand, by_hand)
