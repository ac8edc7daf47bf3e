"""The study folders that a report is of, each journal read once: rows as amended, animals, sessions, codes, chain."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from kindle.amended import amended_rows
from kindle.animal_rows import CodesOpened, CodesSealed, Designed
from kindle.course_in_force import course_of
from kindle.course_plan import CoursePlan
from kindle.errors import ConfigError
from kindle.journal import Row
from kindle.journal_verification import verify_chain
from kindle.laboratory.known import read_known
from kindle.ledger import Ledger
from kindle.ledger_view import ledgers_of
from kindle.problem import Problem
from kindle.report.tables import JournalRow
from kindle.rows import Animal, decode
from kindle.session_view import ANIMALS, SessionView, sessions_in
from kindle.study import CONFIG, Study, StudyConfig, check_folder, open_study

P = TypeVar("P", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Source:
    """One study folder. Days are those of UTC, so that a report does not depend on the computer that writes it."""

    folder: Path
    label: str
    """Names the folder where the report is of several; empty otherwise."""
    config: StudyConfig
    course: CoursePlan
    """The days and the criterion of full kindling, as study.toml has them now."""
    rows: Mapping[int, Row]
    """By their numbers, as amended."""
    animals: Mapping[str, Animal]
    ledgers: Mapping[str, Ledger]
    sessions: tuple[SessionView, ...]
    head_hash: str
    problems: tuple[Problem, ...]
    """Of the hash chain."""
    known_utc: datetime | None = None
    """Of another rig's journal: when it was last fetched, where the laboratory's database has told of it."""

    @property
    def name(self) -> str:
        return self.label or self.folder.resolve().name

    def row(self, seq: int) -> JournalRow:
        return JournalRow(self.label, seq)

    @property
    def sealed(self) -> tuple[Row, CodesSealed] | None:
        return self._last("codes_sealed", CodesSealed)

    @property
    def opened(self) -> tuple[Row, CodesOpened] | None:
        return self._last("codes_opened", CodesOpened)

    @property
    def designed(self) -> tuple[Row, Designed] | None:
        return self._last("designed", Designed)

    def _last(self, kind: str, of: type[P]) -> tuple[Row, P] | None:
        rows = [row for row in self.rows.values() if row.kind == kind]
        return (rows[-1], decode(kind, rows[-1].payload, of)) if rows else None


def sources_of(study: Study) -> tuple[Source, ...]:
    """The study folder, and what it knows of the laboratory's other rigs."""
    others = study.journal.others
    own = source_of(study, study.folder.resolve().name if others else "")
    known = read_known(study.folder) if others else None
    fetched = [source_of(Study(one.path.parent, study.config, one), rig) for rig, one in others.items()]
    return (own, *(replace(source, known_utc=None if known is None else known.utc) for source in fetched))


def source_of(study: Study, label: str) -> Source:
    """Of the folder's own journal alone."""
    rows = tuple(amended_rows(study.journal))
    ledgers = ledgers_of(rows, UTC)
    added = (row for row in rows if row.session == ANIMALS and row.kind == "animal_added")
    animals = {animal.id: animal for animal in (decode(row.kind, row.payload, Animal) for row in added)}
    return Source(
        study.folder,
        label,
        study.config,
        course_of(study, next(iter(animals), "")),
        {row.seq: row for row in rows},
        animals,
        {**{id: Ledger(id) for id in animals}, **ledgers},  # an animal may have been added on another rig
        tuple(sessions_in(rows)),
        study.journal.head_hash,
        tuple(verify_chain(study.journal.path)),
    )


def read_sources(folders: Sequence[Path]) -> tuple[Source, ...]:
    """Of several folders each tells of its own rig. Raises ``KindleError`` for a folder that cannot be read."""
    if len(folders) == 1:
        with open_study(folders[0]) as study:
            return sources_of(study)
    return tuple(_read(folder, label) for folder, label in zip(folders, _labels(folders), strict=True))


def study_folders(given: Sequence[Path]) -> tuple[Path, ...]:
    """Study folders as they are; of any other folder the study folders in it. Raises ``ConfigError``."""
    found = [folder for one in given for folder in _below(one)]
    resolved = [folder.resolve() for folder in found]
    for folder, path in zip(found, resolved, strict=True):
        if resolved.count(path) > 1:
            raise ConfigError(f"{folder} is given twice; name each study folder once")
    return tuple(found)


def report_folder(given: Sequence[Path], found: Sequence[Path]) -> Path:
    """In the one folder that was given, or in the one that all study folders lie in. Raises ``ConfigError``."""
    if len(given) == 1:
        return given[0] / "report"
    parents = {folder.resolve().parent for folder in found}
    if len(parents) > 1:
        raise ConfigError("the study folders lie in different places: say with --out where the report is to be written")
    return parents.pop() / "report"


def _below(folder: Path) -> Iterator[Path]:
    inner = []
    if folder.is_dir() and not (folder / CONFIG).is_file():
        inner = sorted((one for one in folder.iterdir() if (one / CONFIG).is_file()), key=_in_order)
    if inner:
        yield from inner
    else:
        check_folder(folder)
        yield folder


def _in_order(folder: Path) -> list[tuple[int, str]]:
    """rig-2 before rig-10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", folder.name)]


def _labels(folders: Sequence[Path]) -> list[str]:
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _read(folder: Path, label: str) -> Source:
    with open_study(folder) as study:
        return source_of(study, label)
