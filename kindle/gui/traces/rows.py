"""From lowest and highest counts of a column to the rows of pixels that its trace covers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.interface import Channel
from kindle.gui.traces.lanes import Lane, Scale

NOWHERE = -(1 << 20)
"""A row so high above the picture that nothing is drawn of a column that ends there."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """From counts to rows of the picture, of all channels at once; each array is ``(n_channels, 1)``."""

    zero: NDArray[np.float32]
    per_count: NDArray[np.float32]
    top: NDArray[np.float32]
    last: NDArray[np.float32]

    @classmethod
    def made(cls, channels: Sequence[Channel], lanes: Sequence[Lane], scales: Sequence[Scale]) -> "Rows":
        lines = [lane.line(scale) for lane, scale in zip(lanes, scales, strict=True)]
        zeros = [zero for zero, _ in lines]
        per_count = [per_unit * channel.resolution for (_, per_unit), channel in zip(lines, channels, strict=True)]
        tops, lasts = [lane.top for lane in lanes], [lane.last for lane in lanes]
        return cls(*(np.array(values, np.float32)[:, None] for values in (zeros, per_count, tops, lasts)))

    def of(self, counts: NDArray[np.float32]) -> NDArray[np.int32]:
        """What lies outside its lane is at the lane's border."""
        rows = counts * self.per_count
        rows += self.zero
        np.rint(rows, out=rows)
        np.minimum(rows, self.last, out=rows)
        return np.asarray(np.maximum(rows, self.top, out=rows), np.int32)


def joined(
    top: NDArray[np.int32], bottom: NDArray[np.int32], there: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Each column reaches to the one before it, so that a steep flank is a line; nothing is drawn across a gap."""
    tall_top, tall_bottom = top.copy(), bottom.copy()
    both = there[:, 1:] & there[:, :-1]
    np.minimum(top[:, 1:], bottom[:, :-1], out=tall_top[:, 1:], where=both)
    np.maximum(bottom[:, 1:], top[:, :-1], out=tall_bottom[:, 1:], where=both)
    tall_top[~there], tall_bottom[~there] = 1, NOWHERE
    return tall_top, tall_bottom


def between_samples(
    values: NDArray[np.float32], there: NDArray[np.bool_], silent: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """On the straight line between the samples on either side, where a column is too narrow to hold one."""
    at, filled = np.arange(values.shape[1]), values.copy()
    for row, known in zip(filled, there, strict=True):
        if known.any():
            row[silent] = np.interp(at[silent], at[known], row[known])
    return filled
