"""What an instrument that measures its own output says about the train it has just delivered."""

from typing import Protocol, runtime_checkable

import msgspec


class DeliveryReport(msgspec.Struct, frozen=True, tag="delivery_report"):
    """``phase_ua`` are the measured currents of the phases of a pulse, in order, as means over the train."""

    n_pulses: int
    phase_ua: tuple[float, ...]
    complaint: str
    """What speaks against the delivery, in one sentence; empty when nothing does."""


@runtime_checkable
class SelfMeasuring(Protocol):
    """A ``Stimulator`` that has this method as well measures what it puts out."""

    def delivery_report(self) -> DeliveryReport | None:
        """Of the train that ended last; known from ``rest`` on, ``None`` until then."""
        ...
