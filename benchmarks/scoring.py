"""From readings of trials to the figures that are reported."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.raters import RATERS
from benchmarks.resampling import animal_interval
from benchmarks.trials import BANDS, SHAMS_CLEAN, SHAMS_SPIKING, Measured
from detectors.agreement import bland_altman, clopper_pearson, icc_a1

Figures = dict[str, Any]
Choose = Callable[[Measured], bool]
OURS = ("causal", "refined")
TRAIN_S = 0.002


def spread(values: Sequence[float]) -> Figures:
    if not values:
        return {"n": 0, "median": None, "p95": None}
    size = np.abs(values)
    return {"n": len(values), "median": float(np.median(size)), "p95": float(np.quantile(size, 0.95))}


def share(k: int, n: int) -> Figures:
    """With exact limits, 95 %."""
    if not n:
        return {"k": 0, "n": 0, "share": None, "low": None, "high": None}
    limits = clopper_pearson(k, n)
    return {"k": k, "n": n, "share": k / n, "low": limits.low, "high": limits.high}


def boundaries(trials: Sequence[Measured], path: str, *, exact: bool = True) -> Figures:
    """Errors of the discharges that were found; the missed ones are counted beside, never averaged away."""
    true = [m for m in trials if m.verdict == "afterdischarge" and path in m.readings]
    found = [(m, m.readings[path]) for m in true if m.readings[path].onset_error_s is not None]
    onsets = [r.onset_error_s for m, r in found if r.onset_error_s is not None and (m.onset_exact or not exact)]
    ends = [r.end_error_s for m, r in found if r.end_error_s is not None and (m.end_exact or not exact)]
    durations = [
        r.duration_error_s
        for m, r in found
        if r.duration_error_s is not None and ((m.onset_exact and m.end_exact) or not exact)
    ]
    return {
        "found": len(found),
        "n": len(true),
        "onset": spread(onsets),
        "end": spread(ends),
        "duration": spread(durations),
    }


def errors_by(trials: Sequence[Measured], path: str) -> Figures:
    graded = [m for m in trials if m.group != "rate" and (m.clear or m.group == "band")]
    of_scenarios = [m for m in trials if m.group in ("scenario", "band")]
    scenarios = dict.fromkeys(m.number for m in of_scenarios if m.verdict == "afterdischarge")
    at_rates = [m for m in trials if m.group == "rate"]
    return {
        "overall": boundaries([m for m in trials if m.clear and m.group != "rate"], path),
        "scenario": {
            number: boundaries([m for m in trials if m.number == number and m.group == "scenario"], path, exact=False)
            for number in scenarios
        },
        "family": {
            family: boundaries([m for m in graded if m.clear and m.family == family], path)
            for family in dict.fromkeys(m.family for m in trials)
        },
        "band": {band: boundaries([m for m in graded if m.band == band], path) for band in BANDS},
        "scenario_band": {
            number: {
                band: boundaries([m for m in of_scenarios if m.number == number and m.band == band], path, exact=False)
                for band in BANDS
            }
            for number in scenarios
        },
        "rate": {
            f"{rate_hz:g}": boundaries([m for m in at_rates if m.rate_hz == rate_hz], path)
            | {"clear_verdicts": clear_verdicts([m for m in at_rates if m.rate_hz == rate_hz], path)}
            for rate_hz in sorted({m.rate_hz for m in at_rates})
        },
    }


def confusion(trials: Sequence[Measured], path: str) -> Figures:
    counted = Counter((m.verdict, m.readings[path].verdict) for m in trials if not m.borderline)
    names = ("afterdischarge", "none", "undetermined")
    return {truth: {found: counted[truth, found] for found in names} for truth in (*names, "void")}


def right(m: Measured, path: str) -> bool:
    """The verdict, and where there is a discharge its boundaries within 0.25 s and 1 s."""
    r = m.readings[path]
    if r.verdict != m.verdict:
        return False
    return r.onset_error_s is None or (abs(r.onset_error_s) <= 0.25 and abs(r.end_error_s or 0.0) <= 1.0)


def reliability(trials: Sequence[Measured], path: str, n_bins: int = 5) -> list[Figures]:
    """Among what was called a discharge: confidence beside how often it was right, and the errors."""
    called = [(m, m.readings[path]) for m in trials if m.readings[path].confidence is not None and m.verdict != "void"]
    bins = []
    for low in np.arange(n_bins) / n_bins:
        high = low + 1 / n_bins
        inside = [(m, r) for m, r in called if low <= (r.confidence or 0) < high + (high > 0.999)]
        bins.append(
            {
                "low": float(low),
                "high": float(high),
                "n": len(inside),
                "mean_confidence": float(np.mean([r.confidence for _, r in inside])) if inside else None,
                "right": float(np.mean([right(m, path) for m, _ in inside])) if inside else None,
                "false": sum(m.verdict == "none" for m, _ in inside),
                "duration_error": spread([r.duration_error_s for _, r in inside if r.duration_error_s is not None]),
            }
        )
    return bins


def agreement(trials: Sequence[Measured], path: str) -> Figures:
    """Durations against truth, clear trials whose both ends are one sample."""
    chosen = [m for m in trials if m.clear and m.group != "rate" and m.onset_exact and m.end_exact]
    return _agreement([(m.duration_s, m.readings[path].duration_s) for m in chosen if path in m.readings])


def raters(trials: Sequence[Measured], path: str) -> list[Figures]:
    """Durations: the detector against each rater, and the raters against each other, on the same trials."""
    names = [path, *(rater.name for rater in RATERS)]
    read = [
        m
        for m in trials
        if m.clear
        and m.group != "rate"
        and m.onset_exact
        and m.end_exact
        and all(name in m.readings and m.readings[name].span_s for name in names)
    ]
    return [
        {"a": a, "b": b} | _agreement([(m.readings[a].duration_s, m.readings[b].duration_s) for m in read])
        for a, b in combinations(names, 2)
    ]


def _agreement(durations: Sequence[tuple[float | None, float | None]]) -> Figures:
    """Bland-Altman, second minus first, and ICC(A,1)."""
    pairs = [pair for pair in durations if None not in pair]
    if len(pairs) < 3:
        return {"n": len(pairs)}
    values = np.array(pairs, float)
    bland = bland_altman(values[:, 0].tolist(), values[:, 1].tolist())
    try:
        icc = icc_a1(values)
    except ValueError:
        # All durations are equal: there is nothing that raters could agree on.
        return {"n": len(pairs)}
    return {
        "n": len(pairs),
        "bias_s": bland.bias,
        "lower_limit_s": bland.lower_limit,
        "upper_limit_s": bland.upper_limit,
        "slope": bland.slope,
        "icc_a1": icc.value,
        "icc_low": icc.interval.low,
        "icc_high": icc.interval.high,
    }


def intervals(trials: Sequence[Measured], path: str) -> Figures:
    """Of the main figures, 95 %, by drawing animals again."""
    clear = [m for m in trials if m.clear and m.group not in ("rate", "sham")]

    def error(boundary: str, q: float) -> Callable[[Sequence[Measured]], float | None]:
        def figure(drawn: Sequence[Measured]) -> float | None:
            values = [getattr(m.readings[path], f"{boundary}_error_s") for m in drawn if m.onset_exact and m.end_exact]
            known = [abs(value) for value in values if value is not None]
            return float(np.quantile(known, q)) if known else None

        return figure

    wanted: dict[str, Callable[[Sequence[Measured]], float | None]] = {
        "clear_verdicts": lambda drawn: float(np.mean([m.readings[path].verdict == m.verdict for m in drawn]))
    }
    for boundary in ("onset", "end", "duration"):
        wanted |= {f"{boundary}_median_s": error(boundary, 0.5), f"{boundary}_p95_s": error(boundary, 0.95)}
    return {name: animal_interval(clear, lambda m: m.animal, figure) for name, figure in wanted.items()}


def end_grades(trials: Sequence[Measured], path: str) -> Figures:
    counted: dict[str, Counter[str]] = {}
    for m in trials:
        grade = m.readings[path].end_grade
        if m.verdict == "afterdischarge" and m.end_grade and grade and m.group == "scenario":
            counted.setdefault(m.end_grade, Counter())[grade] += 1
    return {truth: dict(found) for truth, found in counted.items()}


def shams(trials: Sequence[Measured], path: str) -> Figures:
    """False discharges, and the confidence they were given."""
    result = {}
    for name, numbers in (("clean", SHAMS_CLEAN), ("spiking", SHAMS_SPIKING)):
        of = [m.readings[path] for m in trials if m.group == "sham" and m.number in numbers]
        false = [r.confidence or 0.0 for r in of if r.verdict == "afterdischarge"]
        undetermined = sum(r.verdict == "undetermined" for r in of)
        result[name] = share(len(false), len(of)) | {"confidence": false, "undetermined": undetermined}
    return result


def clear_verdicts(trials: Sequence[Measured], path: str) -> Figures:
    of = [m for m in trials if m.clear and m.group != "sham"]
    return share(sum(m.readings[path].verdict == m.verdict for m in of), len(of))


def secondary(trials: Sequence[Measured], path: str) -> Figures:
    """Trials with a second discharge in which it was reported apart, and trials without in which one was."""
    found = [m for m in trials if m.readings[path].verdict == "afterdischarge" == m.verdict and m.group == "scenario"]
    two = [m for m in found if m.n_events == 2]
    one = [m for m in found if m.n_events == 1]
    return {
        "apart": share(sum(m.readings[path].n_events == 2 for m in two), len(two)),
        "split": share(sum(m.readings[path].n_events > 1 for m in one), len(one)),
    }


def blind(trials: Sequence[Measured], path: str) -> Figures:
    """Trials in which blindness could hide everything: undetermined is right, none is the worst."""
    of = [m.readings[path].verdict for m in trials if m.verdict == "undetermined"]
    hidden = [m.readings[path] for m in trials if m.onset_hidden and m.readings[path].verdict == "afterdischarge"]
    censored = share(sum(r.onset_censored for r in hidden), len(hidden))
    return share(of.count("undetermined"), len(of)) | {"none": of.count("none"), "onset_censored": censored}


def train_is_right(m: Measured) -> bool:
    """One train, both ends within 2 ms, or none where none was delivered."""
    if m.verdict == "void":
        return m.train_error_s is None
    return m.train_error_s is not None and m.train_error_s <= TRAIN_S


def trains(trials: Sequence[Measured]) -> Figures:
    delivered = [m for m in trials if m.verdict != "void" and m.group == "scenario"]
    others = [m for m in trials if m.verdict != "void" and m.group == "rate"]
    void = [m for m in trials if m.verdict == "void"]
    return {
        "within_2_ms": share(sum(train_is_right(m) for m in delivered), len(delivered)),
        "alarms_without_delivery": share(sum(not train_is_right(m) for m in void), len(void)),
        "by_rate": {
            f"{rate_hz:g}": share(
                sum(train_is_right(m) for m in others if m.rate_hz == rate_hz),
                sum(m.rate_hz == rate_hz for m in others),
            )
            for rate_hz in sorted({m.rate_hz for m in others})
        },
    }


def peers(trials: Sequence[Measured]) -> Figures:
    """Every method on the trials that the peers saw."""
    read = {rater.name for rater in RATERS}
    seen = [m for m in trials if set(m.readings) - read - set(OURS)]
    names = [name for name in dict.fromkeys(name for m in seen for name in m.readings) if name not in read]
    return {
        name: boundaries([m for m in seen if m.clear], name)
        | {
            "false_alarms": share(
                sum(m.readings[name].verdict == "afterdischarge" for m in seen if m.verdict == "none"),
                sum(m.verdict == "none" for m in seen),
            )
        }
        for name in names
    }
