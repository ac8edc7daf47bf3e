"""Writing a recording so that it survives a kill at any instant and opens in MNE as it lies."""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from drivers.interface import Block, Channel
from kindle.brainvision import Header, Marker, checked_marker, header_text, marker_head, marker_line
from kindle.durable import AppendOnlyFile, sync_folder, write_whole
from kindle.errors import RecordingError
from kindle.locking import exclusive
from kindle.recording_index import AFTER_GAP, record
from kindle.recording_layout import SegmentFiles, lock_path, marker_pieces

SYNC_EVERY_S = 0.8
"""From the beginning of one sync to the next: with the blocks that come while the disk works, not much more than a
second of signal is at risk."""


@dataclass(slots=True)
class _OpenSegment:
    """One triple and its index; the marker file is kept to the end, for events that are marked late."""

    first_sample: int
    signal: AppendOnlyFile
    markers: AppendOnlyFile
    index: AppendOnlyFile
    row_bytes: int
    n_markers: int = 1

    @property
    def n_samples(self) -> int:
        return self.signal.n_bytes // self.row_bytes

    def sync(self) -> None:
        # In this order, so that the index never vouches for bytes that are not yet on the disk.
        for file in (self.signal, self.markers, self.index):
            file.sync()


class RecordingWriter:
    """Appends what the amplifier delivers. Used from one thread; another one, its own, syncs to disk.

    Samples are counted from 0 over the whole recording and go on counting after a gap: sample ``n`` is the n-th one
    recorded, whatever was lost between. Within the files of a segment counting starts at 0 again; its header says
    where it begins.
    """

    def __init__(
        self, folder: Path, header: Header, first: _OpenSegment, *, sync_every_s: float, held: ExitStack
    ) -> None:
        """Use ``create``; ``held`` is what to let go of at the end."""
        self.folder = folder
        self._header = header
        self._held = held
        self._failure: RecordingError | None = None
        self._failure_told = False
        self._closed = False
        self._segments = [first]
        self._segment_change = threading.Lock()
        self._last_sync_s = time.monotonic()
        self._stop_syncing = threading.Event()
        self._syncing = threading.Thread(
            target=self._sync_every, args=(sync_every_s,), name="recording sync", daemon=True
        )
        self._syncing.start()

    @classmethod
    def create(
        cls,
        folder: Path,
        channels: Sequence[Channel],
        rate_hz: float,
        start_utc: datetime,
        *,
        sync_every_s: float = SYNC_EVERY_S,
    ) -> Self:
        """Begin a recording in ``folder``, made if need be; its header is on the disk before this returns.

        Raises ``RecordingError`` when ``folder`` holds a recording already, cannot be written, or the channels cannot
        be described to every reader.
        """
        if not sync_every_s > 0:
            raise RecordingError(f"sync_every_s is {sync_every_s}: give a positive number of seconds")
        header = Header(tuple(channels), float(rate_hz), start_utc)
        header_text(header, signal_name="", marker_name="")  # refused before anything is on the disk
        with ExitStack() as held:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(exclusive(lock_path(folder)))
                sync_folder(folder.parent)
                first = _begin_segment(folder, 1, header)
            except OSError as error:
                raise RecordingError(f"cannot begin a recording in {folder} ({error}): check the disk") from error
            return cls(folder, header, first, sync_every_s=sync_every_s, held=held.pop_all())

    @property
    def n_samples(self) -> int:
        """Samples per channel written so far, over all segments."""
        return self._segments[-1].first_sample + self._segments[-1].n_samples

    @property
    def sync_age_s(self) -> float:
        """Seconds since everything written was last known to be on the disk."""
        return time.monotonic() - self._last_sync_s

    def append(self, block: Block, *, monotonic_ns: int, utc_ns: int) -> None:
        """Write ``block``, ``(n_channels, n)``, with the wall times at which it arrived.

        Raises ``RecordingError`` when it could not be written whole, or when an earlier sync failed.
        """
        self._refuse_after_failure()
        n_channels = len(self._header.channels)
        if block.ndim != 2 or block.shape[0] != n_channels or block.dtype != np.int16:
            raise RecordingError(
                f"a block of {block.dtype} with shape {block.shape} does not fit the recording {self.folder}: "
                f"expected int16 with shape ({n_channels}, n)"
            )
        n = block.shape[1]
        if n == 0:
            return
        rows = np.ascontiguousarray(block.T, dtype="<i2").data.cast("B")
        segment = self._segments[-1]
        flags = AFTER_GAP if len(self._segments) > 1 and segment.n_samples == 0 else 0
        entry = record(segment.n_samples, n, monotonic_ns, utc_ns, rows, flags=flags)
        signal_bytes, index_bytes = segment.signal.n_bytes, segment.index.n_bytes
        try:
            segment.signal.append(rows)
            segment.index.append(entry)
        except BaseException as error:  # Ctrl-C too: never a block without its record
            segment.signal.cut(signal_bytes)
            segment.index.cut(index_bytes)
            if isinstance(error, RecordingError):
                self._fail(error)
            raise

    def mark(self, type: str, description: str, sample: int, n_samples: int = 1) -> None:
        """Name the span that begins at ``sample`` of the whole recording, past or future.

        A span across a gap is marked on both sides of it. Raises ``RecordingError`` for text that readers cannot bear.
        """
        self._refuse_after_failure()
        marker = checked_marker(Marker(type, description, sample, n_samples))
        starts = [segment.first_sample for segment in self._segments]
        for number, piece in marker_pieces(marker, starts):
            segment = self._segments[number]
            # The marker file of an ended segment is opened for this, and closed again behind the next sync.
            alone = nullcontext() if segment is self._segments[-1] else self._segment_change
            try:
                with alone:
                    segment.markers.append(marker_line(segment.n_markers + 1, piece))
            except RecordingError as error:
                self._fail(error)
                raise
            segment.n_markers += 1

    def new_segment(self, start_utc: datetime, n_lost: int | None = None) -> None:
        """After a gap: what follows goes to files of its own, because readers would join the two sides.

        ``n_lost`` is about how many samples are missing; unknown, the two starts have to tell.
        """
        self._refuse_after_failure()
        if n_lost is not None and n_lost < 1:
            raise RecordingError(f"a gap of {n_lost} samples is none: give how many were lost, 1 or more")
        header = replace(self._header, start_utc=start_utc, first_sample=self.n_samples, n_lost=n_lost)
        try:
            with self._segment_change:
                ended = self._segments[-1]
                ended.sync()
                self._segments.append(_begin_segment(self.folder, len(self._segments) + 1, header))
                ended.signal.close()
                ended.index.close()
                ended.markers.rest()
        except OSError as error:
            failure = RecordingError(f"cannot begin a segment in {self.folder} ({error}): begin a new recording")
            self._fail(failure)
            raise failure from error

    def close(self) -> int:
        """Sync everything and return the number of samples: written to the journal, it is the mark of a clean end.

        Raises ``RecordingError`` for a failed sync that nobody was told of.
        """
        if self._closed:
            return self.n_samples
        self._closed = True
        self._stop_syncing.set()
        self._syncing.join()
        with self._held:
            try:
                if self._failure is None:
                    self._sync()
            finally:
                for segment in self._segments:
                    for file in (segment.signal, segment.markers, segment.index):
                        file.close()
        if self._failure and not self._failure_told:
            raise self._failure
        return self.n_samples

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sync_every(self, seconds: float) -> None:
        since_s = 0.0
        while self._failure is None and not self._stop_syncing.wait(max(0.0, seconds - since_s)):
            self._sync()
            since_s = self.sync_age_s

    def _sync(self) -> None:
        began_s = time.monotonic()
        try:
            with self._segment_change:
                for segment in self._segments[:-1]:
                    segment.markers.rest()
                self._segments[-1].sync()
        except RecordingError as error:
            self._failure = self._failure or error
        else:
            self._last_sync_s = began_s

    def _fail(self, error: RecordingError) -> None:
        self._failure = error
        self._failure_told = True

    def _refuse_after_failure(self) -> None:
        if self._closed:
            raise RecordingError(f"the recording {self.folder} is closed: begin a new one")
        if self._failure:
            self._failure_told = True
            raise self._failure


def _begin_segment(folder: Path, number: int, header: Header) -> _OpenSegment:
    """The header comes last: where it is, a whole triple is, and MNE can open it."""
    files = SegmentFiles(folder, number)
    wanted = (files.signal, files.markers, files.index)
    if taken := [path.name for path in (files.header, *wanted) if path.exists()]:
        raise RecordingError(f"{folder} holds a recording already ({', '.join(taken)}): choose a new folder")
    with ExitStack() as opened:
        signal, markers, index = (AppendOnlyFile(path) for path in wanted)
        for file in (signal, markers, index):
            opened.callback(file.close)
        segment = _OpenSegment(header.first_sample, signal, markers, index, 2 * len(header.channels))
        markers.append(marker_head(header.start_utc, signal_name=files.signal.name))
        segment.sync()
        write_whole(files.header, header_text(header, signal_name=files.signal.name, marker_name=files.markers.name))
        opened.pop_all()
    return segment
