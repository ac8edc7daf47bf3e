"""``index.bin``: one record per block, the only proof of what reached the disk whole."""

import zlib
from collections.abc import Iterator
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
"""40 bytes; ``first_sample`` counts within the segment, ``crc32`` is of the block as stored, ``flags`` is 0 so far,
``record_crc32`` is of the 36 bytes before it."""

_UNSYNCED_NS = 60_000_000_000


def record(first_sample: int, n_samples: int, monotonic_ns: int, utc_ns: int, block: bytes | memoryview) -> bytes:
    """The record of one block, given its bytes as they are stored."""
    fields = np.array((first_sample, n_samples, 0, monotonic_ns, utc_ns, zlib.crc32(block), 0), RECORD).tobytes()[:-4]
    return fields + zlib.crc32(fields).to_bytes(4, "little")


def read_records(path: Path) -> NDArray[np.void]:
    """Every whole record of the file, believed or not."""
    return np.fromfile(path, RECORD)


def sound_records(records: NDArray[np.void], signal: Path, row_bytes: int) -> int:
    """How many records, from the first, are continuous and vouch for bytes that are in ``signal``.

    A crash damages the end. Damage with anything sound after it is no torn tail, and nothing is cut for it: a damaged
    block is left for ``damaged_blocks`` to find, a broken record raises ``RecordingError``. Block contents are checked
    in the last minute only: older ones were synced long before any crash.
    """
    size = signal.stat().st_size
    whole = _records_whole(records)
    ends = np.cumsum(records["n_samples"], dtype=np.int64)
    held = whole & ((records["first_sample"] + records["n_samples"]) * row_bytes <= size)
    believed = held & (records["n_samples"] > 0) & (records["first_sample"] == ends - records["n_samples"])
    n_continuous = len(records) if believed.all() else int(np.argmin(believed))
    arrived_ns = records["monotonic_ns"]
    if held[n_continuous:].any():
        raise RecordingError(
            f"the index of {signal} is damaged at record {n_continuous}, but sound ones follow it: restore "
            "the index file from a copy, or remove it to trust the signal file as it is"
        )
    if n_continuous == 0:
        return 0
    synced = arrived_ns[n_continuous - 1] - arrived_ns[:n_continuous] > _UNSYNCED_NS
    damaged = set(damaged_blocks(records[:n_continuous], signal, row_bytes, skip=int(np.argmin(synced))))
    n_sound = n_continuous
    while n_sound - 1 in damaged:
        n_sound -= 1
    return n_sound


def damaged_blocks(records: NDArray[np.void], signal: Path, row_bytes: int, *, skip: int = 0) -> Iterator[int]:
    """Numbers of the records, after the first ``skip``, whose own bytes or whose block's bytes are not as written."""
    whole = _records_whole(records)
    with signal.open("rb") as file:
        for number in range(skip, len(records)):
            if whole[number]:
                file.seek(int(records["first_sample"][number]) * row_bytes)
                block = file.read(int(records["n_samples"][number]) * row_bytes)
            if not whole[number] or zlib.crc32(block) != records["crc32"][number]:
                yield number


def _records_whole(records: NDArray[np.void]) -> NDArray[np.bool_]:
    content, size = records.tobytes(), RECORD.itemsize
    starts = range(0, len(content), size)
    actual = np.array([zlib.crc32(content[start : start + size - 4]) for start in starts], np.uint32)
    return np.asarray(actual == records["record_crc32"])
