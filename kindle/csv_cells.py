"""Cells of tables that spreadsheets open: what would begin a formula is marked as text."""

from typing import TypeVar

FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = TypeVar("Cell")


def as_text(cell: Cell) -> Cell | str:
    """``cell``, harmless to a spreadsheet; nothing is an empty cell."""
    if cell is None:
        return ""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
