"""More spread than animals taken at random explain: when the conventions widen the limits, and by how much."""

from scipy.special import ndtri, stdtrit

from kindle.analysis.quantal_options import P_BELOW, QuantalOptions


def applied(options: QuantalOptions, chi2: float, df: int, p: float | None, largest_n: int) -> tuple[float, float]:
    """The factor on variances, and the two-sided quantile that goes with it."""
    threshold = P_BELOW.get(options.heterogeneity)
    # With one animal per dose chi2 has no chi2 distribution.
    by_test = threshold is not None and p is not None and p < threshold and largest_n > 1
    if by_test or (options.heterogeneity == "always" and df > 0):
        return chi2 / df, float(stdtrit(df, 0.5 + options.level / 2))
    return 1.0, float(ndtri(0.5 + options.level / 2))
