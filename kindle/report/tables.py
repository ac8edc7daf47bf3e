"""Tables of a report, the same on the page and as CSV, with the journal row behind each number."""

import csv
from dataclasses import dataclass
from io import StringIO

from kindle.csv_cells import as_text


@dataclass(frozen=True, slots=True, order=True)
class JournalRow:
    """A row of the journal of a study folder; ``folder`` is empty where the report is of one folder alone."""

    folder: str
    seq: int

    def __str__(self) -> str:
        return f"{self.folder} {self.seq}" if self.folder else str(self.seq)

    @property
    def anchor(self) -> str:
        """Where the page has it: letters and digits only, and another one for every row."""
        folder = "".join(letter if letter.isalnum() else f"_{ord(letter):x}_" for letter in self.folder)
        return f"row-{folder}-{self.seq}" if folder else f"row-{self.seq}"


Cell = str | int | float | JournalRow | None


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    """Also of its file."""
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    layout: str = ""
    """As which data table GraphPad Prism takes the file; empty for a tidy table."""

    def csv(self) -> str:
        written = StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow([as_text(header) for header in self.headers])
        writer.writerows([[as_text(cell) for cell in row] for row in self.rows])
        return written.getvalue()
