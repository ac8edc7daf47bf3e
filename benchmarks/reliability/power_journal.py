"""The power fails while rows are written to a journal, kept in either of the ways that kindle may choose.

Which one a session uses depends on the SQLite that its Python brings; here both are tried on a disk of which every
write and flush is known. Linux, ext4 and the right to mount.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.reliability.recorded_disk import Disk, formatted, may_mount, recorded, remounted
from benchmarks.reliability.result import Result
from kindle.journal import Journal
from kindle.journal_schema import Durability
from kindle.journal_verification import verify_chain

WAYS = {"rollback journal": Durability("delete", 3), "write-ahead log": Durability("wal", 2)}
DISK_BYTES = 16 << 20
N_ROWS = 150
INSTANTS, QUICK_INSTANTS = 200, 12
LONGEST_PAYLOAD = 9000

Acknowledged = list[tuple[float, str]]
"""Instants of the monotonic clock, and the hash of the row that was on the disk by then."""


def run(quick: bool, seconds: float, seed: int = 1) -> Result:
    if not may_mount():
        return Result(
            ("left out: needs Linux with FUSE, ext4, loop devices and the right to mount",), True, left_out=True
        )
    ends_s, draw = time.monotonic() + seconds, random.Random(seed)
    lines, findings = list[str](), list[str]()
    with tempfile.TemporaryDirectory(prefix="kindle-power-") as folder:
        place = Path(folder)
        for name, durability in WAYS.items():
            disk, acknowledged = journal_on_disk(place, durability)
            n = n_rows = 0
            while n < (QUICK_INSTANTS if quick else INSTANTS) and time.monotonic() < ends_s:
                at_s = draw.choice([write.at_s for write in disk.writes if write.at_s >= acknowledged[0][0]])
                n_rows += sum(since_s <= at_s for since_s, _ in acknowledged)
                findings += [
                    f"{name}, {at_s - acknowledged[0][0]:.4f} s after the first row: {what}"
                    for what in _left(disk, acknowledged, durability, at_s, place, draw)
                ]
                n += 1
            lines.append(
                f"{name}: power failed at {n} instants, after which {n_rows} acknowledged rows were looked for"
            )
    return Result((*lines, *findings), not findings)


def journal_on_disk(place: Path, durability: Durability) -> tuple[Disk, Acknowledged]:
    notes = place / f"{durability.journal_mode}.txt"
    with (
        recorded(formatted(DISK_BYTES, place), place) as (disk, seen_at),
        remounted(seen_at, place / "mounted") as root,
    ):
        told = [str(root / "journal.sqlite"), str(notes), durability.journal_mode, str(durability.synchronous)]
        subprocess.run([sys.executable, "-m", __name__, *told], check=True, timeout=120)
    lines = [line.split() for line in notes.read_text(encoding="utf-8").splitlines()]
    return disk, [(float(at_s), digest) for at_s, digest in lines]


def _left(
    disk: Disk, acknowledged: Acknowledged, durability: Durability, at_s: float, place: Path, draw: random.Random
) -> Iterator[str]:
    image = place / "cut.img"
    image.write_bytes(disk.after_power_cut(at_s, draw))
    with remounted(image, place / "again") as root:
        path = root / "journal.sqlite"
        if problems := verify_chain(path):
            yield from (str(problem) for problem in problems)
            return
        with Journal.open(path, durability=durability) as journal:
            there = {row.hash for row in journal.rows()}
            if lost := [digest for since_s, digest in acknowledged if since_s <= at_s and digest not in there]:
                yield f"{len(lost)} rows were acknowledged and are gone"
            journal.append("R01", "note", {"after": "the power came back"}, sample=None, utc=datetime.now(UTC))


def _write(path: Path, notes: Path, durability: Durability) -> None:
    """In a process of its own: rows of all sizes, each noted once it was acknowledged."""
    draw = random.Random(5)
    fd = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with Journal.open(path, create=True, durability=durability) as journal:
        for number in range(N_ROWS):
            payload = {"n": number, "text": "x" * draw.randrange(LONGEST_PAYLOAD)}
            row = journal.append("R01", "note", payload, sample=number, utc=datetime.now(UTC))
            os.write(fd, f"{time.monotonic()} {row.hash}\n".encode())
    os.close(fd)


if __name__ == "__main__":
    _, path, notes, mode, synchronous = sys.argv
    _write(Path(path), Path(notes), Durability(mode, int(synchronous)))
