"""A stretch of a flat signal file as an array; only what is looked at is read, and it is let go with the array."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def window(path: Path, dtype: np.dtype[Any], n_channels: int, first: int, last: int) -> NDArray[Any]:
    """``(n_channels, last - first)``, a read-only view of a multiplexed file. Raises ``OSError`` and ``ValueError``."""
    shape = (last - first, n_channels)
    if last <= first:
        return np.empty(shape, dtype).T
    # One map of the whole file would, in the end, hold all of it in memory.
    return np.memmap(path, dtype, "r", offset=first * n_channels * dtype.itemsize, shape=shape).T
