"""A recording played back as a source of samples, with the stimulator that was at work in it."""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from drivers.interface import (
    Abort,
    Block,
    Channel,
    DeliveredTrain,
    DeviceRefused,
    LinkLost,
    PulseTrain,
    SamplesLost,
    SourceEnded,
)

LEAD_S = 1.0
"""A recorded train that begins this soon after the trigger is taken as its answer without moving the recording."""

CURRENT_TOLERANCE = 0.10


@dataclass(frozen=True, slots=True)
class RecordedTrain:
    """A train found on the recorded TTL, ``[onset_sample, end_sample)``; current where a monitor was recorded."""

    onset_sample: int
    end_sample: int
    current_ua: float | None


class ReplaySource:
    """``counts`` is ``(n_channels, n_samples)``, int16; it may be a memory map.

    Samples are missing before each of ``gaps``: there a read is answered as it was when they were lost.
    """

    def __init__(
        self,
        name: str,
        channels: Sequence[Channel],
        rate_hz: float,
        counts: NDArray[np.int16],
        *,
        gaps: Sequence[int] = (),
    ) -> None:
        self._name = name
        self._channels = tuple(channels)
        self._rate_hz = rate_hz
        self._counts = counts
        self._gaps = tuple(gaps)
        self._ahead = deque(gaps)
        self.position = 0
        self._closed = False

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self._channels

    @property
    def rate_hz(self) -> float:
        return self._rate_hz

    @property
    def remaining(self) -> int:
        return int(self._counts.shape[1]) - self.position

    def identify(self) -> str:
        return f"replay of {self._name}"

    def start(self) -> None:
        self.position = 0
        self._ahead = deque(self._gaps)

    def reopen(self) -> None:
        """See ``Reopenable``; what follows a gap is there already."""
        self._check_open()

    def read(self, n_samples: int) -> Block:
        self._check_open()
        if self._ahead and n_samples and self.position + n_samples > self._ahead[0]:
            lost = SamplesLost(f"{self._name} has a gap before sample {self._ahead[0]}")
            lost.partial = self._next(self._ahead.popleft() - self.position)
            raise lost
        if n_samples > self.remaining:
            raise SourceEnded(f"{self._name} ends {self.remaining} samples from here; {n_samples} were asked for")
        return self._next(n_samples)

    def seek(self, sample: int) -> None:
        """Go on from ``sample``; gaps that are passed over are not told."""
        self.position = sample
        self._ahead = deque(gap for gap in self._gaps if gap > sample)

    def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise LinkLost(f"{self.identify()} is closed; open it again to read on")

    def _next(self, n_samples: int) -> Block:
        begin, self.position = self.position, self.position + n_samples
        return np.ascontiguousarray(self._counts[:, begin : self.position], dtype=np.int16)

    def trains(self) -> tuple[RecordedTrain, ...]:
        """The trains that the TTL channel shows, with the median plateau of the current monitor."""
        by_role = {channel.role: (row, channel) for row, channel in enumerate(self._channels)}
        if "stimulus_ttl" not in by_role:
            return ()
        row, channel = by_role["stimulus_ttl"]
        half = 1.4 / channel.resolution if channel.unit == "V" else 0.5 / channel.resolution
        high = np.concatenate(([False], np.asarray(self._counts[row]) > half, [False]))
        edges = np.flatnonzero(high[1:] != high[:-1])
        monitor = by_role.get("current_monitor")
        return tuple(
            RecordedTrain(int(onset), int(end), self._current_ua(monitor, int(onset), int(end)))
            for onset, end in zip(edges[0::2], edges[1::2], strict=True)
        )

    def _current_ua(self, monitor: tuple[int, Channel] | None, onset: int, end: int) -> float | None:
        if monitor is None:
            return None
        row, channel = monitor
        absolute = np.abs(self._counts[row, onset:end].astype(np.float64) * channel.resolution)
        return float(np.median(absolute[absolute > 0.5 * absolute.max()])) if absolute.any() else 0.0


class ReplayStimulator:
    """Answers each ``fire`` with the next recorded train; refuses a train that is not the one recorded there.

    Where the protocol reaches its trigger at another moment than it did, the recording jumps to just before the
    train: ``jumps`` counts these. ``unseen`` are the triggers, counted from 0, that no recorded train followed.
    """

    def __init__(self, source: ReplaySource, *, unseen: Collection[int] = ()) -> None:
        self._source = source
        self._unseen = frozenset(unseen)
        self._n_fired = 0
        self._trains = source.trains()
        self._next = 0
        self._prepared = False
        self.jumps = 0

    def identify(self) -> str:
        return f"{self._source.identify()}, {len(self._trains)} trains"

    def prepare(self, train: PulseTrain) -> DeliveredTrain:
        if self._n_fired in self._unseen:
            self._prepared = True
            return DeliveredTrain.as_asked(train)
        if self._next >= len(self._trains):
            raise DeviceRefused(
                f"{self._source.identify()} holds {len(self._trains)} trains; the protocol asks for one more"
            )
        recorded = self._trains[self._next]
        current_ua = train.current_ua if recorded.current_ua is None else recorded.current_ua
        if abs(current_ua - train.current_ua) > max(CURRENT_TOLERANCE * train.current_ua, 0.5):
            raise DeviceRefused(
                f"train {self._next + 1} of {self._source.identify()} carried {current_ua:.4g} uA; the protocol asks "
                f"{train.current_ua:.4g} uA: it has taken another course than when this was recorded"
            )
        self._prepared = True
        return structs.replace(DeliveredTrain.as_asked(train), current_ua=current_ua)

    def fire(self) -> None:
        if not self._prepared:
            raise DeviceRefused("fire() without prepare(): each train is prepared anew")
        self._prepared = False
        self._n_fired += 1
        if self._n_fired - 1 in self._unseen:
            return
        onset = self._trains[self._next].onset_sample
        self._next += 1
        if not 0 <= onset - self._source.position <= LEAD_S * self._source.rate_hz:
            self._source.seek(max(0, onset - round(0.1 * self._source.rate_hz)))
            self.jumps += 1

    def rest(self) -> None:
        self._prepared = False

    def abort(self) -> Abort:
        self._prepared = False
        return Abort.CONFIRMED

    def close(self) -> None:
        pass
