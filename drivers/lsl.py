"""A stream of the Lab Streaming Layer as a ``SampleSource``: for amplifiers that no other driver here serves."""

import logging
from collections.abc import Sequence
from math import isclose, isfinite
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from drivers.interface import Block, Channel, DeviceNotFound, DeviceRefused, LinkLost, SamplesLost
from drivers.lsl_counts import LslInput, counts_of, pick
from drivers.lsl_stamps import Stamps, StampWatch
from drivers.lsl_stream import Stream

__all__ = ["LslInput", "LslSource"]

log = logging.getLogger(__name__)

RATE_TOLERANCE = 1e-3
BUFFER_S = 10
SILENCE_S = 2.0
WAIT_S = 0.25
"""Longest single wait, so that closing and Ctrl-C are noticed soon."""


class LslSource:
    """Some channels of one stream, chosen by label. One caller reads, anybody may close.

    ``rate_hz`` is what the experiment counts on and must be the stream's. Raises ``DeviceNotFound`` where there is no
    such stream, ``DeviceRefused`` for one without a rate of its own or with a doubt about a label, unit or resolution.
    """

    def __init__(
        self, name: str, inputs: Sequence[LslInput], rate_hz: float, *, source_id: str = "", jitter_s: float = 0.01
    ) -> None:
        self._name = name
        self._where = f"LSL stream {name!r}"
        self._inputs = tuple(inputs)
        self._jitter_s = jitter_s
        stream = Stream(name, source_id, buffer_s=BUFFER_S)
        _check_rate(stream.sender.rate_hz, rate_hz, self._where)
        self._sender = stream.sender
        self._picked = tuple(
            pick(wanted, stream.sender.channels, sends_counts=stream.sender.format == "int16", where=self._where)
            for wanted in self._inputs
        )
        self._clock_offset_s = stream.clock_offset_s()
        self._watch = StampWatch(stream.sender.rate_hz, jitter_s)
        self._begin(stream)
        self._ended = ""
        self._closed = False

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(one.channel for one in self._picked)

    @property
    def rate_hz(self) -> float:
        """The stream's nominal rate, held against its stamps all the time."""
        return self._sender.rate_hz

    @property
    def measured_rate_hz(self) -> float:
        """By the sender's stamps, since the last gap; NaN at first."""
        return self._watch.measured_rate_hz

    @property
    def clock_offset_s(self) -> float | None:
        """When the stream was opened: this computer's LSL clock minus the sender's; None where it did not tell."""
        return self._clock_offset_s

    def identify(self) -> str:
        sender, offset_s = self._sender, self._clock_offset_s
        clock = "with a clock that could not be compared" if offset_s is None else f"clock offset {offset_s:+.6f} s"
        return (
            f"{self._where} ({sender.kind}) of {sender.host}, source {sender.source_id!r}, {sender.format}, "
            f"{len(self._inputs)} of {len(sender.channels)} channels at {self.rate_hz:.6g} Hz, {clock}; "
            f"losses shorter than {1000 * self._jitter_s:g} ms are seen only when they add up"
        )

    def start(self) -> None:
        self._stream_or_ended().open()

    def read(self, n_samples: int) -> Block:
        """See ``SampleSource``; ``partial`` of what is raised holds the samples of this read that were not lost."""
        if n_samples < 0:
            raise ValueError(f"cannot read {n_samples} samples; ask for 0 or more")
        heard_s = monotonic()
        while (missing := n_samples - self._n_ready) > 0:
            if self._fetch(missing):
                heard_s = monotonic()
            elif monotonic() - heard_s > SILENCE_S:
                raise self._lost(
                    f"{self._where} has sent nothing usable for {SILENCE_S:g} s; check its amplifier, its sender and "
                    "the network, then open it again"
                )
        if self._ended:
            raise self._end()
        return self._take(n_samples)

    def n_unread(self) -> int:
        """See ``Buffered``; what is still on its way through the network is not known here."""
        n_unseen = 0 if self._unseen is None else self._unseen[1].size
        return self._n_ready + n_unseen + self._stream_or_ended().n_held()

    def reopen(self) -> None:
        """See ``Reopenable``; the sender is known by its source id and host, and must describe itself as before."""
        if self._closed:
            raise LinkLost(f"{self._where} is closed; open it again to read on")
        self._end_with(f"{self._where} was given up; open it again to read on")
        before = self._sender
        stream = Stream(self._name, before.source_id, buffer_s=BUFFER_S)
        if (stream.sender.source_id, stream.sender.host) != (before.source_id, before.host):
            raise DeviceNotFound(
                f"{self._where} now comes from {stream.sender.source_id!r} on {stream.sender.host}; the session began "
                f"with {before.source_id!r} on {before.host}: start that one again"
            )
        if stream.sender != before:
            raise DeviceRefused(
                f"{self._where} came back with another rate, format or channels; begin a new session on it"
            )
        self._clock_offset_s = stream.clock_offset_s()
        stream.open()
        self._begin(stream)
        self._ended = ""
        if self._closed:  # by another thread, meanwhile
            self.close()

    def close(self) -> None:
        self._closed = True
        self._ended = ""
        self._end_with(f"{self._where} is closed; open it again to read on")

    def _begin(self, stream: Stream) -> None:
        """What comes next follows on nothing."""
        self._stream: Stream | None = stream
        self._ready: list[Block] = []
        self._unseen: tuple[NDArray[np.generic], Stamps] | None = None
        self._n_blank = 0
        self._drift_told = False
        self._watch.begin_segment()

    def _fetch(self, n_samples: int) -> bool:
        """Take over what came, whether at least one sample was usable. Raises ``SamplesLost`` and ``LinkLost``."""
        stream = self._stream_or_ended()
        if self._unseen is None:
            try:
                self._unseen = stream.pull(n_samples, WAIT_S)
            except LinkLost as lost:
                raise self._lost(str(lost)) from None
        (values, stamps), self._unseen = self._unseen, None
        blank = ~np.isfinite(values[:, [one.row for one in self._picked]]).all(axis=1)
        if self._n_blank or blank[:1].any():
            n_blank = int(np.argmin(blank)) if not blank.all() else blank.size
            self._n_blank += n_blank
            self._unseen = (values[n_blank:], stamps[n_blank:]) if n_blank < blank.size else None
            if self._unseen is None:
                return False
            # Where values are no numbers, samples may be missing altogether as well.
            n_lost = max(self._n_blank, self._watch.n_missing_before(float(stamps[n_blank])))
            told = f"{self._where} sent {self._n_blank} samples that are not numbers; {n_lost} are lost"
            self._n_blank = 0
            raise self._gap(told, n_lost)
        n = int(np.argmax(blank)) if blank.any() else blank.size
        gap = self._watch.first_gap(stamps[:n])
        n_good = n if gap is None else gap.at
        self._ready.append(counts_of(values[:n_good], self._picked))
        self._unseen = (values[n_good:], stamps[n_good:]) if n_good < stamps.size else None
        self._tell_drift()
        if gap is not None:
            raise self._gap(_told(self._where, gap.n_lost, self.rate_hz), gap.n_lost)
        return n_good > 0

    def _gap(self, message: str, n_lost: int | None) -> SamplesLost:
        self._watch.begin_segment()
        lost = SamplesLost(f"{message}; the next read begins a new segment", n_lost)
        lost.partial = self._take(self._n_ready)
        return lost

    def _tell_drift(self) -> None:
        if not self._drift_told and (drift := self._watch.drift):
            self._drift_told = True
            log.warning(
                "%s: its stamps show %.6g Hz where it announces %.6g Hz (%+.0f ppm): durations are off by as much",
                self._where,
                self.measured_rate_hz,
                self.rate_hz,
                1e6 * drift,
            )

    @property
    def _n_ready(self) -> int:
        return sum(block.shape[1] for block in self._ready)

    def _take(self, n_samples: int) -> Block:
        whole = np.concatenate([np.empty((len(self._picked), 0), np.int16), *self._ready], axis=1)
        self._ready = [whole[:, n_samples:]]
        return np.ascontiguousarray(whole[:, :n_samples])

    def _stream_or_ended(self) -> Stream:
        stream = self._stream
        if stream is None:
            raise self._end()
        return stream

    def _lost(self, message: str) -> LinkLost:
        self._end_with(message)
        return self._end()

    def _end_with(self, why: str) -> None:
        """A pull under way in another thread keeps the inlet until it returns."""
        self._ended = self._ended or why
        self._stream = None

    def _end(self) -> LinkLost:
        lost = LinkLost(self._ended)
        lost.partial = self._take(self._n_ready)
        return lost


def _told(where: str, n_lost: int | None, rate_hz: float) -> str:
    if n_lost is None:
        return f"the time stamps of {where} went back, so that nobody knows how many samples are lost"
    return f"{where} lost about {n_lost} samples per channel ({n_lost / rate_hz:.3f} s) by its time stamps"


def _check_rate(stream_hz: float, wanted_hz: float, where: str) -> None:
    if not (isfinite(stream_hz) and stream_hz > 0):
        raise DeviceRefused(f"{where} has no regular rate; a signal needs one, and a stream of markers is not a signal")
    if not isclose(stream_hz, wanted_hz, rel_tol=RATE_TOLERANCE):
        raise DeviceRefused(
            f"{where} sends {stream_hz:g} Hz, the rig file has rate_hz = {wanted_hz:g}; write what the stream has"
        )
