"""From a table and the chosen natural response to the likelihood, and to what the data say of its maximum."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kindle.analysis.dose_table import DoseTable
from kindle.analysis.heights import EstimatedRate, FixedRate, Heights, highest
from kindle.analysis.likelihood import Assay, Peak, assay, climb, line_design, start_of
from kindle.analysis.links import LINKS
from kindle.analysis.natural import abbott, estimate_rate
from kindle.analysis.natural_rates import control_loglik
from kindle.analysis.outcome import Note
from kindle.analysis.quantal_options import QuantalOptions
from kindle.analysis.separation import Separation, separation

AS_HIGH = 1e-7
"""A step that explains the data this nearly as well as the best line leaves that line no finite slope."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """``peak`` is ``None`` where the slope is infinite: ``separation`` then says at which doses."""

    assay: Assay
    heights: Heights
    separation: Separation | None
    peak: Peak | None
    top_loglik: float
    """Without binomial coefficients; the control included where its rate is estimated."""
    natural_rate: float | None
    covariance: NDArray[np.float64] | None = None
    """Of intercept, slope and natural rate on the standardised log dose, where the rate is estimated."""


@lru_cache(maxsize=8)  # a fit and each of its intervals start from here
def prepare(table: DoseTable, options: QuantalOptions) -> Prepared | Note:
    """Of a table that has at least two doses and responses both ways; an error note where the line does not rise."""
    of_line = assay(table, LINKS[options.link])
    match options.natural:
        case "none":
            return _concave(of_line, table)
        case "abbott":
            assert table.control is not None
            rate = table.control[1] / table.control[0]
            corrected = np.array(abbott([r / n for _, n, r in table.groups()], rate)) * of_line.n
            prepared = _concave(replace(of_line, responded=corrected), table)
            return prepared if isinstance(prepared, Note) else replace(prepared, natural_rate=rate)
        case "estimate":
            return _estimated(of_line, table)
        case rate:
            return _known(replace(of_line, natural=float(rate)), table)


def _concave(of_line: Assay, table: DoseTable) -> Prepared | Note:
    if of_line.responded.sum() == 0:
        return Note("error", "none_responded", "no animal protected beyond the rate of the control")
    excess = of_line.responded - of_line.n * of_line.responded.sum() / of_line.n.sum()
    # The sign of the slope is that of the score without one: exact where an iteration would only come near.
    if float(excess @ of_line.z) <= 1e-12 * float(of_line.n @ abs(of_line.z)):
        return _falls(table)
    heights = FixedRate(of_line)
    found = separation(table.doses, of_line.n.tolist(), of_line.responded.tolist())
    if found.pattern != "overlap":
        return Prepared(of_line, heights, found, None, highest(of_line), None)
    peak = climb(of_line, line_design(of_line), start_of(of_line))
    return Prepared(of_line, heights, None, peak, peak.loglik, None) if peak.converged else _not_found()


def _known(of_line: Assay, table: DoseTable) -> Prepared | Note:
    # The likelihood need not be concave: from the corrected data, and from a flat line.
    corrected = np.array(abbott(list(of_line.responded / of_line.n), of_line.natural)) * of_line.n
    starts = (start_of(replace(of_line, responded=corrected)), np.array([0.0, 0.1]))
    peak = max((climb(of_line, line_design(of_line), start) for start in starts), key=lambda peak: peak.loglik)
    heights = FixedRate(of_line)
    return _judged(of_line, heights, peak, peak.loglik, of_line.natural, table)


def _estimated(of_line: Assay, table: DoseTable) -> Prepared | Note:
    found = estimate_rate(of_line, table.control)
    rate = found.assay.natural
    top = found.peak.loglik + control_loglik(table.control, rate)
    prepared = _judged(found.assay, EstimatedRate(of_line, table.control), found.peak, top, rate, table)
    if isinstance(prepared, Note) or prepared.peak is None:
        return prepared
    return _not_found() if found.covariance is None else replace(prepared, covariance=found.covariance)


def _judged(of_line: Assay, heights: Heights, peak: Peak, top: float, rate: float, table: DoseTable) -> Prepared | Note:
    """A likelihood with a natural response is flat towards steep lines: compared with steps, not looked at."""
    steps = {z: max(heights.stepped(z, 0.0, "above"), heights.stepped(z, 0.0, "below")) for z in of_line.z.tolist()}
    best = max(steps.values())
    if best >= top - AS_HIGH:
        at = [dose for dose, z in zip(table.doses, of_line.z.tolist(), strict=True) if steps[z] >= best - AS_HIGH]
        lower, upper = _step(table, at, rate)
        found = Separation("quasi" if lower == upper else "complete", lower, upper)
        return Prepared(of_line, heights, found, None, best, rate)
    if peak.coefficients[1] <= 1e-9:
        return _falls(table)
    return Prepared(of_line, heights, None, peak, top, rate) if peak.converged else _not_found()


def _step(table: DoseTable, at: list[float], rate: float) -> tuple[float, float]:
    """The doses between which an infinite slope stands."""
    lower, upper = min(at), max(at)
    if lower < upper:
        return lower, upper
    n = sum(animals for dose, animals, _ in table.groups() if dose == lower)
    responded = sum(r for dose, _, r in table.groups() if dose == lower)
    doses = sorted(set(table.doses))
    place = doses.index(lower)
    if responded == n and place > 0:
        return doses[place - 1], lower
    if responded <= n * rate and place + 1 < len(doses):
        return lower, doses[place + 1]
    return lower, upper


def _falls(table: DoseTable) -> Note:
    return Note("error", "non_positive_slope", f"protection falls with dose, or does not rise ({table}): no ED50")


def _not_found() -> Note:
    return Note("error", "not_converged", "the likelihood has no single maximum that can be found; use Spearman-Karber")
