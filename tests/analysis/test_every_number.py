"""Whatever small table somebody has, no output holds a number that is none: not on the screen, not as JSON."""

import json
import re
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

from click import Command
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from numeric import numbers_in

from kindle.analysis import latency, paired, potency_ratio, spearman_karber, up_and_down
from kindle.analysis.curves import Stimulation, kindling_curves
from kindle.analysis.outcome import Result
from kindle.analysis.quantal import fit_quantal
from kindle.analysis.thresholds import Threshold, group_threshold
from kindle.analysis.wording import words_of
from kindle.commands.ed50 import ed50
from kindle.commands.isobole import isobole
from kindle.errors import KindleError

NO_NUMBER = re.compile(r"\b(nan|inf|infinity|None)\b")
DOSES = (0.0, 5.0, 10.0, 20.0, 40.0)

groups = st.tuples(st.sampled_from(DOSES), st.integers(1, 6)).flatmap(
    lambda group: st.tuples(st.just(group[0]), st.just(group[1]), st.integers(0, group[1]))
)
one_drug = st.lists(groups, min_size=1, max_size=6)
values = st.sampled_from([0.0, 1.0, 2.5, 7.0, 40.0, 1800.0])


def told(command: Command, text: str, *options: str) -> list[str]:
    """Standard output and the reason of a refusal, as text and as JSON."""
    said = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_text(text, encoding="utf-8")
        for form in ([], ["--json"]):
            done = CliRunner().invoke(command, [str(path), *options, *form])
            assert done.exception is None or isinstance(done.exception, KindleError), done.exception
            if form and done.output:
                assert all(isfinite(number) for number in numbers_in(json.loads(done.output, parse_constant=refused)))
            else:
                said.append(done.output)
            said.append(str(done.exception or ""))
    return said


def refused(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


def shows_numbers_only(said: list[str]) -> None:
    for words in said:
        assert not NO_NUMBER.search(words), words


@settings(max_examples=40, deadline=None)
@given(
    rows=one_drug,
    other=one_drug,
    natural=st.sampled_from(["none", "none", "abbott", "estimate", "0.2"]),
    ci=st.sampled_from(["auto", "fieller", "profile", "delta", "lw"]),
    trim=st.sampled_from(["none", "auto", "0.2"]),
)
def test_any_table_of_groups(
    rows: list[tuple[float, int, int]], other: list[tuple[float, int, int]], natural: str, ci: str, trim: str
) -> None:
    lines = [f"{drug},{dose},{n},{r}" for drug, of in (("A", rows), ("B", other)) for dose, n, r in of]
    text = "drug,dose (mg/kg),n,protected\n" + "\n".join(lines)
    shows_numbers_only(told(ed50, text, "--natural", natural, "--ci", ci, "--spearman-karber", trim))


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(1, 4), st.sampled_from(DOSES), st.integers(0, 1)), min_size=2, max_size=14))
def test_any_table_of_animals(rows: list[tuple[int, float, int]]) -> None:
    text = "rat,dose (mg/kg),protected\n" + "\n".join(f"R{rat},{dose},{r}" for rat, dose, r in rows)
    shows_numbers_only(told(ed50, text, "--resamples", "100"))


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.integers(0, 8), min_size=12, max_size=12),
    fixed=st.booleans(),
    inactive=st.booleans(),
    se=st.sampled_from(["log-delta", "tallarida", "lublin"]),
)
def test_any_table_of_two_drugs(counts: list[int], fixed: bool, inactive: bool, se: str) -> None:
    arms = [(dose, 0.0) for dose in DOSES[1:]] + [(0.0, dose) for dose in DOSES[1:]]
    arms += [(dose, 10.0 if fixed else 2 * dose) for dose in DOSES[1:]]
    rows = [
        f"{a},{b},8,{0 if inactive and not a else r}"
        for (a, b), r in zip(arms, sorted(counts[:4]) + counts[4:], strict=True)
    ]
    shows_numbers_only(told(isobole, "A (mg/kg),B (mg/kg),n,protected\n" + "\n".join(rows), "--se", se))


@settings(max_examples=10, deadline=None)
@given(tests=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(0, 1)), min_size=9, max_size=30))
def test_any_table_of_rats_that_had_both_drugs(tests: list[tuple[int, int, int]]) -> None:
    kinds = ((10.0, 0.0), (0.0, 20.0), (5.0, 10.0))
    rows = [f"R{n % 5},{kinds[k][0] * step},{kinds[k][1] * step},{r}" for n, (k, step, r) in enumerate(tests)]
    shows_numbers_only(told(isobole, "rat,A (mg/kg),B (mg/kg),protected\n" + "\n".join(rows), "--resamples", "100"))


@settings(max_examples=30, deadline=None)
@given(
    a=st.lists(st.tuples(values, st.booleans()), min_size=1, max_size=6),
    b=st.lists(st.tuples(values, st.booleans()), min_size=1, max_size=6),
    cut_off=st.sampled_from([None, 7.0]),
)
def test_any_latencies(a: list[tuple[float, bool]], b: list[tuple[float, bool]], cut_off: float | None) -> None:
    found = latency(
        {name: ([t for t, _ in of], [int(e) for _, e in of]) for name, of in (("a", a), ("b", b))}, cut_off=cut_off
    )
    assert all(isfinite(number) for number in numbers_in(found.as_dict()))
    assert not NO_NUMBER.search(words_of(found))


@settings(max_examples=30, deadline=None)
@given(pairs=st.lists(st.tuples(values, values), min_size=0, max_size=6))
def test_any_pairs_and_curves(pairs: list[tuple[float, float]]) -> None:
    control, drug = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    results: list[Result] = [paired(control, drug, kind) for kind in ("duration", "ordinal", "threshold")]
    results.append(paired([float(c > 2) for c in control], [float(d > 2) for d in drug], "incidence"))
    curves = kindling_curves(
        [Stimulation(f"R{n}", "g", k, value) for n, pair in enumerate(pairs) for k, value in enumerate(pair, 1)],
        measure="s",
    )
    for found in (*results, curves):
        assert all(isfinite(number) for number in numbers_in(found.as_dict()))


@settings(max_examples=25, deadline=None)
@given(rungs=st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=0, max_size=8))
def test_any_thresholds_of_a_group(rungs: list[tuple[int, bool]]) -> None:
    currents = [0.0, 8.0, 9.6, 11.5, 13.8, 300.0, 5000.0, 6000.0]
    found = group_threshold([Threshold(currents[k], None if open_ else currents[k + 1]) for k, open_ in rungs])
    assert all(isfinite(number) for number in numbers_in(found.as_dict()))
    if found.mean_ua is not None:
        assert (found.interval.low or 0.0) <= found.mean_ua <= (found.interval.high or float("inf"))


@settings(max_examples=25, deadline=None)
@given(rows=one_drug, other=one_drug, moves=st.lists(st.integers(0, 1), min_size=1, max_size=9))
def test_any_other_quantal_method(
    rows: list[tuple[float, int, int]], other: list[tuple[float, int, int]], moves: list[int]
) -> None:
    test, reference = (
        fit_quantal([d for d, _, _ in of], [n for _, n, _ in of], [r for _, _, r in of]) for of in (rows, other)
    )
    doses = [100.0 * 1.3 ** (k - 2 * sum(moves[:k])) for k in range(len(moves))]
    results: list[Result] = [potency_ratio(test, reference), up_and_down(doses, moves)]
    results.append(
        spearman_karber([d for d, _, _ in rows], [n for _, n, _ in rows], [r for _, _, r in rows], trim="auto")
    )
    for found in results:
        assert all(isfinite(number) for number in numbers_in(found.as_dict()))
