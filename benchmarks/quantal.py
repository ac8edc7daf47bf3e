"""Quantal fits over all possible tables: `python -m benchmarks.quantal [--tables N] [--coverage] [--json]`.

Speed: exact tables (every count of responders at every dose) fitted with all four intervals, on one core.
Coverage: the probability, summed over every table that an experiment can yield, that nominal 95 % limits hold the true
ED50, and how often there is no finite fit at all.
"""

import argparse
import json
import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from itertools import product
from math import comb, log10

from scipy.special import ndtr

from kindle.analysis.fit import Fit
from kindle.analysis.quantal import fit_quantal
from kindle.analysis.quantal_options import Ci

DOSES = (50.0, 80.0, 125.0, 200.0)
TRUE_ED50 = 95.0
METHODS: tuple[Ci, ...] = ("fieller", "delta", "profile", "lw")
DESIGNS = ((8, 4.0, DOSES), (8, 7.0, DOSES), (8, 10.0, DOSES), (6, 6.0, DOSES), (10, 5.0, (40.0, 70.0, 120.0, 200.0)))
"""Animals at each dose, true probit slope, and the doses."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of ``fieller``, ``delta`` and ``lw`` among the tables that have them, of ``profile`` and ``headline`` among all
    with responses both ways and a rising line; ``None`` where no table has such limits."""

    n: int
    slope: float
    no_finite_fit: float
    g_above_0_4: float
    fieller: float | None
    delta: float | None
    profile: float | None
    lw: float | None
    headline: float | None


def speed(n_tables: int) -> dict[str, object]:
    """Seconds of this core for tables of 4 doses and 9 animals each: there are 10,000 of them."""
    # A stride without a common divisor visits each table once and mixes easy and hard ones.
    tables = list(product(range(10), repeat=4))
    chosen = [tables[i * 4999 % len(tables)] for i in range(n_tables)]
    codes: Counter[str] = Counter()
    began = time.process_time()
    for responded in chosen:
        codes[_fitted(responded).status.code] += 1
    seconds = time.process_time() - began
    rising = [r for r in tables if _rises(r)][:: max(1, 20_000 // n_tables)]
    began = time.process_time()
    with_line = sum(_fitted(responded).slope is not None for responded in rising)
    of_rising = time.process_time() - began
    return {
        "tables": len(chosen),
        "seconds": seconds,
        "ms_per_table": 1000 * seconds / len(chosen),
        "statuses": dict(codes.most_common()),
        "rising_tables": len(rising),
        "rising_with_a_line": with_line,
        "ms_per_rising_table": 1000 * of_rising / len(rising),
    }


def speed_estimated(n_tables: int) -> dict[str, float]:
    """Milliseconds of this core for rising tables with 2 of 9 controls responding, their rate estimated."""
    tables = [r for r in product(range(10), repeat=4) if _rises(r) and r[0]]
    chosen = [tables[i * 61 % len(tables)] for i in range(n_tables)]
    began = time.process_time()
    fits = [fit_quantal(DOSES, (9,) * 4, responded, control=(9, 2), natural="estimate") for responded in chosen]
    of_fits = time.process_time() - began
    began = time.process_time()
    for fit in fits:
        fit.ed(ci="profile")
    of_profiles = time.process_time() - began
    return {"ms_per_fit": 1000 * of_fits / n_tables, "ms_per_profile": 1000 * of_profiles / n_tables}


def _fitted(responded: tuple[int, ...]) -> Fit:
    fit = fit_quantal(DOSES, (9,) * 4, responded)
    for method in METHODS:
        fit.ed(ci=method)
    return fit


def _rises(responded: tuple[int, ...]) -> bool:
    """From few to many, with overlap: the tables that cost most."""
    return responded[0] < 4 and responded[3] > 5 and 0 < responded[1] <= responded[2] < 9


def coverage(n: int, slope: float, doses: tuple[float, ...]) -> Coverage:
    p = [float(ndtr(slope * (log10(dose) - log10(TRUE_ED50)))) for dose in doses]
    at_dose = [[comb(n, r) * q**r * (1 - q) ** (n - r) for r in range(n + 1)] for q in p]
    mass: defaultdict[str, float] = defaultdict(float)
    held: defaultdict[str, float] = defaultdict(float)
    for responded in product(range(n + 1), repeat=len(doses)):
        weight = 1.0
        for r, chances in zip(responded, at_dose, strict=True):
            weight *= chances[r]
        fit = fit_quantal(doses, (n,) * len(doses), responded, heterogeneity="never")
        mass["all"] += weight
        mass["steep"] += weight * (fit.bracket is not None)
        mass["imprecise"] += weight * (fit.g is not None and fit.g > 0.4)
        for name, within in _within(fit).items():
            mass[name] += weight
            held[name] += weight * within
    return Coverage(
        n,
        slope,
        mass["steep"] / mass["all"],
        mass["imprecise"] / mass["all"],
        *(held[name] / mass[name] if mass[name] else None for name in (*METHODS, "auto")),
    )


def _within(fit: Fit) -> dict[str, bool]:
    """Whether each interval that the table has holds the true ED50; an open end holds everything on its side."""
    if fit.status.kind == "error":
        return {}
    every: tuple[Ci, ...] = (*METHODS, "auto")
    limits = {method: fit.ed(ci=method) for method in every}
    return {
        method: (e.low is None or e.low <= TRUE_ED50) and (e.high is None or e.high >= TRUE_ED50)
        for method, e in limits.items()
        if e.method is not None
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--coverage", action="store_true", help="also enumerate the five designs (minutes)")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = speed(asked.tables)
    estimated = speed_estimated(max(1, asked.tables // 100))
    covered = [coverage(*design) for design in DESIGNS] if asked.coverage else []
    if asked.json:
        print(json.dumps({"speed": found, "estimated": estimated, "coverage": [asdict(row) for row in covered]}))
        return
    print(f"{found['tables']} tables with four intervals each: {found['seconds']:.1f} s of one core")
    print(f"  {found['statuses']}")
    print(f"  rising tables: {found['rising_tables']}, {found['ms_per_rising_table']:.2f} ms each")
    per_fit, per_profile = estimated["ms_per_fit"], estimated["ms_per_profile"]
    print(f"  natural response estimated: {per_fit:.1f} ms a fit, {per_profile:.0f} ms a profile")
    for row in covered:
        print(row)


if __name__ == "__main__":
    main()
