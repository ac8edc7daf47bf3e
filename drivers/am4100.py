"""A-M Systems Model 4100 as a stimulator: a current programme that the instrument plays, through USB or telnet."""

from drivers.am4100_dialogue import AM4100Dialogue
from drivers.am4100_train import OutputStage
from drivers.interface import DeviceRefused
from drivers.one_shot import OneShot
from drivers.serial_wire import SerialWire


class AM4100(OneShot):
    """A 4100 in its internal current mode, triggered once by command; thread-safe.

    ``address`` is a serial port (115200 8-O-1) or ``socket://192.168.0.50:23``. ``sync`` is the output, 1 or 2, that is
    high for the length of every train. ``monitor_ua_per_v`` is the range that the monitor output is set to.
    ``settle_s`` is how long ``identify`` listens, twice. Whether a stop cuts the pulse in progress is not documented.
    """

    def __init__(
        self,
        address: str,
        *,
        pin: int = 1001,
        sync: int = 1,
        monitor_ua_per_v: int = 100,
        max_current_ua: float,
        positive_is_cathodic: bool = False,
        settle_s: float = 0.5,
        wire: SerialWire | None = None,
    ) -> None:
        if pin < 0:
            raise DeviceRefused(f"{address}: pin is {pin}; give the number that the front panel shows")
        stage = OutputStage(max_current_ua, monitor_ua_per_v, sync, positive_is_cathodic)
        super().__init__(AM4100Dialogue(address, stage, pin, settle_s, wire))
