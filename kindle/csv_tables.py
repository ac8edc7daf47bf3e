"""Tables as people save them: comma, semicolon or tab, decimal point or comma, units in headers, blank lines."""

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from kindle.errors import ConfigError

DELIMITERS = (";", "\t", ",")
"""In the order of preference: a comma may stand for the decimal point."""

MOST_LETTERS = 5000
"""Of the line that names the columns: more is no table, and would take long to understand."""

_UNIT_BEHIND = re.compile(r"^(?P<name>.*?)[\s_]*[(\[](?P<unit>[^)\]]*)[)\]]\s*$")
_UNIT_JOINED = re.compile(r"^(?P<name>.+?)[_\s](?P<unit>[mµu]?(?:g|mol)(?:_per_|/|_)kg)$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


@dataclass(frozen=True, slots=True)
class Header:
    text: str
    name: str
    """Lower case, words joined by ``_``, without the unit."""
    unit: str | None


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    """As the editor counts lines of the file."""
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvTable:
    path: Path
    delimiter: str
    headers: tuple[Header, ...]
    rows: tuple[Row, ...]

    def find(self, names: Collection[str]) -> int | None:
        """The column with one of these names. Raises ``ConfigError`` where two columns have one."""
        found = [i for i, header in enumerate(self.headers) if header.name in names]
        if len(found) > 1:
            both = " and ".join(repr(self.headers[i].text) for i in found)
            raise ConfigError(f"{self.path}: columns {both} mean the same; leave one of them out")
        return found[0] if found else None

    def need(self, names: Collection[str], what: str) -> int:
        found = self.find(names)
        if found is None:
            there = ", ".join(repr(header.text) for header in self.headers)
            raise ConfigError(
                f"{self.path}: no column for {what}; the header has {there}; call it {', '.join(sorted(names))}"
            )
        return found

    def text(self, row: Row, column: int) -> str:
        """Raises ``ConfigError`` for an empty cell."""
        value = row.cells[column]
        if not value:
            raise self.fault(row, column, "the cell is empty; fill it in or leave the row out")
        return value

    def number(self, row: Row, column: int) -> float:
        """Raises ``ConfigError`` for what is no finite number, or could be two."""
        written = self.text(row, column)
        if _NUMBER.fullmatch(written) is None and _THOUSANDS.fullmatch(written) is None:
            raise self.fault(row, column, f"{written!r} is no number")
        if self.delimiter == "," and _THOUSANDS.fullmatch(written):
            raise self.fault(row, column, f"{written!r} can be read in two ways; write it without a comma")
        if written.count(",") > 1:
            raise self.fault(row, column, f"{written!r} is no number; write it without separators of thousands")
        value = float(written.replace(",", "."))
        if not isfinite(value):
            raise self.fault(row, column, f"{written!r} is too large for a number")
        return value

    def whole(self, row: Row, column: int) -> int:
        """A count. Raises ``ConfigError`` for fractions and negative numbers."""
        value = self.number(row, column)
        if value < 0 or value != int(value):
            raise self.fault(row, column, f"{row.cells[column]!r} is no count; it must be 0, 1, 2, ...")
        return int(value)

    def fault(self, row: Row, column: int, message: str) -> ConfigError:
        return ConfigError(f"{self.path}, line {row.line}, column {self.headers[column].text!r}: {message}")


def read_table(path: Path) -> CsvTable:
    """Raises ``ConfigError`` naming the line, and ``OSError`` where the file cannot be read."""
    lines = [(number, line) for number, line in enumerate(_decoded(path).splitlines(), 1) if _says_something(line)]
    named = re.fullmatch(r'"?sep=(.)"?', lines[0][1].strip(), re.IGNORECASE) if lines else None
    lines = lines[1:] if named else lines
    if not lines:
        raise ConfigError(f"{path} is empty; its first line must name the columns, for instance: dose,n,responded")
    first = lines[0][1]
    if len(first) > MOST_LETTERS:
        raise ConfigError(f"{path}: the first line has {len(first)} letters; it must name the columns of a table")
    delimiter = named.group(1) if named else next((mark for mark in DELIMITERS if mark in first), ",")
    try:
        headers = tuple(_header(cell) for cell in _cells(first, delimiter))
        rows = tuple(_row(path, number, line, delimiter, headers) for number, line in lines[1:])
    except csv.Error as error:
        raise ConfigError(f"{path} is no table ({error}): save it again as CSV") from None
    if not rows:
        raise ConfigError(f"{path} has a header and no rows")
    return CsvTable(path, delimiter, headers, rows)


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _says_something(line: str) -> bool:
    bare = line.strip().strip(';,\t "')
    return bool(bare) and not bare.startswith("#")


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]


def _row(path: Path, number: int, line: str, delimiter: str, headers: tuple[Header, ...]) -> Row:
    cells = _cells(line, delimiter)
    beyond = cells[len(headers) :]
    if any(beyond):
        hint = "; with decimal commas put ';' between cells" if delimiter == "," else ""
        raise ConfigError(f"{path}, line {number}: {len(cells)} cells under {len(headers)} headers{hint}")
    cells += [""] * (len(headers) - len(cells))
    return Row(number, tuple(cells[: len(headers)]))


def _header(text: str) -> Header:
    match = _UNIT_BEHIND.match(text) or _UNIT_JOINED.match(text)
    name, unit = (match["name"], match["unit"].strip() or None) if match else (text, None)
    if unit is not None:
        unit = unit.replace("_per_", "/").replace("_", "/")
    return Header(text, "_".join(re.split(r"[\s_\-./]+", name.strip().casefold())), unit)
