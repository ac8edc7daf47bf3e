"""Copies of the other rigs' journals, chained as their rigs wrote them: STUDY/other_rigs/RIG/journal.sqlite."""

from pathlib import Path

from kindle.errors import JournalMismatch
from kindle.journal import Journal

OTHER_RIGS = "other_rigs"


def path_of_copy(study: Path, rig: str) -> Path:
    return study / OTHER_RIGS / rig / "journal.sqlite"


def open_copy(study: Path, rig: str) -> Journal:
    """Made where there is none yet. Raises ``JournalMismatch`` for one that is damaged."""
    path = path_of_copy(study, rig)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return Journal.open(path, create=True)
    except JournalMismatch as error:
        raise JournalMismatch(f"{error}. This is a copy: delete {path} and run kindle mirror sync") from error


def open_copies(study: Path) -> dict[str, Journal]:
    """By the name of their rig; to be closed by the caller."""
    copies: dict[str, Journal] = {}
    try:
        for path in sorted((study / OTHER_RIGS).glob("*/journal.sqlite")):
            copies[path.parent.name] = open_copy(study, path.parent.name)
    except BaseException:
        for copy in copies.values():
            copy.close()
        raise
    return copies
