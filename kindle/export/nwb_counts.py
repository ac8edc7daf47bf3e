"""The counts of a segment as HDF5 asks for them: piece by piece, read when they are written."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hdmf.data_utils import GenericDataChunkIterator
from numpy.typing import NDArray

from kindle import window_map
from kindle.export.destination import Meter
from kindle.recording import Segment

CHUNK_SAMPLES = 16_384
SAMPLES_AT_ONCE = 1 << 22


class Counts(GenericDataChunkIterator):  # type: ignore[misc]  # hdmf has no types
    """``(n_samples, n_rows)`` of some channels, or ``(n_samples,)`` of one."""

    def __init__(self, segment: Segment, rows: Sequence[int], n_channels: int, meter: Meter) -> None:
        self._segment = segment
        self._rows = list(rows)
        self._n_channels = n_channels
        self._meter = meter
        width = () if len(rows) == 1 else (len(rows),)
        chunk = min(CHUNK_SAMPLES, segment.n_samples)
        whole_chunks = max(1, SAMPLES_AT_ONCE // n_channels // chunk)
        super().__init__(
            chunk_shape=(chunk, *width), buffer_shape=(min(segment.n_samples, whole_chunks * chunk), *width)
        )

    def _get_data(self, selection: tuple[slice, ...]) -> NDArray[np.int16]:
        signal = self._segment.header_path.with_suffix(".eeg")
        span = selection[0]
        counts = window_map.window(signal, np.dtype("<i2"), self._n_channels, span.start, span.stop)[self._rows]
        self._meter.add(counts.size)
        return np.ascontiguousarray(counts[0] if len(self._rows) == 1 else counts.T)

    def _get_maxshape(self) -> tuple[int, ...]:
        n_samples = self._segment.n_samples
        return (n_samples,) if len(self._rows) == 1 else (n_samples, len(self._rows))

    def _get_dtype(self) -> np.dtype[Any]:
        return np.dtype("int16")
