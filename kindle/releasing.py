"""Between a train that is due and its trigger: the person arms it, then fires it, as two separate acts."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from drivers.interface import DeliveredTrain, PulseTrain
from kindle.attending import Attendance
from kindle.errors import UnsafeStimulus
from kindle.permitting import Permission
from kindle.progress import Armed, Listener, Ready
from kindle.stopping import Guard
from kindle.stream import Stream

ARMED_S = 20.0
"""An armed train that is not fired within this time is disarmed: long enough for a last look at the animal."""

LOOK_S = 0.02
"""While a train is armed, the rig looks this often whether it is to be fired."""

Pressed = Callable[[], bool]
"""Whether the person has done it; looked at between any two blocks."""


class TwoActs(Protocol):
    """Who arms and fires. An act counts only for the train that was offered, and only after it was offered."""

    def arm(self, train: PulseTrain) -> Pressed:
        """``train`` may be given now: offer it to be armed."""
        ...

    def fire(self, delivered: DeliveredTrain) -> Pressed:
        """The stimulator is programmed: offer this train to be fired."""
        ...


@dataclass(frozen=True, slots=True)
class _Released:
    train: PulseTrain
    delivered: DeliveredTrain
    segment_start: int


class Release:
    def __init__(
        self,
        acts: TwoActs,
        stream: Stream,
        attendance: Attendance,
        listener: Listener,
        permission: Permission,
        guard: Guard,
    ) -> None:
        self._acts = acts
        self._stream = stream
        self._attendance = attendance
        self._listener = listener
        self._permission = permission
        self._guard = guard
        self._released: _Released | None = None

    def await_acts(self, train: PulseTrain, until: int | None = None) -> bool:
        """Whether ``train`` is armed and to be fired, before the sample ``until`` where there is one.

        One that is not fired in time has to be armed again.
        """
        self._released = None
        while self._released is None:
            self._permission.await_leave(train)
            if not self._armed_before(train, until):
                return False
            delivered = self._permission.programmed(train)
            segment_start = self._stream.segment_start
            if self._fired_in_time(train, delivered, until):
                self._released = _Released(train, delivered, segment_start)
            else:
                self._guard.disarm()
        return True

    def take(self, train: PulseTrain) -> DeliveredTrain:
        """What is armed, once. Raises ``UnsafeStimulus`` for a train that nobody has armed and fired."""
        released, self._released = self._released, None
        if released is None or released.train != train or released.segment_start != self._stream.segment_start:
            raise UnsafeStimulus(f"nobody has armed and fired the train of {train.current_ua:.4g} uA")
        return released.delivered

    def _armed_before(self, train: PulseTrain, until: int | None) -> bool:
        stream = self._stream
        if until is not None and stream.n_samples >= until:
            return False
        pressed = self._acts.arm(train)
        since = stream.n_samples
        while not pressed():
            left = None if until is None else until - stream.n_samples
            if left is not None and left <= 0:
                return False
            waiting_s = stream.seconds(stream.n_samples - since)
            self._listener(Ready(train, waiting_s, None if left is None else stream.seconds(left)))
            step = ceil(stream.rate_hz)
            self._attendance.idle(step if left is None else min(step, left))
        return True

    def _fired_in_time(self, train: PulseTrain, delivered: DeliveredTrain, latest: int | None) -> bool:
        """Behind a gap nothing is armed any more: samples that are lost stop the stimulator."""
        stream = self._stream
        segment_start, until = stream.segment_start, stream.n_samples + ceil(ARMED_S * stream.rate_hz)
        until = until if latest is None else min(until, latest)
        pressed = self._acts.fire(delivered)
        while stream.n_samples < until and stream.segment_start == segment_start:
            if pressed():
                return True
            self._listener(Armed(train, delivered, stream.seconds(until - stream.n_samples)))
            self._attendance.idle(min(ceil(LOOK_S * stream.rate_hz), until - stream.n_samples))
        return False
