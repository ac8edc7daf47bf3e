"""Tables as GraphPad Prism imports them: titles in row 1, replicates of a group side by side under its repeated title.

Blank cells are missing values. Journal rows stand in the tidy tables, because Prism would take them for data.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from kindle.report.tables import Cell, Table

At = TypeVar("At", bound=float | str)
Replicates = Mapping[str, Mapping[At, Sequence[float | None]]]
"""Of each group, at each X value or row title, the value of each animal: an animal keeps its place in every row."""


def prism_columns(name: str, columns: Mapping[str, Sequence[float | None]], titles: Sequence[str] = ()) -> Table:
    """One column for each group, or for before and after; ``titles`` name the rows."""
    longest = max((len(values) for values in columns.values()), default=0)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        zip(*(_padded(values, longest) for values in columns.values()), strict=True)
    )
    if not titles:
        return Table(name, tuple(columns), rows, "Column")
    named = tuple((title, *row) for title, row in zip(titles, rows, strict=True))
    return Table(name, ("", *columns), named, "Column, with row titles")


def prism_xy(name: str, x: str, groups: Replicates[float]) -> Table:
    """Y replicates of each group against a number; every group has as many subcolumns as the largest."""
    return _side_by_side(name, x, groups, "XY")


def prism_grouped(name: str, groups: Replicates[str]) -> Table:
    """Two ways of grouping: rows by their titles, columns by group."""
    return _side_by_side(name, "", groups, "Grouped")


def prism_survival(name: str, x: str, groups: Mapping[str, Sequence[tuple[float, bool]]]) -> Table:
    """A row for each animal with its time, and 1 in the column of its group for the event, 0 where it was censored."""
    rows: list[tuple[Cell, ...]] = []
    for place, animals in enumerate(groups.values()):
        for time, happened in animals:
            codes: list[Cell] = [None] * len(groups)
            codes[place] = int(happened)
            rows.append((time, *codes))
    return Table(name, (x, *groups), tuple(rows), "Survival")


def _side_by_side(name: str, first: str, groups: Replicates[At], kind: str) -> Table:
    width = max((len(values) for of in groups.values() for values in of.values()), default=0)
    headers = (first, *(group for group in groups for _ in range(width)))
    keys: dict[At, None] = dict.fromkeys(key for of in groups.values() for key in of)
    rows: list[tuple[Cell, ...]] = []
    for key in keys:
        cells: list[Cell] = [key]
        for of in groups.values():
            cells += _padded(of.get(key, ()), width)
        rows.append(tuple(cells))
    return Table(name, headers, tuple(rows), f"{kind}, {width} replicates side by side")


def _padded(values: Sequence[float | None], width: int) -> tuple[float | None, ...]:
    return (*values, *[None] * (width - len(values)))
