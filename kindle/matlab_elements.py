"""Whether a MATLAB 5 file, as EEGLAB writes it, is built as the format has it.

scipy takes type numbers, sizes and dimensions as they stand: an unknown type ends the process, dimensions without data
fill the memory.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Literal

_HEADER_BYTES = 128
_HDF5 = b"\x89HDF"
_MATRIX, _COMPRESSED, _INT8, _INT32, _UINT32, _UTF8 = 14, 15, 1, 5, 6, 16
_PLAIN = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 16, 17, 18})
_CELL, _STRUCT, _OBJECT, _SPARSE, _OPAQUE = 1, 2, 3, 5, 17
_CLASSES = frozenset(range(1, 18))
_OF_VARIABLES = frozenset({_CELL, _STRUCT, _OBJECT, 16, _OPAQUE})
_COMPLEX = 0x0800
_DEEPEST = 50
_MOST_DIMENSIONS = 32
"""As scipy and numpy have it."""
_CHUNK = 1 << 16

Order = Literal["<", ">"]


def check_elements(path: Path) -> None:
    """Raises ``ValueError`` for what MATLAB would not have written, and ``OSError``; MATLAB 7.3 files are HDF5."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        if header.startswith(_HDF5) or header[124:128] == b"\0\x02IM":
            return
        orders: dict[bytes, Order] = {b"IM": "<", b"MI": ">"}
        order = orders.get(header[126:128])
        if order is None:
            raise ValueError("it has no header of MATLAB 5 or later")
        left = path.stat().st_size - _HEADER_BYTES
        while left >= 8:
            tag = _tag(_Plain(file), order)
            if tag.n_bytes > left - 8 or tag.small:
                raise ValueError("it ends within a variable")
            stream: _Plain | _Inflated = _Plain(file)
            if tag.type == _COMPRESSED:
                stream = _Inflated(file, tag.n_bytes)
                inner = _tag(stream, order)
                _check_element(stream, inner, order, 0)
                stream.finish()
            else:
                _check_element(stream, tag, order, 0)
            # Variables of the whole file are not padded.
            left -= 8 + tag.n_bytes
            file.seek(path.stat().st_size - left)


@dataclass(frozen=True, slots=True)
class _Tag:
    type: int
    n_bytes: int
    small: bytes
    """The data themselves, where they are short enough to stand in the tag."""

    @property
    def whole_bytes(self) -> int:
        return 8 if self.small else 8 + self.n_bytes + -self.n_bytes % 8


class _Plain:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, n_bytes: int) -> bytes:
        content = self._file.read(n_bytes)
        if len(content) < n_bytes:
            raise ValueError("it ends within a variable")
        return content

    def skip(self, n_bytes: int) -> None:
        self._file.seek(n_bytes, 1)


class _Inflated:
    """A compressed variable, never more of it in memory than a piece."""

    def __init__(self, file: IO[bytes], n_bytes: int) -> None:
        self._pieces = self._inflated(file, n_bytes)
        self._here = b""

    def read(self, n_bytes: int) -> bytes:
        while len(self._here) < n_bytes:
            self._here += self._next()
        content, self._here = self._here[:n_bytes], self._here[n_bytes:]
        return content

    def skip(self, n_bytes: int) -> None:
        while len(self._here) < n_bytes:
            n_bytes -= len(self._here)
            self._here = self._next()
        self._here = self._here[n_bytes:]

    def finish(self) -> None:
        for _ in self._pieces:
            pass

    def _next(self) -> bytes:
        piece = next(self._pieces, b"")
        if not piece:
            raise ValueError("it ends within a compressed variable")
        return piece

    @staticmethod
    def _inflated(file: IO[bytes], n_bytes: int) -> Iterator[bytes]:
        inflater = zlib.decompressobj()
        pending = b""
        try:
            while not inflater.eof and (pending or n_bytes):
                if not pending:
                    pending = file.read(min(n_bytes, _CHUNK))
                    n_bytes -= len(pending)
                    if not pending:
                        return
                yield inflater.decompress(pending, _CHUNK)
                pending = inflater.unconsumed_tail
        except zlib.error as error:
            raise ValueError(f"a compressed variable is damaged: {error}") from None


def _tag(stream: _Plain | _Inflated, order: Order) -> _Tag:
    head = stream.read(8)
    first, second = struct.unpack(f"{order}II", head)
    if first >> 16:
        if first >> 16 > 4:
            raise ValueError(f"an element of {first >> 16} bytes stands in its tag")
        return _Tag(first & 0xFFFF, first >> 16, head[4:])
    return _Tag(first, second, b"")


def _check_element(stream: _Plain | _Inflated, tag: _Tag, order: Order, depth: int) -> None:
    if tag.type == _MATRIX:
        if tag.small or depth > _DEEPEST:
            raise ValueError("its variables lie too deep in one another")
        _check_matrix(stream, tag.n_bytes, order, depth)
    elif tag.type not in _PLAIN:
        raise ValueError(f"it has data of the unknown type {tag.type}")
    elif not tag.small:
        stream.skip(tag.whole_bytes - 8)


class _Matrix:
    """The elements of a variable, one after another, within the bytes that it has."""

    def __init__(self, stream: _Plain | _Inflated, n_bytes: int, order: Order) -> None:
        self.left = n_bytes
        self._stream = stream
        self._order: Order = order

    def tag(self) -> _Tag:
        tag = _tag(self._stream, self._order)
        self.left -= tag.whole_bytes
        if self.left < -7:  # the last one may be without its padding
            raise ValueError("a value is longer than the variable that it is in")
        return tag

    def content(self, *types: int) -> bytes:
        tag = self.tag()
        if self.left < 0 or tag.type not in types:
            raise ValueError("a variable is not built of flags, dimensions, name and values")
        return tag.small[: tag.n_bytes] or self._stream.read(tag.whole_bytes - 8)[: tag.n_bytes]

    def numbers(self) -> tuple[int, ...]:
        stated = self.content(_INT32, _UINT32)
        if len(stated) % 4:
            raise ValueError("a variable has a size that is no number")
        return struct.unpack(f"{self._order}{len(stated) // 4}i", stated)


def _check_matrix(stream: _Plain | _Inflated, n_bytes: int, order: Order, depth: int) -> None:
    """Flags, dimensions and name, then as many values as the dimensions say, all within ``n_bytes``."""
    if n_bytes == 0:
        return
    matrix = _Matrix(stream, n_bytes, order)
    flags = matrix.numbers()
    kind = flags[0] & 0xFF if len(flags) == 2 else 0
    if kind not in _CLASSES:
        raise ValueError(f"a variable is of the unknown class {kind}")
    n_values = 1
    if kind == _OPAQUE:
        for _ in range(3):
            matrix.content(_INT8)
    else:
        n_values = _check_dimensions(matrix, kind, n_bytes)
    if kind in _OF_VARIABLES:
        types, n_elements = frozenset({_MATRIX}), n_values
    else:
        types, n_elements = _PLAIN, (3 if kind == _SPARSE else 1) + bool(flags[0] & _COMPLEX)
    for _ in range(n_elements):
        tag = matrix.tag()
        if tag.type not in types:
            raise ValueError(f"a variable has values of the type {tag.type}")
        _check_element(stream, tag, order, depth + 1)
    if matrix.left > 0:
        stream.skip(matrix.left)


def _check_dimensions(matrix: _Matrix, kind: int, n_bytes: int) -> int:
    """How many values they say; what follows are those."""
    dimensions = matrix.numbers()
    matrix.content(_INT8, _UTF8)
    n_values, per_value = prod(dimensions), 1
    if kind == _OBJECT:
        matrix.content(_INT8)
    if kind in (_STRUCT, _OBJECT):
        longest = (*matrix.numbers(), 0)[0]
        names = matrix.content(_INT8)
        if longest < 1 or len(names) % longest:
            raise ValueError("the names of a structure's fields have no length")
        n_values *= len(names) // longest
    if kind in (_CELL, _STRUCT, _OBJECT):
        per_value = 8
    if not 2 <= len(dimensions) <= _MOST_DIMENSIONS or any(size < 0 for size in dimensions):
        raise ValueError(f"a variable has the size {list(dimensions)}")
    if kind != _SPARSE and n_values * per_value > matrix.left:
        shape = " x ".join(map(str, dimensions))
        raise ValueError(f"a variable of {shape} values has {matrix.left} bytes of them")
    if kind == _SPARSE and max(dimensions, default=0) > n_bytes:
        raise ValueError("a sparse variable is larger than its data")
    return n_values
