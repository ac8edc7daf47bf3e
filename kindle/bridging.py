"""Across a gap: wait for the instrument to come back, begin a new segment, and tell of both."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from drivers.interface import Abort, DriverError, LinkLost, Reopenable, SamplesLost, SampleSource
from kindle.progress import Awaiting, Back, Listener, Lost
from kindle.stream import Moment, SignalLost, Stream

LOOK_S = 0.1
"""While an instrument is waited for, the stop key is looked at this often."""

REOPEN_AFTER_EMPTY = 3
"""A source that loses its samples so often in a row without giving one is opened anew."""

MAX_EMPTY = 6
"""And one that comes back so often in a row without giving one is not back at all."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a lost instrument is waited for; it is looked for ever more rarely."""

    limit_s: float = 300.0
    first_pause_s: float = 0.1
    longest_pause_s: float = 5.0
    now_s: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


PATIENT = Patience()


class Bridge:
    """From the end of one segment to the beginning of the next; the stimulator is safe before it is asked."""

    def __init__(self, source: SampleSource, stream: Stream, listener: Listener, patience: Patience) -> None:
        self._source = source
        self._stream = stream
        self._listener = listener
        self._patience = patience
        self._n_empty = 0

    def cross(self, lost: SignalLost, stop: Abort, refuse_after_stop: Callable[[], None]) -> None:
        """Return once samples come again. ``refuse_after_stop`` raises when the experimenter wants no more.

        Raises the driver's error, saying how long it was waited for, when the instrument does not come back, and at
        once where the stimulator's ``stop`` is not confirmed.
        """
        self._listener(Lost(self._stream.n_samples, str(lost), stop))
        if stop is Abort.UNCONFIRMED:
            raise LinkLost(f"{lost}; the stimulator's stop is unconfirmed: nobody can see what it does") from lost.error
        self._n_empty = self._n_empty + 1 if self._stream.n_samples == self._stream.segment_start else 0
        if self._n_empty >= MAX_EMPTY:
            raise LinkLost(f"{lost}; it came back {self._n_empty} times in a row without a sample") from lost.error
        if isinstance(lost.error, SamplesLost) and self._n_empty < REOPEN_AFTER_EMPTY:
            # The source samples again since it noticed the loss.
            again = lost.noticed
        else:
            self._reopen(lost, refuse_after_stop)
            again = Moment.now()
        n_lost = self._stream.begin_segment(lost, again)
        self._listener(Back(self._stream.n_samples, n_lost, self._source.identify()))

    def _reopen(self, lost: SignalLost, refuse_after_stop: Callable[[], None]) -> None:
        source, patience = self._source, self._patience
        if not isinstance(source, Reopenable):
            raise lost.error
        began_s, pause_s = patience.now_s(), patience.first_pause_s
        while True:
            refuse_after_stop()
            try:
                source.reopen()
            except DriverError as error:
                latest = error
            else:
                return
            remaining_s = began_s + patience.limit_s - patience.now_s()
            if remaining_s <= 0:
                raise LinkLost(f"{lost}; it did not come back within {patience.limit_s:g} s ({latest})") from latest
            self._listener(Awaiting(remaining_s, str(latest)))
            self._pause(pause_s, refuse_after_stop)
            pause_s = min(2 * pause_s, patience.longest_pause_s)

    def _pause(self, seconds: float, refuse_after_stop: Callable[[], None]) -> None:
        until_s = self._patience.now_s() + seconds
        while (left_s := until_s - self._patience.now_s()) > 0:
            refuse_after_stop()
            self._patience.wait(min(left_s, LOOK_S))
