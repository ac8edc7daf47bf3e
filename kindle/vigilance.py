"""Reading on, and looking after every block whether anything speaks against it: a stop, stray current, a gap."""

from math import ceil

from drivers.interface import DeliveredTrain, LinkLost
from kindle.bridging import Bridge
from kindle.delivery import MonitorTrace, Silence
from kindle.stopping import Guard, StrayCurrent, UnaskedTrain
from kindle.stream import SignalLost, Stream


class Vigil:
    """Without a ``bridge`` no session goes on behind a gap.

    ``rest_limit_ua`` is what the current monitor may show while no train is due, from the first block on.
    """

    def __init__(self, stream: Stream, guard: Guard, bridge: Bridge | None, *, rest_limit_ua: float) -> None:
        self._stream = stream
        self._guard = guard
        self._bridge = bridge
        self._trains_accounted = stream.n_trains
        self._rest_limit_ua = rest_limit_ua
        self._silence: Silence | None = Silence(stream.n_samples, rest_limit_ua)
        """What the current monitor must show from now on; ``None`` while a train is due."""

    def advance_in_train(self, n_samples: int) -> None:
        """Read the next block while a train is due. Raises ``SignalLost``, ``StoppedByExperimenter``."""
        self._guard.heed_stop()
        self._stream.advance(n_samples)

    def advance(self, n_samples: int) -> None:
        """Read the next block while no train is due. Raises ``StrayCurrent`` and ``UnaskedTrain`` too."""
        self.advance_in_train(n_samples)
        stray = "" if self._silence is None else self._stream.stray_current(self._silence)
        if stray:
            abort = self._guard.abort()
            raise StrayCurrent(
                f"the current monitor {stray}; the stimulator's stop is {abort.value}: check its output before going "
                "on, and where no current flows, zero the monitor or correct its rest_limit_ua in the rig's file"
            )
        if self._stream.n_trains != self._trains_accounted:
            abort = self._guard.abort()
            raise UnaskedTrain(
                "the TTL shows a train that was not asked for; the stimulator's stop is "
                f"{abort.value}: check what else can trigger it before going on"
            )

    def train_is_due(self) -> None:
        """From the trigger on current is what was asked for."""
        self._silence = None

    def train_is_over(self, end_sample: int, quiet: MonitorTrace | None, delivered: DeliveredTrain) -> None:
        """``quiet`` is the current monitor before the train, where one is wired."""
        self._silence = Silence.after(end_sample, quiet, delivered, self._stream.rate_hz, most_ua=self._rest_limit_ua)

    def account_for_train(self) -> None:
        """The train that the TTL has shown was the one asked for."""
        self._trains_accounted += 1

    def cross(self, lost: SignalLost) -> None:
        """Current off first; then wait for the signal and go on in a new segment.

        Raises the driver's error where nothing comes back or the stimulator does not prove that it stopped.
        """
        stop = self._guard.stop_output()
        if self._bridge is None:
            raise lost.error
        self._bridge.cross(lost, stop, self._guard.heed_stop)

    def see_a_stopped_train_end(self, within_s: float) -> None:
        """Behind a gap in a train, the rest of it may still be seen until the stop took effect; then all is quiet."""
        stream = self._stream
        end = stream.n_samples + ceil(within_s * stream.rate_hz)
        while stream.n_samples < end:
            try:
                self.advance_in_train(end - stream.n_samples)
            except SignalLost as again:
                self.cross(again)
        if stream.open_ttl is not None:
            abort = self._guard.abort()
            raise LinkLost(
                f"the TTL is still high {within_s:g} s after the stimulator was stopped; its stop is {abort.value}: "
                "check its output before going on"
            )
        self._trains_accounted = stream.n_trains
