"""StimJim (open-ephys/stimjim) as a stimulator: a current programme that the instrument plays and measures itself."""

from drivers.delivery_report import DeliveryReport
from drivers.interface import DeviceRefused
from drivers.one_shot import OneShot
from drivers.serial_wire import SerialWire
from drivers.stimjim_dialogue import StimJimDialogue
from drivers.stimjim_train import OutputStage


class StimJim(OneShot):
    """One of the two current outputs of a StimJim; thread-safe.

    ``channel`` is 0 or 1; IN0 or IN1 is high for the length of its trains. ``positive_is_cathodic`` says which way
    it is wired. ``current_tolerance`` is the share by which the current that the StimJim measures may differ before
    ``delivery_report`` complains. ``settle_s`` is how long ``identify`` listens before it says anything.
    A stop lets the pulse in progress be completed. The StimJim lives on the computer's USB: unplugged, it is off.
    """

    def __init__(
        self,
        address: str,
        *,
        channel: int = 0,
        max_current_ua: float,
        positive_is_cathodic: bool = False,
        current_tolerance: float = 0.1,
        settle_s: float = 0.3,
        wire: SerialWire | None = None,
    ) -> None:
        if not 0 < current_tolerance < 1:
            raise DeviceRefused(f"{address}: current_tolerance is {current_tolerance:g}; give a share between 0 and 1")
        stage = OutputStage(channel, max_current_ua, positive_is_cathodic)
        self._stimjim = StimJimDialogue(address, stage, current_tolerance, settle_s, wire)
        super().__init__(self._stimjim)

    def delivery_report(self) -> DeliveryReport | None:
        """What the StimJim measured in the train that ended last; known from ``rest`` on, ``None`` until then."""
        with self._lock:
            return self._stimjim.report
