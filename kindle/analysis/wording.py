"""Paired comparisons, latencies and changes of thresholds in one line each, with the rules that make their numbers."""

from kindle.analysis.latencies import Group, Latencies
from kindle.analysis.outcome import Interval
from kindle.analysis.paired_results import Paired, PairedDurations, PairedIncidence, PairedStages, PairedThresholds
from kindle.analysis.proportions import Share
from kindle.analysis.report_line import three_digits
from kindle.analysis.signed_rank import SignedRank
from kindle.analysis.threshold_change import ThresholdChange
from kindle.analysis.thresholds import GroupThreshold

ZERO_RULES = {"wilcoxon": "zeros dropped (Wilcoxon)", "pratt": "zeros ranked, then dropped (Pratt)"}


def words_of(result: Paired | Latencies | ThresholdChange | GroupThreshold) -> str:
    """As it goes into a paper; every warning is in it."""
    match result:
        case _ if result.status.kind == "error":
            return result.status.message
        case PairedDurations():
            said = _of_durations(result)
        case PairedThresholds():
            said = _of_thresholds(result)
        case PairedStages(control_median=before, drug_median=after, signed_rank=SignedRank() as rank):
            said = f"median {before:g} under control, {after:g} under drug, {_of_rank(rank)}"
        case PairedIncidence(p=float(p), control=Share() as before, drug=Share() as after):
            said = f"{_of_share(before)} under control, {_of_share(after)} under drug, McNemar exact p = {p:.2g}"
        case ThresholdChange(ratio=float(ratio)):
            said = f"ratio {three_digits(ratio)} ({_limits(result.interval, result.level)}), n = {result.n}"
        case GroupThreshold(mean_ua=float(mean), log_sd=float(sd)):
            limits = _limits(result.interval, result.level)
            said = f"geometric mean {three_digits(mean)} µA ({limits}), SD of ln {three_digits(sd)}, n = {result.n}"
        case Latencies():
            said = _of_latencies(result)
        case _:
            said = ""
    warned = [f"warning: {note.message}" for note in result.notes if note.kind != "ok"]
    return "; ".join(part for part in (said, *warned) if part)


def _of_durations(result: PairedDurations) -> str:
    assert result.shift is not None
    assert result.signed_rank is not None
    limits = "" if result.shift.interval is None else f" ({_limits(result.shift.interval, result.level)})"
    shift = f"control - drug {three_digits(result.shift.value)}{limits}, Hodges-Lehmann"
    return f"{shift}, {_of_rank(result.signed_rank)}"


def _of_thresholds(result: PairedThresholds) -> str:
    if result.ratio is None:
        changed = f"raised in {result.n_raised}, lowered in {result.n_lowered}, undecided in {result.n_undecided}"
        return f"{changed} of {result.n} rats, sign test p = {result.p_sign:.2g}"
    ratio = result.ratio
    limits = f"{_limits(ratio.interval, result.level)}, t = {ratio.t:.3g}, df {ratio.df}, p = {ratio.p:.2g}"
    return f"ratio {three_digits(ratio.value)} ({limits}), n = {result.n}"


def _of_rank(rank: SignedRank) -> str:
    zeros = f", {rank.n_zero} {ZERO_RULES[rank.zeros]}" if rank.n_zero else ""
    return f"signed rank V = {rank.v:g}, exact p = {rank.p:.2g} (n = {rank.n + rank.n_zero}{zeros})"


def _of_share(counted: Share) -> str:
    """With the limits of Clopper and Pearson."""
    low, high = counted.interval.low or 0.0, counted.interval.high or 0.0
    return f"{counted} ({100 * low:.0f} to {100 * high:.0f} %)"


def _of_latencies(found: Latencies) -> str:
    said = [_of_group(group, found.level) for group in found.groups]
    if found.log_rank is not None:
        test = found.log_rank
        said.append(f"log-rank chi2 {test.chi2:.3g}, {test.df} df, p = {test.p:.2g}")
    for one in found.comparisons:
        if one.hazard_ratio is not None:
            limits = _limits(one.hazard_ratio.interval, found.level)
            said.append(f"hazard of {one.group} v {one.reference} {three_digits(one.hazard_ratio.value)} ({limits})")
    rule = "mid-point" if found.median_rule == "midpoint" else "left end"
    cut_off = "no cut-off" if found.cut_off is None else f"cut-off {found.cut_off:g}"
    return "; ".join([*said, f"{cut_off}, median by the {rule}, limits on the {found.transform} scale"])


def _of_group(group: Group, level: float) -> str:
    median = "median not reached" if group.median is None else f"median {three_digits(group.median)}"
    return f"{group.name} {group.n_events}/{group.n} events, {median} ({_limits(group.median_interval, level)})"


def _limits(interval: Interval, level: float) -> str:
    low, high = ("none" if end is None else three_digits(end) for end in (interval.low, interval.high))
    return f"{100 * level:g}% CI {low} to {high}"
