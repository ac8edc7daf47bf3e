"""Whether the tags of a FIF file can be followed to their end.

MNE follows a chain that runs in a circle for ever, and makes room for as many bytes as a tag says that it has.
"""

import gzip
import struct
from io import SEEK_END
from pathlib import Path
from typing import IO, cast

_TAG = struct.Struct(">iiii")
_FOLLOWS, _LAST = 0, -1
_DIRECTORY = 102
_ENTRY = struct.Struct(">iiii")


def check_tags(path: Path) -> None:
    """Raises ``ValueError`` naming the byte where it goes wrong, and ``OSError``."""
    with cast("IO[bytes]", gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
        end = file.seek(0, SEEK_END)
        place = 0
        while (tag := _tag_at(file, place, end)) is not None:
            kind, n_bytes, following = tag
            if kind == _DIRECTORY:
                content = file.read(n_bytes - n_bytes % _ENTRY.size)
                for _, _, _, at in _ENTRY.iter_unpack(content[: len(content) // _ENTRY.size * _ENTRY.size]):
                    _tag_at(file, at, end)
            if following == _LAST:
                return
            if following < _LAST or _FOLLOWS < following <= place:
                raise ValueError(f"the tag at byte {place} leads nowhere")
            place = following if following > _FOLLOWS else place + _TAG.size + n_bytes


def _tag_at(file: IO[bytes], place: int, end: int) -> tuple[int, int, int] | None:
    """Kind, bytes, and where the next one is; in a file that was cut short the last one may be longer than the rest."""
    if place < 0:
        raise ValueError(f"a tag stands at byte {place}")
    file.seek(place)
    head = file.read(_TAG.size)
    if len(head) < _TAG.size:
        return None
    kind, _, n_bytes, following = _TAG.unpack(head)
    if not 0 <= n_bytes <= end:
        raise ValueError(f"the tag at byte {place} has {n_bytes} bytes, the file {end}")
    return kind, n_bytes, following
