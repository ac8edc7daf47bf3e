"""A disk whose every write and flush is noted in order: what it might hold after the power failed at any instant.

The disk is a single file that this process serves to the kernel (FUSE), for a loop device to lie on; a flush of the
loop device comes as an fsync of that file. Linux, and the right to mount.
"""

import errno
import os
import random
import stat
import struct
import subprocess
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

SECTOR = 512
"""What a disk writes whole or not at all."""

_IN, _OUT = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ")
_INIT, _INIT_OUT = struct.Struct("<IIII"), struct.Struct("<IIIIHHIIHHI28x")
_READ_WRITE = struct.Struct("<QQIIQII")
_ATTRIBUTES, _STATFS = struct.Struct("<QII6Q10I"), struct.Struct("<5Q4I24x")
_OPEN_OUT, _WRITE_OUT = struct.Struct("<QIi"), struct.Struct("<II")
_BIG_WRITES, _MAX_PAGES, _DIRECT_IO = 1 << 5, 1 << 22, 1
_MOST = 1 << 17
"""Bytes in one read or write."""


class _Call(IntEnum):
    FORGET = 2
    GETATTR = 3
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    FLUSH = 25
    INIT = 26
    INTERRUPT = 36
    BATCH_FORGET = 42


_UNANSWERED = (_Call.FORGET, _Call.INTERRUPT, _Call.BATCH_FORGET)


@dataclass(frozen=True, slots=True)
class Written:
    """``at_s`` on the monotonic clock, when the write had arrived."""

    at_s: float
    offset: int
    content: bytes


@dataclass
class Disk:
    """What it held at first, and everything it was told since."""

    first: bytes
    writes: list[Written] = field(default_factory=list)
    flushes: list[tuple[float, int]] = field(default_factory=list)
    """When each flush had been answered, and how many writes came before it."""

    def after_power_cut(self, at_s: float, draw: random.Random) -> bytes:
        """All that was flushed by then; of what came later each write is there, is not, or is there in some sectors."""
        arrived = bisect_right(self.writes, at_s, key=lambda write: write.at_s)
        n_flushes = bisect_right(self.flushes, at_s, key=lambda flush: flush[0])
        safe = self.flushes[n_flushes - 1][1] if n_flushes else 0
        content = bytearray(self.first)
        for number, write in enumerate(self.writes[:arrived]):
            fate = "whole" if number < safe else draw.choice(("whole", "gone", "torn"))
            if fate == "gone":
                continue
            for begin in range(0, len(write.content), SECTOR) if fate == "torn" else ():
                if draw.random() < 0.5:
                    piece = write.content[begin : begin + SECTOR]
                    content[write.offset + begin : write.offset + begin + len(piece)] = piece
            if fate == "whole":
                content[write.offset : write.offset + len(write.content)] = write.content
        return bytes(content)


@contextmanager
def recorded(first: bytes, place: Path) -> Iterator[tuple[Disk, Path]]:
    """The disk, and the file at which the kernel sees it. Raises ``CalledProcessError`` without the right to mount."""
    disk, seen_at = Disk(first), place / "disk"
    seen_at.touch()
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode={stat.S_IFREG:o},user_id={os.geteuid()},group_id={os.getegid()}"
    try:
        mount = ["mount", "-i", "-t", "fuse", "-o", options, "kindle-recorded-disk", str(seen_at)]
        subprocess.run(mount, check=True, capture_output=True, pass_fds=(device,))
        serving = threading.Thread(target=_Server(disk, device).serve, name="recorded disk", daemon=True)
        serving.start()
        try:
            yield disk, seen_at
        finally:
            subprocess.run(["umount", str(seen_at)], check=True, capture_output=True)
            serving.join()
    finally:
        os.close(device)


@contextmanager
def remounted(image: Path, place: Path) -> Iterator[Path]:
    """The file system in ``image`` as after any crash: what its own journal holds is replayed.

    Where even that cannot be read, as when half of the first kilobyte was written, e2fsck mends it first.
    """
    place.mkdir(exist_ok=True)
    command = ["mount", "-t", "ext4", "-o", "loop", str(image), str(place)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        subprocess.run(["e2fsck", "-fy", str(image)], capture_output=True)  # leaves with 1 when it mended
        subprocess.run(command, check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True, capture_output=True)


def formatted(n_bytes: int, place: Path) -> bytes:
    """An empty ext4 file system."""
    image = place / "empty.img"
    with image.open("wb") as file:
        file.truncate(n_bytes)
    options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard"
    subprocess.run(["mkfs.ext4", "-q", "-E", options, str(image)], check=True, capture_output=True)
    content = image.read_bytes()
    image.unlink()
    return content


def may_mount() -> bool:
    """Whether this computer lets us: asked by doing it."""
    with tempfile.TemporaryDirectory(prefix="kindle-disk-") as place:
        try:
            with recorded(bytes(SECTOR), Path(place)):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


class _Server:
    """Answers the kernel, one question at a time, as the protocol of FUSE has it; the root is the disk itself."""

    def __init__(self, disk: Disk, device: int) -> None:
        self._disk = disk
        self._device = device
        self._content = bytearray(disk.first)

    def serve(self) -> None:
        while True:
            try:
                asked = os.read(self._device, _MOST + 4096)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                return  # unmounted
            _, call, unique, *_ = _IN.unpack_from(asked)
            if call in _UNANSWERED:
                continue
            answer = self._answer(call, asked[_IN.size :])
            failed, told = (-errno.ENOSYS, b"") if answer is None else (0, answer)
            os.write(self._device, _OUT.pack(_OUT.size + len(told), failed, unique) + told)

    def _answer(self, call: int, body: bytes) -> bytes | None:
        """``None`` for what no disk is asked."""
        match call:
            case _Call.INIT:
                major, minor, readahead, flags = _INIT.unpack_from(body)
                wanted = flags & (_BIG_WRITES | _MAX_PAGES)
                return _INIT_OUT.pack(major, min(minor, 31), readahead, wanted, 16, 12, _MOST, 1, _MOST // 4096, 0, 0)
            case _Call.GETATTR:
                size, owner = len(self._content), (os.geteuid(), os.getegid())
                times, mode = (0,) * 6, stat.S_IFREG | 0o600
                return _ATTRIBUTES.pack(3600, 0, 0, 1, size, size // SECTOR, *times, mode, 1, *owner, 0, 4096, 0)
            case _Call.OPEN:
                return _OPEN_OUT.pack(0, _DIRECT_IO, 0)
            case _Call.READ:
                _, offset, size, *_ = _READ_WRITE.unpack_from(body)
                return bytes(self._content[offset : offset + size])
            case _Call.WRITE:
                _, offset, size, *_ = _READ_WRITE.unpack_from(body)
                content = body[_READ_WRITE.size : _READ_WRITE.size + size]
                self._disk.writes.append(Written(time.monotonic(), offset, content))
                self._content[offset : offset + size] = content
                return _WRITE_OUT.pack(size, 0)
            case _Call.FSYNC:
                # Before the answer: nobody can hear of a flush that is not noted yet.
                self._disk.flushes.append((time.monotonic(), len(self._disk.writes)))
                return b""
            case _Call.STATFS:
                return _STATFS.pack(0, 0, 0, 1, 0, 4096, 255, 4096, 0)
            case _Call.RELEASE | _Call.FLUSH:
                return b""
            case _:
                return None
