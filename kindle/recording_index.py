"""``index.bin``: one record per block, the only proof of what reached the disk whole."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kindle.errors import RecordingError

RECORD = np.dtype(
    [
        ("first_sample", "<i8"),
        ("n_samples", "<i4"),
        ("flags", "<u4"),
        ("monotonic_ns", "<i8"),
        ("utc_ns", "<i8"),
        ("crc32", "<u4"),
        ("record_crc32", "<u4"),
    ]
)
"""40 bytes; ``first_sample`` counts within the segment, ``crc32`` is of the block as stored, ``flags`` is 0 or
``AFTER_GAP``, ``record_crc32`` is of the 36 bytes before it."""

AFTER_GAP = 1
"""Flag of the first block behind a gap; the header of its segment says about how many samples were lost."""

_UNSYNCED_NS = 60_000_000_000
_TORN_NS = 10_000_000_000
"""Longer than a disk keeps any sync waiting: what arrived earlier than this before the end was on the disk."""
_SECTOR = 512
_EMPTY_BYTES = 16
"""Fewer zeros in a row may be signal."""

MIN_DRIFT_S = 60.0
"""A shorter stretch says nothing: blocks arrive milliseconds late, now more, now less."""

DRIFT_WINDOWS = 60
BLOCKS_PER_WINDOW = 8
MIN_WINDOWS = 10

REAL_TIME_TOLERANCE = 0.01
"""No crystal is that wrong: samples that came at another pace were simulated, replayed or made up."""


@dataclass(frozen=True, slots=True)
class ClockDrift:
    """How much faster than nominal the sample clock ran by the host's, in parts per million, with a 95 % interval."""

    ppm: float
    low_ppm: float
    high_ppm: float
    span_s: float


@dataclass(frozen=True, slots=True)
class NoDrift:
    """Why nothing can be said of the sample clock."""

    reason: str


def record(
    first_sample: int, n_samples: int, monotonic_ns: int, utc_ns: int, block: bytes | memoryview, *, flags: int = 0
) -> bytes:
    """The record of one block, given its bytes as they are stored."""
    values = (first_sample, n_samples, flags, monotonic_ns, utc_ns, zlib.crc32(block), 0)
    fields = np.array(values, RECORD).tobytes()[:-4]
    return fields + zlib.crc32(fields).to_bytes(4, "little")


def read_records(path: Path) -> NDArray[np.void]:
    """Every whole record of the file, believed or not."""
    return np.fromfile(path, RECORD)


def sound_records(records: NDArray[np.void], signal: Path, row_bytes: int) -> int:
    """How many records, from the first, are continuous and vouch for bytes that are in ``signal``.

    A crash damages the end; where the power failed, a sector may be empty there although the next one is not. Any other
    damage with something sound after it is no torn tail, and nothing is cut for it: a damaged block is left for
    ``damaged_blocks`` to find, a broken record raises ``RecordingError``. Block contents are checked in the last minute
    only: older ones were synced long before any crash.
    """
    size = signal.stat().st_size
    whole = whole_records(records)
    ends = np.cumsum(records["n_samples"], dtype=np.int64)
    held = whole & ((records["first_sample"] + records["n_samples"]) * row_bytes <= size)
    believed = held & (records["n_samples"] > 0) & (records["first_sample"] == ends - records["n_samples"])
    n_continuous = len(records) if believed.all() else int(np.argmin(believed))
    arrived_ns = records["monotonic_ns"]
    behind = n_continuous + np.flatnonzero(held[n_continuous:])
    if behind.size:
        lasted_ns = arrived_ns[behind[-1]] - arrived_ns[n_continuous - 1 if n_continuous else behind[0]]
        broken = records[n_continuous : behind[0]].tobytes()
        if lasted_ns > _TORN_NS or not _has_empty_sector(broken, n_continuous * RECORD.itemsize):
            raise RecordingError(
                f"the index of {signal} is damaged at record {n_continuous}, but sound ones follow it: restore "
                "the index file from a copy, or remove it to trust the signal file as it is"
            )
    if n_continuous == 0:
        return 0
    records, age_ns = records[:n_continuous], arrived_ns[n_continuous - 1] - arrived_ns[:n_continuous]
    damaged = list(damaged_blocks(records, signal, row_bytes, skip=int(np.argmin(age_ns > _UNSYNCED_NS))))
    n_sound = min(
        (n for n in _torn(damaged, records, signal, row_bytes) if age_ns[n] <= _TORN_NS), default=len(records)
    )
    while n_sound - 1 in damaged:
        n_sound -= 1
    return n_sound


def _torn(damaged: Sequence[int], records: NDArray[np.void], signal: Path, row_bytes: int) -> Iterator[int]:
    """The first block of each run of damaged ones that an empty sector explains."""
    runs = np.split(np.array(damaged), np.flatnonzero(np.diff(damaged) != 1) + 1) if damaged else []
    with signal.open("rb") as file:
        for run in runs:
            first_byte = int(records["first_sample"][run[0]]) * row_bytes
            file.seek(first_byte)
            content = file.read(int(records["n_samples"][run].sum()) * row_bytes)
            if _has_empty_sector(content, first_byte, least=_EMPTY_BYTES):
                yield int(run[0])


def _has_empty_sector(content: bytes, at_byte: int, *, least: int = 1) -> bool:
    """Whether what lies in one sector of the disk of ``content``, from ``at_byte`` of its file on, is all zero.

    A sector that was not written shows nothing of what should be there, from a sector's or the content's beginning to
    the sector's end; what is shorter than ``least`` does not count.
    """
    ends = range(_SECTOR - at_byte % _SECTOR, len(content) + 1, _SECTOR)
    return any(end >= least and not any(content[max(0, end - _SECTOR) : end]) for end in ends)


def damaged_blocks(records: NDArray[np.void], signal: Path, row_bytes: int, *, skip: int = 0) -> Iterator[int]:
    """Numbers of the records, after the first ``skip``, whose own bytes or whose block's bytes are not as written."""
    whole = whole_records(records)
    with signal.open("rb") as file:
        for number in range(skip, len(records)):
            if whole[number]:
                file.seek(int(records["first_sample"][number]) * row_bytes)
                block = file.read(int(records["n_samples"][number]) * row_bytes)
            if not whole[number] or zlib.crc32(block) != records["crc32"][number]:
                yield number


def clock_drift(records: NDArray[np.void], rate_hz: float) -> ClockDrift | NoDrift:
    """The sample clock against the host's monotonic clock, from the records of one segment.

    A block may be noted late, never early: what counts is the lower envelope of (arrival - samples / rate). It is taken
    as the least lateness in each of up to 60 stretches, and its slope by Theil and Sen, with their interval.
    """
    n_windows = min(DRIFT_WINDOWS, len(records) // BLOCKS_PER_WINDOW)
    sampled_s = np.cumsum(records["n_samples"], dtype=np.int64) / rate_hz
    span_s = float(sampled_s[-1] - sampled_s[0]) if len(records) else 0.0
    if n_windows < MIN_WINDOWS or span_s < MIN_DRIFT_S:
        return NoDrift(f"{span_s:.0f} s in {len(records)} blocks are too short to tell; {MIN_DRIFT_S:g} s are needed")
    host_s = (records["monotonic_ns"] - records["monotonic_ns"][0]) * 1e-9
    if abs(host_s[-1] / span_s - 1) > REAL_TIME_TOLERANCE:
        return NoDrift(f"{span_s:.0f} s of signal came within {host_s[-1]:.1f} s, hence not in real time")
    late_s = host_s - sampled_s
    edges = np.linspace(0, len(records), n_windows + 1).astype(np.intp)[:-1]
    least_s = np.minimum.reduceat(late_s, edges)
    at_s = np.array([sampled_s[first + int(np.argmin(part))] for first, part in _windows(late_s, edges)])
    from scipy.stats import theilslopes  # takes long to import, and most uses of an index do without

    slope, _, low, high = theilslopes(least_s, at_s, 0.95)
    return ClockDrift(_faster_ppm(slope), _faster_ppm(high), _faster_ppm(low), span_s)


def _windows(values: NDArray[np.float64], edges: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    for first, end in zip(edges, [*edges[1:], len(values)], strict=True):
        yield int(first), values[first:end]


def _faster_ppm(slope: float) -> float:
    """A host second per sample second more than one means a slow sample clock."""
    return (1 / (1 + float(slope)) - 1) * 1e6


def whole_records(records: NDArray[np.void]) -> NDArray[np.bool_]:
    """Whether each record's own bytes are as they were written."""
    content, size = records.tobytes(), RECORD.itemsize
    starts = range(0, len(content), size)
    actual = np.array([zlib.crc32(content[start : start + size - 4]) for start in starts], np.uint32)
    return np.asarray(actual == records["record_crc32"])
