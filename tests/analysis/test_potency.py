"""Relative potency on parallel lines, and the ratio of two ED50s without them."""

from math import log2

import pytest

from kindle.analysis import fit_quantal, potency_ratio

DOSES, TWENTY = [2.0**k for k in range(6)], [20] * 6
FEMALES = fit_quantal(DOSES, TWENTY, [0, 2, 6, 10, 12, 16], link="logit")
MALES = fit_quantal(DOSES, TWENTY, [1, 4, 9, 13, 18, 20], link="logit")
ROTENONE = ([2.6, 3.8, 5.1, 7.7, 10.2], [50, 48, 46, 49, 50], [6, 16, 24, 42, 44])
DEGUELIN = ([5.1, 10.0, 20.4, 30.2, 40.7, 50.1], [49, 48, 48, 49, 50, 48], [16, 18, 34, 47, 47, 48])
MIXTURE = ([2.5, 5.1, 10.0, 15.1, 20.4, 25.1], [47, 46, 46, 48, 46, 50], [7, 22, 27, 38, 43, 48])


@pytest.mark.parametrize("parallel", [True, "auto"])
def test_potency_on_parallel_lines_has_the_fieller_limits_of_r(parallel: bool) -> None:
    """Budworm data (Collett; Venables & Ripley), R 4.2.2."""
    found = potency_ratio(FEMALES, MALES, parallel=parallel)

    assert (found.ratio, found.low, found.high) == pytest.approx((0.48824418, 0.30693288, 0.75835129), rel=5e-6)
    assert found.ratio is not None
    assert log2(found.ratio) == pytest.approx(-1.03432523, rel=5e-6)
    assert found.parallelism_chi2 == pytest.approx(1.763336925, rel=5e-6)
    assert (found.parallelism_df, found.parallelism_p) == pytest.approx((1, 0.18421), abs=1e-5)
    assert found.ed50_ratio == pytest.approx(1 / 0.48824418, rel=5e-6)


@pytest.mark.parametrize(
    ("b", "ratio", "limits", "z"),
    [
        (DEGUELIN, 0.48919000860921497, (0.39766427818871436, 0.6017811446707795), -6.765295826709851),
        (MIXTURE, 0.7611872129647556, (0.6233824923224498, 0.9294549980421162), -2.6778968170350197),
    ],
)
def test_the_ratio_of_two_ed50s_with_slopes_of_their_own_is_that_of_polo_plus(
    b: tuple[list[float], list[int], list[int]], ratio: float, limits: tuple[float, float], z: float
) -> None:
    """Lei & Sun, table 5: 0.489 (0.398, 0.602) and 0.761 (0.623, 0.929); independent fits, no heterogeneity factor."""
    fits = [fit_quantal(*table, heterogeneity="never") for table in (ROTENONE, b)]
    found = potency_ratio(fits[0], fits[1], parallel=False)

    assert (found.ed50_ratio, found.z) == pytest.approx((ratio, z), rel=2e-6)
    assert (found.ed50_ratio_low, found.ed50_ratio_high) == pytest.approx(limits, rel=2e-6)
    assert found.status.code == "not_parallel"


def test_heterogeneity_widens_the_ratio_too() -> None:
    narrow, wide = (
        potency_ratio(*(fit_quantal(*table, heterogeneity=rule) for table in (ROTENONE, DEGUELIN)), parallel=False)  # type: ignore[arg-type, misc]
        for rule in ("never", "p<0.05")
    )

    assert wide.ed50_ratio == pytest.approx(narrow.ed50_ratio)
    assert narrow.ed50_ratio_low is not None
    assert wide.ed50_ratio_low is not None
    assert wide.ed50_ratio_low < narrow.ed50_ratio_low


def test_a_drug_is_as_potent_as_itself_and_a_half_dose_makes_it_twice_as_potent() -> None:
    doses, n, responded = [50, 100, 150, 200], [8] * 4, [1, 3, 6, 8]
    whole = fit_quantal(doses, n, responded)
    halved = fit_quantal([dose / 2 for dose in doses], n, responded)

    for parallel in (True, False):
        same = potency_ratio(whole, whole, parallel=parallel)
        assert (same.ratio, same.z) == pytest.approx((1, 0), abs=1e-9)
        assert potency_ratio(halved, whole, parallel=parallel).ratio == pytest.approx(2)


def test_lines_that_are_not_parallel_are_compared_by_their_ed50s_and_it_is_said() -> None:
    found = potency_ratio(fit_quantal(*ROTENONE), fit_quantal(*DEGUELIN))

    assert found.method == "separate"
    assert found.status.code == "not_parallel"
    assert potency_ratio(fit_quantal(*ROTENONE), fit_quantal(*DEGUELIN), parallel=True).method == "parallel"


def test_a_separated_drug_can_be_compared_through_the_slope_of_the_other() -> None:
    doses, n = [50, 100, 150, 200], [8] * 4
    separated, other = fit_quantal(doses, n, [0, 0, 8, 8]), fit_quantal(doses, n, [1, 3, 6, 8])

    assert potency_ratio(separated, other).method == "parallel"
    alone = potency_ratio(separated, other, parallel=False)
    assert (alone.status.kind, alone.status.code, alone.ratio) == ("error", "no_ratio", None)
    both = potency_ratio(separated, separated)
    assert both.status.message.startswith("neither drug has a finite slope")


def test_fits_that_cannot_be_compared_are_refused_with_the_reason() -> None:
    doses, n = [50, 100, 150, 200], [8] * 4
    good, none = fit_quantal(doses, n, [1, 3, 6, 8]), fit_quantal(doses, n, [0, 0, 0, 0])
    logit = fit_quantal(doses, n, [1, 3, 6, 8], link="logit")

    assert "no animal protected" in potency_ratio(none, good).status.message
    assert "probit and logit" in potency_ratio(good, logit).status.message
    flat = potency_ratio(fit_quantal(doses, n, [3, 4, 4, 5]), fit_quantal(doses, n, [3, 4, 4, 5]))
    assert (flat.status.code, flat.low, flat.high) == ("g_ge_1", None, None)
