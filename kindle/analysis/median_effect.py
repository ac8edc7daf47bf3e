"""Median-effect lines and combination index (Chou and Talalay): for comparison with papers that print them.

A line through log odds of the means of a few groups, without limits: the isobole analysis is the one to rely on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log

import numpy as np


@dataclass(frozen=True, slots=True)
class MedianEffect:
    """log(fa / fu) = m log(D / Dm): ``m`` the slope, ``dm`` the dose of half effect, ``r`` the correlation."""

    m: float
    dm: float
    r: float

    def dose(self, affected: float) -> float:
        """The dose with this share affected."""
        return float(self.dm * (affected / (1 - affected)) ** (1 / self.m))


def median_effect(doses: Sequence[float], affected: Sequence[float]) -> MedianEffect:
    """Raises ``ValueError`` for doses not above 0, shares of 0 or 1 (they have no odds), and fewer than two doses."""
    if len(doses) != len(affected) or len(set(doses)) < 2:
        raise ValueError(f"expected at least two doses with one share each, got {len(doses)} and {len(affected)}")
    for dose, share in zip(doses, affected, strict=True):
        if not (isfinite(dose) and dose > 0 and 0 < share < 1):
            raise ValueError(f"expected a dose above 0 and a share between 0 and 1, got {dose:g} and {share:g}")
    x, y = np.log(np.asarray(doses, float)), np.array([log(share / (1 - share)) for share in affected])
    if np.ptp(y) == 0:
        raise ValueError("the same share at every dose: there is no median-effect line")
    m, intercept = np.polyfit(x, y, 1)
    return MedianEffect(float(m), float(np.exp(-intercept / m)), float(np.corrcoef(x, y)[0, 1]))


def combination_index(a: MedianEffect, b: MedianEffect, dose_a: float, dose_b: float, affected: float) -> float:
    """Of the pair of doses that together affected this share; mutually exclusive drugs. Below 1 is called synergy."""
    return dose_a / a.dose(affected) + dose_b / b.dose(affected)
