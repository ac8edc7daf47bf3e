"""Animals that would have been protected anyway: Abbott's correction, and the natural response estimated jointly."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kindle.analysis.dose_table import Count
from kindle.analysis.likelihood import Assay, Peak, climb, covariance_of, line_design, start_of
from kindle.analysis.links import Values
from kindle.analysis.natural_rates import NET, best_of_net, climb_jointly


def abbott(p: Sequence[float], rate: float) -> list[float]:
    """Proportions corrected for the control's ``rate``, 0 where the control did better (Abbott 1925)."""
    return [max((value - rate) / (1 - rate), 0.0) for value in p]


@dataclass(frozen=True, slots=True)
class JointPeak:
    """Line and natural response at the maximum; ``covariance`` ``(3, 3)`` of intercept, slope and rate, or ``(2, 2)``
    where the rate rests on its bound 0. On the standardised log dose; observed information."""

    assay: Assay
    peak: Peak
    covariance: NDArray[np.float64] | None


def estimate_rate(assay: Assay, control: Count | None) -> JointPeak:
    """The maximum over intercept, slope and rate."""
    design = line_design(assay)
    starts = np.array([_start(assay, float(rate)) for rate in NET])
    top = climb_jointly(assay, control, design, best_of_net(assay, control, design, NET, starts, 0.0, rising=False))
    best = replace(assay, natural=top.rate)
    peak = climb(best, design, top.coefficients)
    information = top.information if top.rate else top.information[:-1, :-1]
    return JointPeak(best, peak, covariance_of(information))


def _start(assay: Assay, rate: float) -> Values:
    """The line through the responses corrected for the rate."""
    corrected = assay.n * np.array(abbott(list(assay.responded / assay.n), min(rate, 0.99)))
    return start_of(replace(assay, responded=corrected))
