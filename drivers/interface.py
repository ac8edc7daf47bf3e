"""What an instrument is to the rest of the program: channels, samples, trains and their errors.

Signals are ``int16`` blocks of shape ``(n_channels, n_samples)``, as converters deliver them; a channel's
``resolution`` turns counts into its unit.
"""

from enum import Enum
from math import log10
from typing import Literal, Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.int16]
"""Samples in converter counts, shape ``(n_channels, n_samples)``."""

Role = Literal["eeg", "stimulus_ttl", "current_monitor", "aux"]
Shape = Literal["biphasic", "monophasic"]
Polarity = Literal["cathodic_first", "anodic_first"]


class DriverError(Exception):
    """An instrument did not do what was asked; the message names it and says what to do."""

    partial: "Block | None" = None
    """Samples of a failed read that did arrive: they are to be recorded before anything else happens."""


class DeviceNotFound(DriverError):
    """Nothing answers at the configured address, or something else does."""


class DeviceRefused(DriverError):
    """The instrument cannot deliver, or will not accept, what was asked."""


class LinkLost(DriverError):
    """The instrument stopped answering, or answered nonsense."""


class SamplesLost(DriverError):
    """Samples are gone; ``n_estimated`` says about how many per channel, where that is known."""

    def __init__(self, message: str, n_estimated: int | None = None) -> None:
        super().__init__(message)
        self.n_estimated = n_estimated


class Channel(msgspec.Struct, frozen=True, tag="channel"):
    """One input: ``counts * resolution`` is its value in ``unit``.

    ``rail_counts`` are the lowest and the highest count the input can deliver: at them the signal is clipped.
    """

    name: str
    role: Role
    unit: str
    resolution: float
    rail_counts: tuple[int, int] = (-32768, 32767)


class PulseTrain(msgspec.Struct, frozen=True, tag="train"):
    """A train as the experimenter asks for it. Phases are equal and, when biphasic, opposite."""

    current_ua: float
    phase_us: float
    interphase_us: float
    pulse_hz: float
    train_s: float
    shape: Shape = "biphasic"
    polarity: Polarity = "cathodic_first"

    @property
    def n_pulses(self) -> int:
        return round(self.pulse_hz * self.train_s)

    @property
    def n_phases(self) -> int:
        return 2 if self.shape == "biphasic" else 1

    @property
    def pulse_us(self) -> float:
        """Length of one whole pulse, interphase gap included."""
        return self.phase_us if self.n_phases == 1 else 2 * self.phase_us + self.interphase_us

    @property
    def charge_per_phase_uc(self) -> float:
        return self.current_ua * self.phase_us * 1e-6

    @property
    def charge_uc(self) -> float:
        """Charge moved in one direction or the other over the whole train."""
        return self.charge_per_phase_uc * self.n_phases * self.n_pulses

    @property
    def net_charge_uc(self) -> float:
        return 0.0 if self.n_phases == 2 else self.charge_per_phase_uc * self.n_pulses


class DeliveredTrain(msgspec.Struct, frozen=True, tag="delivered_train"):
    """What the instrument will really put out after quantisation; currents in uA, times in us."""

    current_ua: float
    phase_us: float
    interphase_us: float
    period_us: float
    n_pulses: int
    net_charge_uc: float
    shape: Shape
    polarity: Polarity

    @classmethod
    def as_asked(cls, train: PulseTrain) -> "DeliveredTrain":
        """What an ideal instrument delivers; also all that is known where no instrument answered."""
        return cls(
            current_ua=train.current_ua,
            phase_us=train.phase_us,
            interphase_us=train.interphase_us,
            period_us=1e6 / train.pulse_hz,
            n_pulses=train.n_pulses,
            net_charge_uc=train.net_charge_uc,
            shape=train.shape,
            polarity=train.polarity,
        )

    @property
    def pulse_hz(self) -> float:
        return 1e6 / self.period_us

    @property
    def train_s(self) -> float:
        """Nominal length: whole periods, so the gap after the last pulse belongs to the train."""
        return self.n_pulses * self.period_us * 1e-6

    @property
    def charge_per_phase_uc(self) -> float:
        return self.current_ua * self.phase_us * 1e-6

    @property
    def charge_uc(self) -> float:
        """Charge moved in one direction or the other over the whole train."""
        return self.charge_per_phase_uc * (2 if self.shape == "biphasic" else 1) * self.n_pulses


def charge_density_uc_cm2(charge_per_phase_uc: float, area_cm2: float) -> float:
    return charge_per_phase_uc / area_cm2


def shannon_k(charge_per_phase_uc: float, area_cm2: float) -> float:
    """Shannon's k: log10(charge per phase in uC) + log10(charge density in uC/cm2). Shannon 1992."""
    return log10(charge_per_phase_uc) + log10(charge_density_uc_cm2(charge_per_phase_uc, area_cm2))


class Abort(Enum):
    """Whether the instrument itself proved that no current flows any more."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"


@runtime_checkable
class SampleSource(Protocol):
    """The only clock of an experiment: the number of samples read so far."""

    @property
    def channels(self) -> tuple[Channel, ...]: ...

    @property
    def rate_hz(self) -> float:
        """The true sampling rate, as the instrument coerced it."""
        ...

    def identify(self) -> str:
        """Model and serial number, for the record."""
        ...

    def start(self) -> None: ...

    def read(self, n_samples: int) -> Block:
        """Exactly ``n_samples`` samples of every channel; blocks until it has them.

        Raises ``SamplesLost`` when the stream has a gap (the next read begins a new segment) and ``LinkLost``
        when the instrument is gone or silent. A finite source (a recording) raises ``SourceEnded`` at its end.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class Reopenable(Protocol):
    """A source that can be had back after ``LinkLost``."""

    def reopen(self) -> None:
        """Find the same instrument again and start it; what follows is a new segment.

        Raises ``DriverError`` as long as it is not back, or not the same; it may be tried again.
        """
        ...


@runtime_checkable
class Buffered(Protocol):
    """A source that keeps what nobody has read yet: whoever reads late is behind the present."""

    def n_unread(self) -> int:
        """Samples that have come and were not read; of an instrument that is gone, what it last knew or 0.

        Raises ``LinkLost`` where it does not answer.
        """
        ...


class SourceEnded(DriverError):
    """A recording played back has no more samples."""


@runtime_checkable
class Stimulator(Protocol):
    """One shot per ``prepare``, ended by the instrument's own timing; a trigger is never retried."""

    def identify(self) -> str:
        """Prove model and firmware, then force a known silent state. Raises ``DeviceNotFound``, ``DeviceRefused``."""
        ...

    def prepare(self, train: PulseTrain) -> DeliveredTrain:
        """Programme ``train`` and return it as it will be delivered, or raise ``DeviceRefused``."""
        ...

    def fire(self) -> None:
        """Trigger the prepared train once. Raises ``LinkLost`` when it is unknown whether it was accepted."""
        ...

    def rest(self) -> None:
        """After a train: set every amplitude to zero, so that a stray trigger delivers nothing."""
        ...

    def abort(self) -> Abort:
        """Stop all output now; from any thread, at any time, as often as wanted. Never raises."""
        ...

    def close(self) -> None:
        """Make safe and let go of the port. Never raises."""
        ...
