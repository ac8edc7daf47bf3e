"""Animals and responders of the rows of a table: counts of groups, or one row for each animal."""

from collections.abc import Iterator
from dataclasses import dataclass

from kindle.csv_tables import CsvTable, Row
from kindle.errors import ConfigError

N = {"n", "animals", "n_animals", "number", "tested", "n_tested", "rats", "mice", "total", "group_size"}
RESPONDED = {"responded", "responders", "protected", "r", "n_protected", "n_responded", "response", "responding"}
YES = {"1", "yes", "y", "true", "protected", "responded", "+"}
NO = {"0", "no", "n", "false", "unprotected", "not protected", "not responded", "-"}


@dataclass(frozen=True, slots=True)
class Counted:
    row: Row
    n: int
    responded: int


def counted_rows(table: CsvTable) -> Iterator[Counted]:
    """Without a column of animals each row is one. Raises ``ConfigError`` naming row and column."""
    n = table.find(N)
    responded = table.need(RESPONDED, "how many animals responded, or whether the animal did")
    unit = table.headers[responded].unit
    if unit is not None and "%" in unit:
        header = table.headers[responded].text
        raise ConfigError(f"{table.path}: column {header!r} is in per cent; give the number of animals that responded")
    for row in table.rows:
        yield Counted(row, 1, _answer(table, row, responded)) if n is None else _group(table, row, n, responded)


def _answer(table: CsvTable, row: Row, column: int) -> int:
    word = table.text(row, column).casefold()
    if word not in YES | NO:
        hint = "a number of animals needs a column n beside it" if word.isdigit() else "write 1 or 0, yes or no"
        raise table.fault(row, column, f"{word!r} does not say whether this animal responded; {hint}")
    return int(word in YES)


def _group(table: CsvTable, row: Row, n: int, responded: int) -> Counted:
    animals, responders = table.whole(row, n), table.whole(row, responded)
    if animals == 0:
        raise table.fault(row, n, "n = 0: no animal was tested; leave the row out")
    if responders > animals:
        raise table.fault(row, responded, f"r > n: {responders} responded of {animals} animals")
    return Counted(row, animals, responders)
