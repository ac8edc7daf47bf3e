"""The figures of a run as tables to read."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.scoring import Figures

BOUNDARIES = ("onset", "end", "duration")


def show(figures: Figures, console: Console) -> None:
    _targets(figures, console)
    for path, p in figures["paths"].items():
        _confusion(path, p, console)
        _errors(f"{path}: |error| in s, median / 95 %", p["errors_s"], console)
        _by_scenario_and_band(path, p["errors_s"], console)
        _raters(path, p["raters"], console)
        _reliability(path, p, console)
    trains, alarms = figures["trains"]["within_2_ms"], figures["trains"]["alarms_without_delivery"]
    console.print(f"Trains found by their artefact within 2 ms: {_share(trains)}; alarms without one: {_share(alarms)}")
    if by_rate := figures["trains"]["by_rate"]:
        console.print("  by rate: " + ", ".join(f"{rate} Hz {row['k']}/{row['n']}" for rate, row in by_rate.items()))
    _peers(figures["peers"], console)
    for path, p in figures["paths"].items():
        _worst(path, p["worst"], console)


def _targets(figures: Figures, console: Console) -> None:
    table = Table("goal", "path", "measured", "limit", "", title=f"Goals ({figures['trials']} trials)")
    for row in figures["targets"]:
        met = {True: "met", False: "NOT MET", None: "not measured"}[row["met"]]
        table.add_row(row["name"], row["path"], _number(row["value"]), f"{row['limit']:g} {row['unit']}", met)
    console.print(table)


def _confusion(path: str, p: Figures, console: Console) -> None:
    table = Table("truth", "afterdischarge", "none", "undetermined", title=f"{path}: verdicts, borderline left out")
    for truth, found in p["confusion"].items():
        table.add_row(truth, *(str(n) for n in found.values()))
    console.print(table)
    for name in ("clean", "spiking"):
        sham = p["shams"][name]
        confident = ", ".join(f"{c:.2f}" for c in sham["confidence"])
        console.print(f"False ADs in {name} shams: {_share(sham)}; confidence {confident or '-'}")
    console.print(f"Clear verdicts: {_share(p['clear_verdicts'])}; blind called undetermined: {_share(p['blind'])}")
    a = p["agreement"]
    if "bias_s" in a:
        console.print(
            f"Durations, n {a['n']}: bias {a['bias_s']:.3f} s, limits {a['lower_limit_s']:.3f} to "
            f"{a['upper_limit_s']:.3f} s, ICC(A,1) {a['icc_a1']:.4f} ({a['icc_low']:.4f} to {a['icc_high']:.4f})"
        )
    known = {name: limits for name, limits in p["intervals"].items() if limits is not None}
    told = ", ".join(f"{name} {_number(low)} to {_number(high)}" for name, (low, high) in known.items())
    console.print(f"95 % intervals over animals: {told or '-'}")
    console.print(f"End grades, truth -> reported: {p['end_grades']}")


def _errors(title: str, errors: Figures, console: Console) -> None:
    table = Table("trials", "found", *BOUNDARIES, title=title)
    table.add_row("clear, all", *_boundaries(errors["overall"]))
    for kind in ("band", "family", "scenario", "rate"):
        for name, row in errors[kind].items():
            table.add_row(f"{kind} {name}" + (" Hz" if kind == "rate" else ""), *_boundaries(row))
    console.print(table)


def _by_scenario_and_band(path: str, errors: Figures, console: Console) -> None:
    """The duration, of the scenarios that were drawn in more than one band of amplitudes."""
    banded = {
        number: row for number, row in errors["scenario_band"].items() if sum(r["n"] > 0 for r in row.values()) > 1
    }
    if not banded:
        return
    bands = list(next(iter(banded.values())))
    title = f"{path}: found of n, |duration error| in s, median / 95 %"
    table = Table("scenario", *(f"{band} x" for band in bands), title=title)
    for number, row in banded.items():
        table.add_row(
            number,
            *(
                f"{row[band]['found']}/{row[band]['n']}  {_number(row[band]['duration']['median'])} / "
                f"{_number(row[band]['duration']['p95'])}"
                for band in bands
            ),
        )
    console.print(table)


def _raters(path: str, pairs: Sequence[Figures], console: Console) -> None:
    table = Table("a", "b", "n", "bias b - a (s)", "limits (s)", "ICC(A,1)", title=f"{path}: durations, and raters")
    for row in pairs:
        if "bias_s" in row:
            limits = f"{row['lower_limit_s']:.2f} to {row['upper_limit_s']:.2f}"
            icc = f"{row['icc_a1']:.4f} ({row['icc_low']:.4f} to {row['icc_high']:.4f})"
            table.add_row(row["a"], row["b"], str(row["n"]), f"{row['bias_s']:.3f}", limits, icc)
    console.print(table)


def _boundaries(row: Figures) -> list[str]:
    cells = [f"{_number(row[b]['median'])} / {_number(row[b]['p95'])}" for b in BOUNDARIES]
    return [f"{row['found']}/{row['n']}", *cells]


def _reliability(path: str, p: Figures, console: Console) -> None:
    table = Table("confidence", "n", "mean", "right", "false ADs", "duration error, median / 95 %", title=path)
    for bin_ in p["reliability"]:
        error = bin_["duration_error"]
        table.add_row(
            f"{bin_['low']:.1f}-{bin_['high']:.1f}",
            str(bin_["n"]),
            _number(bin_["mean_confidence"]),
            _number(bin_["right"]),
            str(bin_["false"]),
            f"{_number(error['median'])} / {_number(error['p95'])}",
        )
    console.print(table)


def _peers(peers: Figures, console: Console) -> None:
    table = Table(
        "method", "found", *BOUNDARIES, "false alarms", title="Peers, same trials: |error| in s, median / 95 %"
    )
    for name, row in peers.items():
        table.add_row(name, *_boundaries(row), _share(row["false_alarms"]))
    console.print(table)


def _worst(path: str, rows: Sequence[Figures], console: Console) -> None:
    table = Table("scenario", "family", "seed", "ratio", "truth", "said", "onset", "end", title=f"{path}: worst")
    for row in rows:
        errors = (_number(row["onset_error_s"]), _number(row["end_error_s"]))
        asked = (row["scenario"], row["family"], str(row["seed"]), f"{row['ratio']:.2f}")
        table.add_row(*asked, row["truth"], row["said"], *errors)
    console.print(table)


def _share(share: Figures) -> str:
    if not share["n"]:
        return "-"
    return f"{share['k']}/{share['n']} ({share['low']:.3f} to {share['high']:.3f})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if abs(value) >= 0.001 or value == 0 else f"{value:.1g}"
