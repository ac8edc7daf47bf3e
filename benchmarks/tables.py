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
        _reliability(path, p, console)
    trains, alarms = figures["trains"]["within_2_ms"], figures["trains"]["alarms_without_delivery"]
    console.print(f"Trains found by their artefact within 2 ms: {_share(trains)}; alarms without one: {_share(alarms)}")
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
    console.print(f"End grades, truth -> reported: {p['end_grades']}")


def _errors(title: str, errors: Figures, console: Console) -> None:
    table = Table("trials", "found", *BOUNDARIES, title=title)
    table.add_row("clear, all", *_boundaries(errors["overall"]))
    for kind in ("band", "family", "scenario"):
        for name, row in errors[kind].items():
            table.add_row(f"{kind} {name}", *_boundaries(row))
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
