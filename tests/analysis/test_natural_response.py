"""Profile limits with a natural response lie where the likelihood, searched everywhere, has fallen as far as it may."""

import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import chi2

from kindle.analysis import fit_quantal
from kindle.analysis.links import LINKS
from kindle.analysis.natural_rates import flat_or_stepped
from kindle.analysis.quantal_options import Natural

DOSES = (50.0, 75.0, 112.5, 168.75)
SLOPES = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 1200)])[:, None, None]
RATES = np.concatenate([[0.0], np.linspace(1e-4, 0.9999, 1200)])[None, :, None]


def highest(
    n: tuple[int, ...],
    responded: tuple[int, ...],
    control: tuple[int, int],
    link: str,
    at: float,
    p: float,
    rate: Natural,
) -> float:
    """The log likelihood of the best line whose ED``p`` is ``at``, over a grid of slopes and rates."""
    of_link = LINKS[link]  # type: ignore[index]
    rates = RATES if rate == "estimate" else np.array(rate)[None, None, None]
    distance = np.log10(DOSES[: len(n)]) - np.log10(at)
    best = -np.inf
    for slopes in np.array_split(SLOPES, 24):
        probability = rates + (1 - rates) * of_link.probability(of_link.quantile(p) + slopes * distance)
        loglik = (xlogy(responded, probability) + xlogy(np.subtract(n, responded), 1 - probability)).sum(axis=-1)
        if rate == "estimate":
            loglik = loglik + xlogy(control[1], rates[..., 0]) + xlogy(control[0] - control[1], 1 - rates[..., 0])
        best = max(best, float(loglik.max()))
    return best


@pytest.mark.parametrize(
    ("n", "responded", "control", "link", "p", "rate"),
    [
        ((8,) * 4, (1, 5, 5, 8), (8, 1), "probit", 0.9, "estimate"),
        ((8,) * 3, (1, 6, 6), (8, 2), "logit", 0.9, "estimate"),
        ((4,) * 4, (0, 1, 3, 4), (4, 1), "probit", 0.9, "estimate"),
        ((8,) * 4, (1, 3, 7, 8), (8, 3), "cloglog", 0.5, "estimate"),
        ((8,) * 4, (1, 3, 7, 8), (8, 3), "cloglog", 0.5, 0.15),
        ((8,) * 4, (1, 5, 5, 8), (8, 1), "probit", 0.9, 0.15),
    ],
)
def test_a_limit_is_a_dose_that_the_best_line_only_just_explains(
    n: tuple[int, ...], responded: tuple[int, ...], control: tuple[int, int], link: str, p: float, rate: Natural
) -> None:
    fit = fit_quantal(DOSES[: len(n)], n, responded, control=control, natural=rate, link=link)  # type: ignore[arg-type]
    assert fit.h == 1
    estimate = fit.ed(p, ci="profile")
    assert estimate.value is not None
    top = highest(n, responded, control, link, estimate.value, p, rate)
    for end in (estimate.low, estimate.high):
        assert end is not None
        lost = 2 * (top - highest(n, responded, control, link, end, p, rate))
        if not any(end == pytest.approx(dose, rel=1e-9) for dose in DOSES):
            assert lost == pytest.approx(chi2.ppf(0.95, 1), abs=2e-3)


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize("low", [(0, 0), (8, 0), (8, 2), (8, 7)])
@pytest.mark.parametrize("own", [(6, 0), (6, 2), (6, 5), (6, 6)])
def test_the_best_step_has_a_closed_form(low: tuple[int, int], own: tuple[int, int], below: bool) -> None:
    share = 0.4
    rates = np.linspace(0, 0.9999, 4000)[:, None]
    own_p = np.linspace(0, 1, 1001)[None, :]
    bound = rates + (1 - rates) * share
    p = np.clip(own_p, rates, bound) if below else np.maximum(own_p, bound)
    logliks = (
        xlogy(low[1], rates) + xlogy(low[0] - low[1], 1 - rates) + xlogy(own[1], p) + xlogy(own[0] - own[1], 1 - p)
    )
    assert flat_or_stepped(low, own, below, share) == pytest.approx(float(logliks.max()), abs=2e-3)
    assert flat_or_stepped(low, own, below, share) >= float(logliks.max()) - 1e-9


def test_a_likelihood_without_a_peak_that_can_be_found_says_so() -> None:
    fit = fit_quantal([1.000000001, 1.000001, 1.01], [1, 10_000, 10**8], [1, 9_999, 10**8], natural=0.9)

    assert (fit.status.kind, fit.status.code, fit.slope) == ("error", "not_converged", None)


def test_a_table_of_many_animals_at_doses_that_hardly_differ_does_not_break_the_search() -> None:
    fit = fit_quantal(
        [1, 1.01, 1e6],
        [10**4, 10**8, 10**8],
        [10**4, 50_035_914, 17_677_697],
        control=(3, 2),
        natural="estimate",
        link="logit",
    )

    assert fit.status.kind == "error"
