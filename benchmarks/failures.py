"""The trials that went wrong, one line each, with the seed that draws them again."""

from collections.abc import Iterator, Sequence

from benchmarks.scoring import OURS, Figures, train_is_right
from benchmarks.trials import Measured, Reading, Span

ONSET_S, END_S = 0.25, 0.25
"""A boundary farther off than this is listed."""


def failures(trials: Sequence[Measured]) -> list[Figures]:
    """In the order of the trials; ``benchmarks.report.KEYS`` says what each holds."""
    return [row for m in trials for row in _of_one(m)]


def as_lines(rows: Sequence[Figures]) -> str:
    return "\n".join(
        f"{row['path']:9} {row['what']:10} scenario {row['scenario']:8} seed {row['seed']:<6} {row['family']:14} "
        f"ratio {row['ratio']:<5.3g} {row['rate_hz']:g} Hz  truth {_told(row['truth'])}  found {_told(row['found'])}"
        + (f"  ({row['reason']})" if row["reason"] else "")
        for row in rows
    )


def _of_one(m: Measured) -> Iterator[Figures]:
    if m.verdict != "void":
        for path in OURS:
            if what := _wrong(m, m.readings[path]):
                yield _row(m, path, what, m.readings[path])
    if not train_is_right(m):
        error = "none, or several" if m.train_error_s is None else f"{1e3 * m.train_error_s:.1f} ms off"
        yield _row(
            m, "artefact", "train", Reading("train" if m.train_error_s is not None else "no train", reason=error)
        )


def _wrong(m: Measured, reading: Reading) -> str | None:
    if reading.verdict != m.verdict:
        return None if m.borderline else "verdict"
    if reading.onset_error_s is not None and abs(reading.onset_error_s) > ONSET_S:
        return "onset"
    if reading.end_error_s is not None and abs(reading.end_error_s) > END_S:
        return "end"
    if reading.n_events != m.n_events and m.verdict == "afterdischarge":
        return "secondary"
    return None


def _row(m: Measured, path: str, what: str, reading: Reading) -> Figures:
    return {
        "path": path,
        "what": what,
        "scenario": m.number,
        "group": m.group,
        "seed": m.seed,
        "family": m.family,
        "ratio": m.ratio,
        "rate_hz": m.rate_hz,
        "truth": _side(m.verdict, m.span_s, m.n_events),
        "found": _side(reading.verdict, reading.span_s, reading.n_events),
        "confidence": reading.confidence,
        "reason": reading.reason,
    }


def _side(verdict: str, span_s: Span | None, n_events: int) -> Figures:
    onset_s, end_s = span_s or (None, None)
    return {"verdict": verdict, "onset_s": onset_s, "end_s": end_s, "events": n_events}


def _told(side: Figures) -> str:
    if side["onset_s"] is None:
        return str(side["verdict"])
    more = f" +{side['events'] - 1}" if side["events"] > 1 else ""
    return f"{side['onset_s']:.3f} to {side['end_s']:.3f} s{more}"
