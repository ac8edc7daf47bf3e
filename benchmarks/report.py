"""All figures of a run, with the goals beside them; every key is stable and described in ``KEYS``."""

from collections.abc import Sequence

from benchmarks import scoring
from benchmarks.scoring import OURS, Figures
from benchmarks.trials import Measured

KEYS = {
    "trials": "number of trials measured",
    "targets": "list of {name, path, value, limit, unit, met}: every goal beside what was measured; met is null "
    "where nothing could be measured",
    "paths": "per path (causal, refined): confusion, clear_verdicts, shams, errors_s, agreement, end_grades, "
    "raters, intervals, reliability, secondary, worst",
    "paths.*.confusion": "truth -> measured -> count, borderline trials left out",
    "paths.*.errors_s": "overall and by scenario, family, band, scenario_band and rate (overall, family, band and "
    "rate: discharges of the clear trials and of the bands whose boundary is one sample; the others: all of them)",
    "paths.*.errors_s.*.*": "per boundary (onset, end, duration): n, median and p95 of |error| in s; found of n trials",
    "paths.*.raters": "list of {a, b, n, bias_s, lower_limit_s, upper_limit_s, icc_a1, ...} of durations: the detector "
    "and three simulated raters, each against each other, on the same clear trials whose both ends are one sample",
    "paths.*.intervals": "95 % intervals of the main figures, animals drawn again (each trial has an animal of its own "
    "unless seed, scenario and rate are the same)",
    "paths.*.reliability": "per bin of confidence: n, mean_confidence, share right, false discharges, duration_error",
    "paths.*.blind": "trials that blindness could hide, called undetermined; none: those called none; onset_censored: "
    "discharges that began in blind time and were marked so",
    "trains": "trains found by their artefact: within_2_ms of n, also by_rate, and alarms where none was delivered",
    "failures": "with --failures and --json, a list instead of all this: {path, what (verdict, onset, end, secondary, "
    "train), scenario, group, seed, family, ratio, rate_hz, truth and found as {verdict, onset_s, end_s, events} with "
    "times in s since the train's end, confidence, reason}",
    "peers": "per method, on the same trials: found of n, false_alarms of n, errors as in errors_s",
}


def figures(trials: Sequence[Measured]) -> Figures:
    """Everything that is reported, by ``KEYS``."""
    paths = {
        path: {
            "confusion": scoring.confusion(trials, path),
            "clear_verdicts": scoring.clear_verdicts(trials, path),
            "blind": scoring.blind(trials, path),
            "shams": scoring.shams(trials, path),
            "errors_s": scoring.errors_by(trials, path),
            "agreement": scoring.agreement(trials, path),
            "raters": scoring.raters(trials, path),
            "intervals": scoring.intervals(trials, path),
            "end_grades": scoring.end_grades(trials, path),
            "reliability": scoring.reliability(trials, path),
            "secondary": scoring.secondary(trials, path),
            "worst": worst(trials, path),
        }
        for path in OURS
    }
    found_trains = scoring.trains(trials)
    return {
        "trials": len(trials),
        "targets": targets(paths, found_trains),
        "paths": paths,
        "trains": found_trains,
        "peers": scoring.peers(trials),
    }


def targets(paths: Figures, found_trains: Figures) -> list[Figures]:
    rows: list[Figures] = []

    def goal(name: str, path: str, value: float | None, limit: float, unit: str, *, at_least: bool = False) -> None:
        met = None if value is None else value >= limit if at_least else value <= limit
        rows.append({"name": name, "path": path, "value": value, "limit": limit, "unit": unit, "met": met})

    for path, p in paths.items():
        errors, bands = p["errors_s"]["overall"], p["errors_s"]["band"]
        goal("verdict right in clear trials", path, p["clear_verdicts"]["share"], 0.99, "", at_least=True)
        goal("blind trials called none", path, p["blind"]["none"] if p["blind"]["n"] else None, 0, "trials")
        goal("false ADs in clean shams", path, p["shams"]["clean"]["k"] if p["shams"]["clean"]["n"] else None, 0, "")
        goal("false ADs in spiking shams", path, p["shams"]["spiking"]["share"], 0.01, "")
        goal("onset error, median", path, errors["onset"]["median"], 0.02, "s")
        goal("onset error, 95 %", path, errors["onset"]["p95"], 0.25, "s")
        goal("end error at >= 3x, median", path, bands[">=3"]["end"]["median"], 0.02, "s")
        goal("end error at >= 3x, 95 %", path, bands[">=3"]["end"]["p95"], 0.25, "s")
        goal("duration error at >= 3x, 95 %", path, bands[">=3"]["duration"]["p95"], 0.5, "s")
        goal("duration error at 2-3x, median", path, bands["2-3"]["duration"]["median"], 0.2, "s")
        goal("duration error at 2-3x, 95 %", path, bands["2-3"]["duration"]["p95"], 2.0, "s")
        goal("secondary discharges kept apart", path, p["secondary"]["apart"]["share"], 0.99, "", at_least=True)
        goal("discharges split by pauses", path, p["secondary"]["split"]["share"], 0.01, "")
    goal("trains found within 2 ms", "artefact", found_trains["within_2_ms"]["share"], 0.99, "", at_least=True)
    return rows


def worst(trials: Sequence[Measured], path: str, n: int = 10, of_one_scenario: int = 2) -> list[Figures]:
    """Clear trials by how wrong they are, few of each scenario; a wrong verdict counts as the longest error."""

    def wrong_by(m: Measured) -> float:
        r = m.readings[path]
        return 1e6 if r.verdict != m.verdict else max(abs(r.onset_error_s or 0), abs(r.end_error_s or 0))

    chosen: list[Measured] = []
    for m in sorted((m for m in trials if m.clear and wrong_by(m) > 0), key=wrong_by, reverse=True):
        if sum(before.number == m.number for before in chosen) < of_one_scenario:
            chosen.append(m)
    return [
        {
            "scenario": m.number,
            "family": m.family,
            "seed": m.seed,
            "ratio": m.ratio,
            "truth": m.verdict,
            "said": m.readings[path].verdict,
            "onset_error_s": m.readings[path].onset_error_s,
            "end_error_s": m.readings[path].end_error_s,
            "reason": m.readings[path].reason,
        }
        for m in chosen[:n]
    ]
