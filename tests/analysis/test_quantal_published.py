"""Published dose-response tables, with the numbers that their sources or R print."""

from math import log10
from typing import Any

import pytest

from kindle.analysis import fit_quantal
from kindle.analysis.limits import litchfield_wilcoxon
from kindle.analysis.links import LINKS
from kindle.analysis.natural import abbott
from kindle.analysis.parallel import ParallelFit, fit_parallel

SAS_DOSES, SAS_N, SAS_R = [1, 2, 3, 4, 5, 6, 7], [10, 12, 10, 10, 12, 10, 10], [1, 2, 4, 5, 8, 8, 10]
ROTENONE = ([2.6, 3.8, 5.1, 7.7, 10.2], [50, 48, 46, 49, 50], [6, 16, 24, 42, 44])
EPA = ([6.25, 12.5, 25, 50, 100], [20] * 5, [0, 3, 9, 20, 20])
BEETLE_X = [1.6907, 1.7242, 1.7552, 1.7842, 1.8113, 1.8369, 1.861, 1.8839]
BEETLES = ([10**x for x in BEETLE_X], [59, 60, 62, 56, 63, 59, 62, 60], [6, 13, 18, 28, 52, 53, 61, 60])

R_GLM: list[Any] = [
    # SAS/STAT User Guide, PROC PROBIT, "Dosage Levels"; R 4.2.2 glm.
    pytest.param(
        (SAS_DOSES, SAS_N, SAS_R),
        "probit",
        (-1.812705032455, 3.418118030002, 0.4662871069951, 0.7644023703586),
        (4.63808210035, 3.649692468349, 5, 0.6008679674986, -9.900391315508),
        (0.5303225390535, 0.04945693252756, 0.1921171440664),
        {
            "fieller": (0.4126619431474, 0.6291712703289),
            "delta": (0.4333887325136, 0.6272563455933),
            "profile": (0.4223405059455, 0.6286417094754),
        },
        (0.3924219068427, 0.6430742623754),
        id="SAS dosage levels, probit",
    ),
    pytest.param(
        (SAS_DOSES, SAS_N, SAS_R),
        "logit",
        (-3.224644228433, 5.970179989376, 0.8860567139927, 1.449171633401),
        (4.298612773925, 3.235326763683, 5, 0.6637567294247, -9.730656652296),
        (0.5401251275793, 0.04876433933424, 0.2263398282138),
        {
            "fieller": (0.4195719881774, 0.6380678354525),
            "delta": (0.4445487787543, 0.6357014764043),
            "profile": (0.4311622902374, 0.6344911128647),
        },
        (0.4098041390513, 0.6444187444326),
        id="SAS dosage levels, logit",
    ),
    # Bliss 1935, as in Dobson and in Agresti: b0 -34.94 (2.65), b1 19.73 (1.49), deviance 10.12 on 6 df.
    pytest.param(
        BEETLES,
        "probit",
        (-34.93525891574, 19.72793422011, 2.647917742124, 1.487235009207),
        (10.119758113002, 9.513426970581, 6, 0.146695206946, -18.158898165047),
        (1.770852362237, 0.003803336768449, 0.02183193149342),
        {
            "fieller": (1.76311431964, 1.778193800454),
            "delta": (1.76339795915, 1.778306765324),
            "profile": (1.763268391524, 1.778170110342),
        },
        (1.758286875962, 1.782404439789),
        id="Bliss beetles",
    ),
    # Finney's rotenone; Lei & Sun, PoloPlus and SPSS print slope 4.213, intercept -2.887, chi2 1.729, LD50 4.845.
    pytest.param(
        ROTENONE,
        "probit",
        (-2.887463256074, 4.213196755642, 0.3510398810862, 0.4805617539816),
        (1.738968595411, 1.728875031297, 3, 0.6305334110426, -10.479682697471),
        (0.6853378618522, 0.02206838498666, 0.04997710645327),
        {
            "fieller": (0.6399337177276, 0.7287096892569),
            "delta": (0.6420846220813, 0.728591101623),
            "profile": (0.6402942237328, 0.7284627110984),
        },
        (0.6282650893402, 0.7392360193543),
        id="Finney rotenone",
    ),
    # EPA-821-R-02-012, Table 20: chi2 3.076 on 3 df, LC50 22.872 (18.787, 27.846).
    pytest.param(
        EPA,
        "probit",
        (-6.868979176136, 5.053336023441, 1.291187142032, 0.9378975980345),
        (3.858838915892, 3.076447268002, 3, 0.3799880380042, -5.076112812151),
        (1.359295947128, 0.04061257433046, 0.1323276724877),
        {
            "fieller": (1.273859793279, 1.444767143804),
            "delta": (1.27969676412, 1.438895130135),
            "profile": (1.279154495343, 1.44178920567),
        },
        (1.19603944077, 1.52268045616),
        id="EPA acute manual",
    ),
]


@pytest.mark.parametrize(("table", "link", "line", "goodness", "ed50", "limits", "always"), R_GLM)
def test_a_line_its_fit_and_every_interval_are_those_of_r(
    table: Any, link: Any, line: Any, goodness: Any, ed50: Any, limits: Any, always: Any
) -> None:
    fit = fit_quantal(*table, link=link)

    assert (fit.intercept, fit.slope, fit.se_intercept, fit.se_slope) == pytest.approx(line, rel=2e-6)
    assert (fit.deviance, fit.chi2, fit.df, fit.p, fit.loglik) == pytest.approx(goodness, rel=2e-6)
    estimate = fit.ed()
    assert estimate.value is not None
    assert (log10(estimate.value), estimate.se_log10, fit.g) == pytest.approx(ed50, rel=2e-6)
    for method, expected in limits.items():
        assert _log10_limits(fit.ed(ci=method)) == pytest.approx(expected, rel=2e-6)
    widened = fit_quantal(*table, link=link, heterogeneity="always")
    assert _log10_limits(widened.ed(ci="fieller")) == pytest.approx(always, rel=2e-6)


def test_the_ed1_of_the_epa_manual_has_its_printed_limits() -> None:
    """EPA-821-R-02-012: LC1 7.924 (4.147, 10.959)."""
    estimate = fit_quantal(*EPA).ed(0.01, ci="fieller")

    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((7.924, 4.147, 10.959), abs=0.00051)


def test_observed_information_gives_the_errors_of_sas() -> None:
    """SAS PROC PROBIT "Dosage Levels" with observed information; expected information gives 0.76440 for the slope."""
    fit = fit_quantal(SAS_DOSES, SAS_N, SAS_R, information="observed")

    assert (fit.se_intercept, fit.se_slope) == pytest.approx((0.44934, 0.74555), abs=6e-6)
    assert fit.slope is not None
    assert fit.vcov is not None
    (v11, v12), (_, v22) = fit.vcov
    sigma, mu = 1 / fit.slope, -(fit.intercept or 0.0) / fit.slope
    assert (mu, sigma) == pytest.approx((0.53032, 0.29256), abs=6e-6)
    of_mu = sigma**2 * (v11 + 2 * mu * v12 + mu**2 * v22)
    of_both = sigma**3 * (v12 + mu * v22)
    assert (of_mu, of_both, sigma**4 * v22) == pytest.approx((0.002418, -0.000409, 0.004072), abs=6e-7)
    for p, expected in (
        (0.01, (-0.69518, 0.0771)),
        (0.1, (-0.17147, 0.30142)),
        (0.5, (0.41693, 0.63057)),
        (0.9, (0.77313, 1.19191)),
    ):
        assert _log10_limits(fit.ed(p, ci="fieller")) == pytest.approx(expected, abs=6e-6)


@pytest.mark.parametrize(
    ("table", "line", "chi2", "df", "doses"),
    [
        pytest.param(
            ROTENONE,
            (4.213, -2.887, 0.478, 0.350),
            1.729,
            3,
            {0.1: (2.405, 1.889, 2.833), 0.5: (4.845, 4.363, 5.354), 0.9: (9.761, 8.405, 12.134)},
            id="homogeneous",
        ),
        pytest.param(
            ([5.1, 10.0, 20.4, 30.2, 40.7, 50.1], [49, 48, 48, 49, 50, 48], [16, 18, 34, 47, 47, 48]),
            (2.633, -2.622, 0.279, 0.339),
            12.026,
            4,
            {0.1: (3.229, 0.606, 5.915), 0.5: (9.905, 5.090, 14.626), 0.9: (30.381, 19.95, 77.517)},
            id="heterogeneous",
        ),
    ],
)
def test_heterogeneity_below_p_015_gives_the_limits_that_spss_prints(
    table: Any, line: Any, chi2: float, df: int, doses: dict[float, tuple[float, ...]]
) -> None:
    """Lei & Sun, tables 1-5: SPSS 20 and PoloPlus, three decimals."""
    fit = fit_quantal(*table, information="observed", heterogeneity="p<0.15")

    assert (fit.slope, fit.intercept, fit.se_slope, fit.se_intercept) == pytest.approx(line, abs=0.0015)
    assert (fit.chi2, fit.df) == pytest.approx((chi2, df), abs=0.0015)
    for p, expected in doses.items():
        estimate = fit.ed(p, ci="fieller")
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(expected, abs=0.00151)


LAMPREY_NICLOSAMIDE = (
    [0.79, 0.8, 0.76, 1.36, 1.22, 1.18, 1.54, 1.44, 1.36, 1.69, 1.66, 1.6, 1.92, 1.86, 1.8, 2.2, 2.18, 2.1],
    [20, 20, 20, 21, 19, 18, 20, 21, 20, 20, 20, 20, 22, 20, 20, 20, 20, 20],
    [0, 1, 0, 13, 10, 7, 16, 11, 17, 17, 19, 18, 22, 19, 18, 20, 20, 20],
)
LAMPREY_SECOND = (
    [1.67, 1.69, 1.67, 2.09, 2.1, 2.09, 2.37, 2.38, 2.39, 2.55, 2.59, 2.59, 2.68, 2.78, 2.8, 3.07, 3.09, 3.11],
    [9, 10, 9, 11, 10, 10, 10, 10, 10, 10, 10, 9, 10, 11, 11, 10, 11, 10],
    [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 6, 4, 4, 11, 8, 10, 11, 9],
)


@pytest.mark.parametrize(
    ("tanks", "expected"),
    [
        (LAMPREY_NICLOSAMIDE, (1.25, 1.184, 1.306, 14.113, 0.59)),
        (LAMPREY_SECOND, (2.659, 2.59, 2.737, 22.537, 0.126)),
    ],
)
def test_tanks_that_are_not_pooled_give_the_limits_of_ecotox(tanks: Any, expected: Any) -> None:
    """R package ecotox 1.4.4, lamprey_tox: each row is a tank."""
    fit = fit_quantal(*tanks, heterogeneity="p<0.15", pool=False)
    estimate = fit.ed(ci="fieller")

    found = (estimate.value, estimate.low, estimate.high, fit.chi2, fit.p)
    assert found == pytest.approx(expected, abs=0.0012, rel=0.0003)


def test_a_natural_response_is_estimated_from_all_groups_as_sas_does() -> None:
    """SAS PROC PROBIT Getting Started, OPTC LOG10: MU 0.66506312, SIGMA 0.16049411; the control alone is 3/15."""
    fit = fit_quantal(
        [0, 1.1, 1.3, 2.0, 2.2, 2.8, 3.7, 3.9, 4.4, 4.8, 5.9, 6.8],
        [15] * 12,
        [3, 4, 4, 3, 5, 4, 5, 9, 8, 11, 12, 13],
        natural="estimate",
    )

    assert fit.slope is not None
    assert fit.intercept is not None
    found = (-fit.intercept / fit.slope, 1 / fit.slope, fit.natural_rate, fit.intercept, fit.slope, fit.ed().value)
    expected = (0.66506312, 0.16049411, 0.240883, -4.14385, 6.23076, 4.624483)
    assert found == pytest.approx(expected, rel=2e-5)
    assert (fit.se_slope, fit.se_natural_rate) == pytest.approx((1.89958, 0.05226), rel=1e-3)


def test_eight_rats_at_each_of_four_doses_have_the_limits_of_r() -> None:
    fit = fit_quantal([50, 100, 150, 200], [8] * 4, [1, 3, 6, 8])

    assert (fit.intercept, fit.slope, fit.se_slope) == pytest.approx((-9.62112057, 4.80077323, 1.41423365), rel=2e-6)
    assert (fit.ed().value, fit.g) == pytest.approx((100.94325, 0.333362), rel=2e-6)
    for method, expected in (
        ("fieller", (68.782366, 132.244832)),
        ("delta", (77.613666, 131.285382)),
        ("profile", (73.366913, 131.065284)),
    ):
        estimate = fit.ed(ci=method)  # type: ignore[arg-type]
        assert (estimate.low, estimate.high) == pytest.approx(expected, rel=2e-6)
    assert fit_quantal([50, 100, 150, 200], [8] * 4, [1, 3, 6, 8], link="logit").ed().value == pytest.approx(103.222470)


def test_firths_penalty_gives_the_line_of_logistf_where_likelihood_has_none() -> None:
    """R logistf 1.26.1 and firthmodels 0.8.2."""
    doses, n, responded = [50, 100, 200, 400], [8] * 4, [0, 0, 8, 8]
    penalised = fit_quantal(doses, n, responded, link="logit", penalty="firth")
    plain = fit_quantal(doses, n, responded, link="logit")

    assert (penalised.intercept, penalised.slope) == pytest.approx((-40.0074909, 18.6036791), rel=2e-6)
    assert penalised.slope_limits() == pytest.approx((8.1925968, 37.9151715), rel=2e-5)
    assert penalised.ed().value == pytest.approx(141.421356, rel=2e-6)
    assert plain.status.code == "separated"
    assert plain.bracket == (100, 200)
    assert (plain.ed().low, plain.ed().high) == pytest.approx((100, 200), rel=1e-3)


def test_two_groups_on_parallel_logits_have_the_doses_of_dose_p() -> None:
    """Venables & Ripley, MASS, 7.2: dose.p(budworm.lg0, cf = c(1, 3), p = 1:3/4), on log2 dose."""
    doses, n = [2.0**k for k in range(6)], [20] * 6
    females = fit_quantal(doses, n, [0, 2, 6, 10, 12, 16], link="logit")
    males = fit_quantal(doses, n, [1, 4, 9, 13, 18, 20], link="logit")
    both = fit_parallel(females, males)
    assert isinstance(both, ParallelFit)
    line, log2 = both.line("test"), log10(2)

    x = [line.log10_dose(LINKS["logit"].quantile(p)) for p in (0.25, 0.5, 0.75)]
    assert [m / log2 for m in x] == pytest.approx([2.231265, 3.263587, 4.29591], rel=2e-6)
    assert [line.se(m) / log2 for m in x] == pytest.approx([0.2499089, 0.2297539, 0.2746874], rel=2e-6)
    found = (both.slope * log2, both.intercept_test, both.intercept_reference, both.df)
    assert found == pytest.approx((1.06421397, -3.47315531, -2.37241194, 9), rel=2e-6)


def test_litchfield_and_wilcoxons_limits_follow_the_steps_of_their_paper() -> None:
    """R LW1949 1.1.0 vignette (Adams et al. 2016), steps D and E on its line."""
    found = litchfield_wilcoxon(1.749661824, 2.308293474, LINKS["probit"], [0.0625, 0.125, 0.25, 0.5, 1, 2], [8] * 6)

    assert found is not None
    assert (found.ed16, found.ed50, found.ed84) == pytest.approx((0.06474275, 0.1745865, 0.47079321), rel=1e-6)
    assert (found.s, found.n_prime, found.factor) == pytest.approx((2.69661856, 16, 1.98766192), rel=1e-6)
    assert (found.low, found.high) == pytest.approx((0.08783511, 0.34701895), rel=1e-6)
    assert (found.s_low, found.s_high) == pytest.approx((1.40677894, 5.1690791), rel=1e-6)


def test_abbotts_correction_takes_the_rate_of_the_control_away() -> None:
    """Abbott 1925, with the numbers of the EPA manual."""
    assert abbott([0.65, 0.8, 0.05, 0.01], 0.025) == pytest.approx([0.6410256, 0.7948718, 0.025641, 0], abs=1e-6)


def _log10_limits(estimate: Any) -> tuple[float, float]:
    return log10(estimate.low), log10(estimate.high)
