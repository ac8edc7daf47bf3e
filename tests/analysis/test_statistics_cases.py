"""Every reference case of dose-response, potency, Spearman-Kärber, up-and-down, trend and doses, where at hand."""

import json
from collections.abc import Callable
from math import log2, log10
from pathlib import Path
from typing import Any

import pytest

from kindle.analysis import (
    convert_dose,
    dose_trend,
    fit_quantal,
    potency_ratio,
    spearman_karber,
    up_and_down,
)
from kindle.analysis.fit import Fit
from kindle.analysis.limits import litchfield_wilcoxon
from kindle.analysis.links import LINKS
from kindle.analysis.natural import abbott
from kindle.analysis.parallel import ParallelFit, fit_parallel

CASES_FILE = Path(__file__).parents[3] / "shared" / "reference" / "statistics_cases.json"
pytestmark = pytest.mark.skipif(not CASES_FILE.exists(), reason="needs ../shared")

Case = dict[str, Any]
Found = dict[str, Any]


def cases() -> list[Case]:
    if not CASES_FILE.exists():
        return []
    return list(json.loads(CASES_FILE.read_text(encoding="utf-8"))["cases"])


def quantal(case: Case) -> Found:
    given = case["inputs"]
    table = doses_of(given), given["n"], given["r"]
    fit = fit_quantal(*table, link=given["link"])
    widened = fit_quantal(*table, link=given["link"], heterogeneity="always")
    found = of_fit(fit)
    for method in ("fieller", "delta", "profile"):
        estimate = fit.ed(ci=method)
        found[f"x50_{method}"] = logs(estimate)
        found[f"ed50_{method}"] = [estimate.low, estimate.high]
    return {**found, "x50_fieller_het_t": logs(widened.ed(ci="fieller"))}


def of_fit(fit: Fit) -> Found:
    estimate = fit.ed()
    assert estimate.value is not None
    return {
        "intercept": fit.intercept,
        "slope": fit.slope,
        "se_intercept": fit.se_intercept,
        "se_slope": fit.se_slope,
        "deviance": fit.deviance,
        "pearson_chi2": fit.chi2,
        "df": fit.df,
        "p_pearson": fit.p,
        "log_likelihood_with_binomial_coef": fit.loglik,
        "x50": log10(estimate.value),
        "se_x50": estimate.se_log10,
        "g": fit.g,
        "ed50": estimate.value,
        "ed50_ci": [estimate.low, estimate.high],
    }


def effective_dose(case: Case) -> Found:
    given = case["inputs"]
    estimate = fit_quantal(given["doses"], given["n"], given["r"]).ed(given["p"], ci="fieller")
    return {"ed": estimate.value, "ed_fieller": [estimate.low, estimate.high]}


def observed(case: Case) -> Found:
    given = case["inputs"]
    fit = fit_quantal(given["doses"], given["n"], given["r"], information="observed")
    assert fit.slope is not None
    assert fit.intercept is not None
    assert fit.vcov is not None
    (v11, v12), (_, v22) = fit.vcov
    sigma, mu = 1 / fit.slope, -fit.intercept / fit.slope
    found = of_fit(fit) | {
        "mu": mu,
        "sigma": sigma,
        "cov_mu_mu": sigma**2 * (v11 + 2 * mu * v12 + mu**2 * v22),
        "cov_mu_sigma": sigma**3 * (v12 + mu * v22),
        "cov_sigma_sigma": sigma**4 * v22,
    }
    return found | {f"x{p:02d}_fieller": logs(fit.ed(p / 100, ci="fieller")) for p in (1, 10, 50, 90)}


def heterogeneous(case: Case) -> Found:
    given = case["inputs"]
    fit = fit_quantal(
        given["doses"],
        given["n"],
        given["r"],
        information=given["information"],
        heterogeneity="p<0.15",
        pool="unpooled" not in case["topic"],
    )
    found = of_fit(fit)
    for p in (10, 50, 90):
        estimate = fit.ed(p / 100, ci="fieller")
        found |= {f"ed{p}": estimate.value, f"ed{p}_ci": [estimate.low, estimate.high]}
    return found


def natural(case: Case) -> Found:
    given = case["inputs"]
    fit = fit_quantal(given["doses"], given["n"], given["r"], natural="estimate")
    assert fit.slope is not None
    found = of_fit(fit)
    return found | {
        "mu": found["x50"],
        "sigma": 1 / fit.slope,
        "C": fit.natural_rate,
        "se_C": fit.se_natural_rate,
    }


def typical(case: Case) -> Found:
    given = case["inputs"]
    fit = fit_quantal(given["doses"], given["n"], given["r"])
    limits = {method: fit.ed(ci=method) for method in ("fieller", "delta", "profile")}
    return of_fit(fit) | {method: [estimate.low, estimate.high] for method, estimate in limits.items()}


def two_groups(case: Case) -> Found:
    given = case["inputs"]
    doses = doses_of(given)
    female, male = (fit_quantal(doses, given["n"], given[key], link="logit") for key in ("r_female", "r_male"))
    both = fit_parallel(female, male)
    assert isinstance(both, ParallelFit)
    line, unit = both.line("test"), log10(2)
    x = [line.log10_dose(LINKS["logit"].quantile(p)) for p in given["p"]]
    assert female.deviance is not None
    assert male.deviance is not None
    parallelism = potency_ratio(female, male, parallel=True).parallelism_chi2
    assert parallelism is not None
    return {
        "x": [m / unit for m in x],
        "se": [line.se(m) / unit for m in x],
        "slope": both.slope * unit,
        "intercept_F": both.intercept_test,
        "intercept_M": both.intercept_reference,
        "deviance": female.deviance + male.deviance + parallelism,
        "df": both.df,
    }


def parallel_potency(case: Case) -> Found:
    given = case["inputs"]
    fits = [fit_quantal(doses_of(given), given["n"], given[key], link="logit") for key in ("r_test", "r_reference")]
    found = potency_ratio(fits[0], fits[1], parallel=True)
    assert found.ratio is not None
    assert found.low is not None
    assert found.high is not None
    return {
        "log2_potency": log2(found.ratio),
        "log2_potency_ci": [log2(found.low), log2(found.high)],
        "potency": found.ratio,
        "potency_ci": [found.low, found.high],
        "parallelism_chi2": found.parallelism_chi2,
        "parallelism_df": found.parallelism_df,
        "parallelism_p": found.parallelism_p,
    }


def separate_potency(case: Case) -> Found:
    tables = (case["inputs"][key] for key in "ab")
    fits = [fit_quantal(table["doses"], table["n"], table["r"], heterogeneity="never") for table in tables]
    found = potency_ratio(fits[0], fits[1], parallel=False)
    return {"ratio": found.ed50_ratio, "ratio_ci": [found.ed50_ratio_low, found.ed50_ratio_high], "z": found.z}


def karber(case: Case) -> Found:
    given = case["inputs"]
    control = given["control"]["n"], given["control"]["r"]
    found = spearman_karber(given["doses"], given["n"], given["r"], control=control, level=0.9544997361036416)
    return {
        "log10_ed50": found.log10_ed50,
        "variance": found.variance,
        "ed50": found.value,
        "ci": [found.low, found.high],
        "smoothed_adjusted": list(found.smoothed),
    }


def trimmed(case: Case) -> Found:
    given = case["inputs"]
    found = [
        spearman_karber(given["doses"], given["n"], given["r"], trim=trim, level=given["level"])
        for trim in given["trims"]
    ]
    return {"ed50": [f.value for f in found], "low": [f.low for f in found], "high": [f.high for f in found]}


def k_table(case: Case) -> Found:
    given = case["inputs"]
    found: Found = {}
    for pattern in given["patterns_after_leading_O_run"]:
        found[pattern] = []
        for leading in given["leading_O"]:
            x, outcomes = [0.0], "O" * leading + pattern
            for outcome in outcomes[:-1]:
                x.append(x[-1] + (1 if outcome == "O" else -1))
            found[pattern].append(up_and_down(x, [o == "X" for o in outcomes], scale="linear").k)
    return found


def dixon_mood(case: Case) -> Found:
    found = up_and_down(case["inputs"]["doses"], case["inputs"]["responses"], method="dixon-mood")
    return {"mean": found.mean, "sigma": found.sigma}


def litchfield(case: Case) -> Found:
    given = case["inputs"]
    found = litchfield_wilcoxon(given["intercept"], given["slope"], LINKS["probit"], given["doses"], given["n"])
    assert found is not None
    return {
        "ed16": found.ed16,
        "ed50": found.ed50,
        "ed84": found.ed84,
        "S": found.s,
        "n_prime": found.n_prime,
        "fED50": found.factor,
        "ci": [found.low, found.high],
        "S_ci": [found.s_low, found.s_high],
    }


def corrected(case: Case) -> Found:
    return {"adjusted": abbott(case["inputs"]["p"], case["inputs"]["c"])}


def firth(case: Case) -> Found:
    given = case["inputs"]
    table = given["doses"], given["n"], given["r"]
    penalised, plain = (fit_quantal(*table, link="logit", penalty=penalty) for penalty in ("firth", None))
    assert plain.bracket is not None
    return {
        "intercept": penalised.intercept,
        "slope": penalised.slope,
        "slope_profile_ci": list(penalised.slope_limits()),
        "ed50": penalised.ed().value,
        "ml_status": plain.status.code,
        "ml_ed50_range": list(plain.bracket),
        "profile_ci_ed50": [plain.ed().low, plain.ed().high],
    }


def conversion(case: Case) -> Found:
    given = case["inputs"]
    return {"values": [convert_dose(value, salt, given["to"], "mg_salt") for salt, value in given["cases"]]}


def trend(case: Case) -> Found:
    given = case["inputs"]
    found = dose_trend(given["scores"], given["n"], given["r"])
    return {"chi2": found.chi2, "p": found.p}


def status(case: Case) -> Found:
    given = case["inputs"]
    fit = fit_quantal(given["doses"], given["n"], given["r"], natural=given.get("natural", "none"))
    for word in case["expected"]["message_must_contain"]:
        assert word.casefold() in fit.status.message.casefold()
    return {"code": f"{fit.status.kind}:{fit.status.code}", "message_must_contain": None}


ANSWERS: dict[str, Callable[[Case], Found]] = {
    **dict.fromkeys(("Q01", "Q03", "Q04", "Q05", "Q50"), quantal),
    **dict.fromkeys(("Q07", "Q08", "Q09", "Q60"), heterogeneous),
    **dict.fromkeys(("S02", "S52"), trimmed),
    **dict.fromkeys(("P02", "P51"), separate_potency),
    **dict.fromkeys(("X01", "X02", "X03", "X04", "X05", "X06", "X07", "X08", "X09", "X55", "X57"), status),
    "Q02": observed,
    "Q06": effective_dose,
    "Q10": natural,
    "Q11": two_groups,
    "Q12": typical,
    "P01": parallel_potency,
    "S01": karber,
    "U01": k_table,
    "U02": dixon_mood,
    "W01": litchfield,
    "A01": corrected,
    "F01": firth,
    "N01": conversion,
    "D05": trend,
}


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases() if case["id"] in ANSWERS])
def test_each_reference_case_comes_out_within_its_tolerance(case: Case) -> None:
    found = ANSWERS[case["id"]](case)

    for name, expected in case["expected"].items():
        if name == "message_must_contain":
            continue
        tolerance = case["tolerance"].get(name, case["tolerance"].get("*", {}))
        if isinstance(expected, str):
            assert found[name] == expected
        else:
            allowed = {"rel": tolerance.get("rel", 0), "abs": tolerance.get("abs", 0)}
            assert found[name] == pytest.approx(expected, **allowed), name


def test_no_case_of_these_topics_is_left_out() -> None:
    topics: tuple[str, ...] = (
        "quantal",
        "natural",
        "two groups",
        "relative",
        "ED50 ratio",
        "Spearman",
        "trimmed",
        "up-and-down",
    )
    topics += ("Dixon", "Litchfield", "Abbott", "typical", "salt", "Cochran")
    asked = {case["id"] for case in cases() if case["topic"].startswith(topics) or case["call"] == "fit_quantal"}

    assert asked - set(ANSWERS) == set()


def doses_of(given: dict[str, Any]) -> list[float]:
    if "log2_dose" in given:
        return [2.0**x for x in given["log2_dose"]]
    return [10.0**x for x in given["doses"]] if given.get("doses_are_log10") else list(given["doses"])


def logs(estimate: Any) -> list[float]:
    return [log10(estimate.low), log10(estimate.high)]
