"""Names of the arrays that pass between the stages of the detector."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Raw = NDArray[Any]
"""Counts, ``(n_channels, n_samples)``: int16, int32 or float64."""
