"""Sections of a study's report, and the drawer that puts their figures, tables and journal rows into page and files.

A section is made by a function ``section(facts: StudyFacts, draw: Drawer) -> Section | None``: ``None`` where the study
has nothing of that kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

from matplotlib import rc_context
from matplotlib.figure import Figure

from kindle.analysis.drawing import NO_METADATA
from kindle.report.markup import NOTHING, Html, element, joined, table
from kindle.report.svg import inlined
from kindle.report.tables import Cell, JournalRow, Table
from kindle.report.wording import MISSING, number

CSS_PX_PER_IN = 96
PRINT_DPI = 300
FOLDED_FROM = 16
"""A table of more rows is folded on the page; whoever wants all of it has the CSV."""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    body: Html

    @property
    def anchor(self) -> str:
        return self.title.casefold().replace(" ", "-")


class Drawer:
    """Each figure is laid out once and each table written once, whether it is looked at on the page or as a file."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        """What is written beside the page."""
        self.cited: set[JournalRow] = set()
        """The page lists them, so that every link to a row arrives."""

    def figure(self, name: str, figure: Figure, caption: str, *data: Table) -> Html:
        """A figure in its printed size; ``data`` are its numbers, for Prism."""
        svg, png = _drawn(figure)
        self._add(f"{name}.svg", svg)
        self._add(f"{name}.png", png)
        for written in data:
            self._add(f"{written.name}.csv", written.csv().encode())
        width = f"width: {figure.get_size_inches()[0] * CSS_PX_PER_IN:.0f}px"
        told = [f"{name}.svg", f"{name}.png", *(_file(written) for written in data)]
        files = element("span", f" Files: {', '.join(told)}.", class_="files")
        picture = inlined(svg.decode(), name, caption)
        return element("figure", picture, element("figcaption", caption, files), style=width)

    def table(self, written: Table, *, folded: bool | None = None) -> Html:
        """The table and, beside the page, its CSV; by default folded where it is long."""
        self._add(f"{written.name}.csv", written.csv().encode())
        if not written.rows:
            return element("p", "None.")
        shown = table(written.headers, [tuple(self.cell(cell) for cell in row) for row in written.rows])
        n = f"{len(written.rows)} row{'' if len(written.rows) == 1 else 's'}"
        if len(written.rows) > FOLDED_FROM if folded is None else folded:
            return element("details", element("summary", f"Table of {n}, also in {_file(written)}"), shown)
        return joined(shown, element("p", f"Also in {_file(written)}.", class_="files"))

    def file(self, written: Table) -> Html:
        """A table that is a file only; on the page stands its name."""
        self._add(f"{written.name}.csv", written.csv().encode())
        return element("p", f"In {_file(written)}.", class_="files")

    def cell(self, cell: Cell) -> str:
        if cell is None:
            return MISSING
        if isinstance(cell, JournalRow):
            return self.row(cell)
        return number(cell) if isinstance(cell, float) else str(cell)

    def row(self, row: JournalRow) -> Html:
        """A link to where the page says what stands in the row."""
        self.cited.add(row)
        return element("a", str(row), href=f"#{row.anchor}")

    def rows(self, rows: Iterable[JournalRow], what: str = "Journal rows behind this") -> Html:
        """A folded list of links; nothing where there are no rows."""
        links = [self.row(row) for row in sorted(set(rows))]
        if not links:
            return NOTHING
        return element(
            "details", element("summary", f"{what}: {len(links)}"), element("p", Html(", ".join(links))), class_="rows"
        )

    def _add(self, name: str, content: bytes) -> None:
        if name in self.files:
            raise ValueError(f"two parts of the report are called {name}")
        self.files[name] = content


def _drawn(figure: Figure) -> tuple[bytes, bytes]:
    """As SVG and as PNG, without a date: the same data give the same bytes."""
    png, svg = BytesIO(), BytesIO()
    figure.savefig(png, format="png", dpi=PRINT_DPI, metadata={"Software": None})
    figure.set_layout_engine("none")  # it lies where the first drawing put it
    with rc_context({"svg.hashsalt": "kindle"}):
        figure.savefig(svg, format="svg", metadata=NO_METADATA)
    return svg.getvalue(), png.getvalue()


def _file(written: Table) -> str:
    return f"{written.name}.csv" + (f" (Prism: {written.layout})" if written.layout else "")
