"""`kindle compare`: what another criterion, or another version of the detector, changes."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kindle.batch_comparing import Comparison
    from kindle.batch_table import Analysis, BatchTable

LISTED = 40
"""Lines of a kind on the screen; --json has them all."""


@click.command(short_help="Show what differs between two reanalyses.")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, and nothing else.")
@click.option("--figure", type=click.Path(path_type=Path, dir_okay=False), help="Draw the Bland-Altman plot there.")
def compare(a: str, b: str, as_json: bool, figure: Path | None) -> None:
    """Show what differs between two analyses of the same recordings: verdicts, durations, events only in one.

    A and B are tables of results, or TABLE@ANALYSIS where a table holds more than one; kindle reanalyse tells the
    name, and its first letters are enough. Differences are B - A.
    """
    import msgspec

    from kindle.batch_comparing import compare as compare_results
    from kindle.batch_figure import draw_differences
    from kindle.batch_table import open_table

    path_a, wanted_a = _named(a)
    path_b, wanted_b = _named(b)
    with open_table(path_a) as table_a, open_table(path_b) as table_b:
        of_a, of_b = _analysis(table_a, wanted_a), _analysis(table_b, wanted_b)
        found = compare_results(table_a.results(of_a.id), table_b.results(of_b.id))
    agreement = found.durations
    if figure is not None:
        draw_differences(found, (of_a.id, of_b.id), figure)
    if as_json:
        told = {
            "a": asdict(of_a),
            "b": asdict(of_b),
            "n_recordings": found.n_recordings,
            "n_trials": found.n_trials,
            "n_same_verdict": found.n_same_verdict,
            "verdict_changes": [asdict(change) for change in found.changes],
            "durations": agreement and asdict(agreement),
            "pairs": [asdict(pair) for pair in found.pairs],
            "only": [asdict(only) for only in found.only],
        }
        click.echo(msgspec.json.encode(told))
        return
    for line in (_heading("A", a, of_a), _heading("B", b, of_b), *_lines(found)):
        click.echo(line)
    if figure is not None:
        click.echo(f"figure: {figure}")


def _named(word: str) -> tuple[Path, str]:
    path, at, analysis = word.rpartition("@")
    return (Path(path), analysis) if at and not Path(word).exists() else (Path(word), "")


def _analysis(table: "BatchTable", wanted: str) -> "Analysis":
    from kindle.errors import ConfigError

    there = table.analyses()
    matching = [analysis for analysis in there if analysis.id.startswith(wanted)]
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(f"{table.path}@{analysis.id} ({analysis.n_done} recordings)" for analysis in there)
    if not there:
        raise ConfigError(f"{table.path} holds no analysis yet")
    which = f"none of them begins with {wanted!r}" if not matching else "say which"
    raise ConfigError(f"{table.path} holds {len(there)} analyses, {which}: {names}")


def _heading(letter: str, word: str, analysis: "Analysis") -> str:
    by = f"kindle {analysis.kindle}, detector {analysis.detector}"
    failed = f", {analysis.n_failed} failed" if analysis.n_failed else ""
    return f"{letter}: {word}, {by}: {analysis.n_done} recordings{failed}"


def _lines(found: "Comparison") -> list[str]:
    agreement = found.durations
    lines = [
        f"{found.n_recordings} recordings in both, {found.n_trials} trials: {found.n_same_verdict} with the same "
        f"verdict, {len(found.changes)} changed"
    ]
    lines += _some(
        [
            f"  {change.place.recording} {change.place.channel} train at {change.place.onset_s:.1f} s: "
            f"{change.verdict_a} -> {change.verdict_b} ({change.reason_b or 'no reason given'})"
            for change in found.changes
        ]
    )
    if agreement is None:
        lines.append(f"durations: {len(found.pairs)} pairs, too few for limits of agreement")
    else:
        bias, lower, upper = agreement.bias_interval, agreement.lower_interval, agreement.upper_interval
        lines += [
            f"total durations, B - A, n = {agreement.n} (95 % intervals in brackets):",
            f"  bias {agreement.bias:+.3f} s [{bias.low:+.3f}, {bias.high:+.3f}]",
            f"  limits of agreement {agreement.lower_limit:+.3f} s [{lower.low:+.3f}, {lower.high:+.3f}] to "
            f"{agreement.upper_limit:+.3f} s [{upper.low:+.3f}, {upper.high:+.3f}]",
        ]
    lines += _some([f"  only in {only.which}: {only.what} {only.recording} {only.detail}" for only in found.only])
    return lines


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - LISTED
    return lines if more <= 0 else [*lines[:LISTED], f"  ... and {more} more; --json has them all"]
