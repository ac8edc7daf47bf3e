"""From the instrument to disk and detector, block by block: the one place where samples flow."""

import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import nan
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.afterdischarge import AfterdischargeDetector, make_ready
from detectors.criterion import Criterion, Judgement, Stimulus, Verdict
from detectors.stimulus import TtlEdges
from drivers.interface import Block, Buffered, Channel, DriverError, LinkLost, SamplesLost, SampleSource
from kindle.delivery import MonitorTrace, Silence
from kindle.errors import ConfigError
from kindle.progress import Listener, Read
from kindle.shifting import shifted

MONITOR_KEPT_S = 2.0
QUIET_S = 1.0
"""Of the monitor before a train, to tell its offset and its noise from current."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows of a block play which part; ``eeg[0]`` is the stimulated electrode, on which trials are judged."""

    eeg: tuple[int, ...]
    ttl: int
    monitor: int | None

    @classmethod
    def of(cls, channels: tuple[Channel, ...]) -> "Rows":
        by_role: dict[str, list[int]] = {}
        for row, channel in enumerate(channels):
            by_role.setdefault(channel.role, []).append(row)
        for role in ("eeg", "stimulus_ttl"):
            if role not in by_role:
                raise ConfigError(
                    f"the rig has no channel with the role {role!r}; add one to [[daq.inputs]] in rig.toml"
                )
        if len(by_role["stimulus_ttl"]) > 1:
            raise ConfigError(
                "the rig has more than one channel with the role 'stimulus_ttl'; exactly one marks the train"
            )
        monitors = by_role.get("current_monitor", [])
        return cls(tuple(by_role["eeg"]), by_role["stimulus_ttl"][0], monitors[0] if monitors else None)


class Sink(Protocol):
    """Where blocks are written: a recording, or nowhere when a recording is only looked at again."""

    def append(self, block: Block, *, monotonic_ns: int, utc_ns: int) -> None: ...

    def new_segment(self, start_utc: datetime, n_lost: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks of the host."""

    utc: datetime
    monotonic_ns: int

    @classmethod
    def now(cls) -> "Moment":
        return cls(datetime.now(UTC), time.monotonic_ns())


class SignalLost(Exception):
    """The source has a gap here, or is gone. What it still handed over has been recorded; ``begin_segment`` goes on."""

    def __init__(self, error: SamplesLost | LinkLost) -> None:
        super().__init__(str(error))
        self.error = error
        self.noticed = Moment.now()

    @property
    def n_estimated(self) -> int | None:
        return self.error.n_estimated if isinstance(self.error, SamplesLost) else None


class Stream:
    """Reads, records, marks trains from the TTL channel and feeds the detector.

    Samples are counted over all segments, as the recording counts them: what was lost in gaps is not counted.
    """

    def __init__(
        self, source: SampleSource, recording: Sink, criterion: Criterion, block: int, listener: Listener
    ) -> None:
        self.channels = source.channels
        self.rate_hz = source.rate_hz
        self.rows = Rows.of(source.channels)
        self.n_samples = 0
        self.segment_start = 0
        """First sample of the stretch without a gap that is being read."""
        self.n_trains = 0
        """Trains that the TTL has shown so far, asked for or not."""
        self.open_ttl: int | None = None
        """Onset of a train that the TTL shows as going on."""
        self.closed_ttl: tuple[int, int] | None = None
        """Onset and end of the last whole train."""
        self._source = source
        self._recording = recording
        self._criterion = criterion
        self._block = block
        self._listener = listener
        make_ready(source.rate_hz)
        self._detector = self._new_detector()
        self._ttl = TtlEdges(*ttl_levels(source.channels[self.rows.ttl]))
        self._monitor: deque[tuple[int, NDArray[np.int16]]] = deque()
        self._last_onset = 0
        self._last_read_ns = time.monotonic_ns()
        self.keep_monitor_from: int | None = None

    def advance(self, n_samples: int) -> None:
        """Read the next ``n_samples``, at most one block of them; record them, then look at them.

        Raises ``SignalLost`` at a gap.
        """
        try:
            block = self._source.read(min(n_samples, self._block))
        except DriverError as error:
            lost = SignalLost(error) if isinstance(error, SamplesLost | LinkLost) else None
            if error.partial is not None and error.partial.shape[1]:
                self._take(error.partial)
            if lost is None:
                raise
            raise lost from error
        self._take(block)

    def present_sample(self) -> int:
        """The sample that is taken now: ``n_samples`` and what a program that was held up has not read yet.

        Raises ``LinkLost`` where the source does not answer.
        """
        return self.n_samples + (self._source.n_unread() if isinstance(self._source, Buffered) else 0)

    def begin_segment(self, lost: SignalLost, sampled_again: Moment) -> int:
        """What comes now follows the gap ``lost``: files of its own, a detector that knows nothing, no train going on.

        Returns about how many samples are missing: as the source says, else by the host's clock.
        """
        waited = (sampled_again.monotonic_ns - self._last_read_ns) * 1e-9 * self.rate_hz
        n_lost = max(1, round(waited) if lost.n_estimated is None else lost.n_estimated)
        self._recording.new_segment(sampled_again.utc, n_lost)
        self.segment_start = self.n_samples
        if self.open_ttl is not None:
            self.closed_ttl, self.open_ttl = (self.open_ttl, self.n_samples), None
        self._detector = self._new_detector()
        self._ttl = TtlEdges(*ttl_levels(self.channels[self.rows.ttl]))
        self._monitor.clear()
        self.keep_monitor_from = None
        return n_lost

    def _new_detector(self) -> AfterdischargeDetector:
        eeg = [self.channels[row] for row in self.rows.eeg]
        return AfterdischargeDetector(
            len(eeg), self.rate_hz, [c.resolution for c in eeg], self._criterion, rails=[c.rail_counts for c in eeg]
        )

    def _take(self, block: Block) -> None:
        self._last_read_ns = time.monotonic_ns()
        self._recording.append(block, monotonic_ns=self._last_read_ns, utc_ns=time.time_ns())
        self._mark_trains(block)
        self._detector.push(block[list(self.rows.eeg)])
        self._keep_monitor(block)
        first, self.n_samples = self.n_samples, self.n_samples + block.shape[1]
        self._listener(Read(first, block))

    def seconds(self, sample: int) -> float:
        return sample / self.rate_hz

    def judgement(self) -> Judgement:
        """What the stimulated electrode says about the last train of this segment.

        The detector knows of a train some samples later than the TTL: until then nothing is final.
        """
        judged = [shifted(judgement, self.segment_start) for judgement in self._detector.judgements(0)[-1:]]
        if judged and judged[0].stimulus.onset_sample >= self._last_onset:
            return judged[0]
        last = Stimulus(self._last_onset, self.n_samples)
        return Judgement(
            last, Verdict.UNDETERMINED, "the signal after the train was not read", (), nan, (), final=False
        )

    def closing_judgement(self) -> Judgement:
        """The same once nothing more can come before a gap; a discharge going on is cut off there.

        What was not decided by then may still have become a discharge: it is not none.
        """
        decided = self.judgement().final
        self._detector.finish()
        closing = self.judgement()
        if closing.verdict is not Verdict.NONE or decided:
            return closing
        seconds = self.seconds(self.n_samples - closing.stimulus.end_sample)
        reason = f"the signal ends {seconds:.1f} s after the train, before a discharge was ruled out: {closing.reason}"
        return replace(closing, verdict=Verdict.UNDETERMINED, reason=reason)

    def discharge_s(self) -> float | None:
        """Running length of a discharge going on, for the display."""
        live = self._detector.live(0)
        if not live.in_discharge or live.onset_sample is None:
            return None
        return (self.n_samples - self.segment_start - live.onset_sample) / self.rate_hz

    def spike_hz(self) -> float | None:
        """Of a discharge going on, for the display."""
        live = self._detector.live(0)
        return live.spike_hz if live.in_discharge else None

    def monitor_since(self, first_sample: int, end_sample: int, quiet_before: int) -> MonitorTrace | None:
        """The current monitor in ``[first_sample, end_sample)``; its noise from the second before ``quiet_before``."""
        if self.rows.monitor is None:
            return None
        resolution = self.channels[self.rows.monitor].resolution
        quiet = self._kept(quiet_before - round(QUIET_S * self.rate_hz), quiet_before) * resolution
        offset_ua = float(np.median(quiet)) if quiet.size else 0.0
        noise_ua = float(np.abs(quiet - offset_ua).max(initial=0.0))
        current_ua = self._kept(first_sample, end_sample) * resolution - offset_ua
        return MonitorTrace(first_sample, current_ua, noise_ua, offset_ua)

    def stray_current(self, silence: Silence) -> str:
        """What the last second of the monitor shows where there should be no current; empty where there is none."""
        if self.rows.monitor is None:
            return ""
        resolution = self.channels[self.rows.monitor].resolution
        second = self.n_samples - round(self.rate_hz)
        before = self._kept(max(silence.since_sample, second - round(self.rate_hz)), second) * resolution
        if before.size >= 0.5 * self.rate_hz:
            # Offsets drift over hours; current comes at once.
            silence = replace(silence, rest_ua=float(np.median(before)))
        latest = self._kept(max(silence.since_sample, second), self.n_samples) * resolution
        return silence.broken_by(latest, self.rate_hz)

    def _mark_trains(self, block: Block) -> None:
        for edge in self._ttl.push(block[self.rows.ttl]):
            sample = self.segment_start + edge.sample
            if edge.rising:
                self.open_ttl = self._last_onset = sample
                self.n_trains += 1
                self._detector.stimulus_begins(edge.sample)
            elif self.open_ttl is not None:
                self.closed_ttl, self.open_ttl = (self.open_ttl, sample), None
                self._detector.stimulus_ends(edge.sample)

    def _keep_monitor(self, block: Block) -> None:
        if self.rows.monitor is None:
            return
        self._monitor.append((self.n_samples, block[self.rows.monitor].copy()))
        oldest = self.n_samples - round(MONITOR_KEPT_S * self.rate_hz)
        if self.keep_monitor_from is not None:
            oldest = min(oldest, self.keep_monitor_from - round(QUIET_S * self.rate_hz))
        while self._monitor and self._monitor[0][0] + self._monitor[0][1].size <= oldest:
            self._monitor.popleft()

    def _kept(self, first: int, end: int) -> NDArray[np.float64]:
        pieces = [row[max(0, first - start) : max(0, end - start)] for start, row in self._monitor]
        return np.concatenate(pieces or [np.empty(0, np.int16)]).astype(np.float64)


def ttl_levels(channel: Channel) -> tuple[float, float]:
    """Hysteresis of a TTL input in counts: below 0.8 V is low, above 2.0 V is high; a unitless one switches at half."""
    if channel.unit == "V":
        return 0.8 / channel.resolution, 2.0 / channel.resolution
    return 0.3 / channel.resolution, 0.7 / channel.resolution
