"""A study folder: its settings, its animals and its sessions, all of them views over the journal."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from kindle.amended import amended_rows
from kindle.drug_test_presets import with_treatment_presets
from kindle.durable import sync_folder, write_whole
from kindle.electrode import Electrode
from kindle.errors import ConfigError, KindleError
from kindle.interlocks import AnimalLimits
from kindle.journal import Journal, Row
from kindle.laboratory.config import DatabaseConfig, check_database
from kindle.laboratory.copies import open_copies
from kindle.rows import (
    Animal,
    decode,
    kind_of,
)
from kindle.safety import SafetyLimits
from kindle.session_view import ANIMALS, SessionView, sessions_in
from kindle.status import StatusRule
from kindle.toml_files import convert, read_toml
from kindle.treatments import BlindingConfig, SyringeConfig, Treatment

_FOLDER_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")

_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Windows keeps these names for itself, whatever the ending; a study moves between computers."""


class StudyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """study.toml. ``threshold`` holds the laboratory's own values for the preset; ``limits`` may only be stricter."""

    name: str
    preset: str = "hannover_ascending"
    threshold: dict[str, Any] = {}
    electrode: Electrode | None = None
    limits: SafetyLimits | None = None
    scale: str = "racine_1972"
    """On which kindled seizures are scored."""
    schedule: str = "hannover_daily"
    kindling: dict[str, Any] = {}
    """The laboratory's own values for the schedule."""
    criterion: str = "etsp"
    kindled: dict[str, Any] = {}
    """The laboratory's own values for the criterion of full kindling."""
    course: dict[str, Any] = {}
    treatments: tuple[Treatment, ...] = ()
    syringe: SyringeConfig | None = None
    blinding: BlindingConfig | None = None
    ptz: dict[str, Any] | None = None
    """The convulsant: a preset and the laboratory's own values over it."""
    electroshock: dict[str, Any] | None = None
    animals: AnimalLimits = AnimalLimits()
    status: StatusRule = StatusRule()
    database: DatabaseConfig | None = None
    """Where the laboratory has several rigs."""


class Study:
    """An open study; ``journal`` is the truth, everything else here is computed from it."""

    def __init__(self, folder: Path, config: StudyConfig, journal: Journal) -> None:
        self.folder = folder
        self.config = config
        self.journal = journal

    def animals(self) -> dict[str, Animal]:
        """Those of all rigs."""
        rows = (row for row in self.rows_of_all_rigs(ANIMALS) if row.kind == "animal_added")
        added = (decode(row.kind, row.payload, Animal) for row in rows)
        return {animal.id: animal for animal in added}

    def rows_of_all_rigs(self, session: str) -> list[Row]:
        """In the order of time; their numbers are those of their own journals."""
        rows = [row for journal in (*self.journal.others.values(), self.journal) for row in journal.rows(session)]
        return sorted(rows, key=lambda row: row.utc)

    def animal(self, id: str) -> Animal:
        animals = self.animals()
        if id not in animals:
            known = ", ".join(sorted(animals)) or "none yet"
            raise KindleError(
                f"no animal {id!r} in {self.folder}; there are: {known}. Add it with: kindle animal add --study "
                f"{self.folder} {id}"
            )
        return animals[id]

    def add_animal(self, animal: Animal, utc: datetime) -> None:
        if not _FOLDER_NAME.fullmatch(animal.id):
            raise ConfigError(
                f"animal {animal.id!r}: an id is a folder name too; use at most 64 of the letters A to Z, digits, dot, "
                "dash and underscore, with a letter or digit first and no dot last"
            )
        if _WINDOWS_DEVICE.fullmatch(animal.id):
            raise ConfigError(
                f"animal {animal.id!r}: Windows keeps this name for a device; choose another, such as R01"
            )
        if any(animal.id.casefold() == known.casefold() for known in self.animals()):
            raise KindleError(f"animal {animal.id} is in the study already (upper and lower case count as the same)")
        self.journal.append(ANIMALS, kind_of(animal), animal, sample=None, utc=utc)

    def sessions(self, animal: str | None = None, *, amended: bool = False) -> list[SessionView]:
        """Those of all rigs, in the order in which they began: as they were run, or with every correction."""
        rows_of = amended_rows if amended else Journal.rows
        views = sessions_in(rows_of(self.journal))
        for rig, journal in self.journal.others.items():
            views += [replace(view, rig_of_journal=rig) for view in sessions_in(rows_of(journal))]
        if self.journal.others:
            views.sort(key=lambda view: (view.started_utc, view.id))
        return [view for view in views if animal is None or view.started.animal == animal]

    def session(self, id: str) -> SessionView:
        """One of this rig: another one's rows and samples are looked at where they lie."""
        for view in self.sessions():
            if view.id == id and view.rig_of_journal:
                raise KindleError(f"session {id} is in the journal of rig {view.rig_of_journal}: look at it there")
            if view.id == id:
                return view
        raise KindleError(f"no session {id!r} in {self.folder}; kindle study show lists them")

    def unfinished(self, animal: str, protocol: str | None = None) -> SessionView | None:
        """The animal's last session on this rig without an outcome, of this protocol or of any."""
        open_ = [
            view
            for view in self.sessions(animal)
            if view.outcome is None and protocol in (None, view.started.protocol) and not view.rig_of_journal
        ]
        return open_[-1] if open_ else None


JOURNAL = "journal.sqlite"
CONFIG = "study.toml"


def create_study(folder: Path, config_text: str) -> None:
    """A new study folder with ``config_text`` as its study.toml; refuses a folder that holds anything."""
    try:
        content = config_text.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"the name of the study {folder} is no text in UTF-8; give it another one with --name"
        ) from None
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"{folder} exists and is not an empty folder; choose another name for the new study")
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / CONFIG, content)
        (folder / "recordings").mkdir()
        Journal.open(folder / JOURNAL, create=True).close()
        sync_folder(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise ConfigError(f"cannot make the study {folder} ({error.strerror}); choose a folder to write in") from None


def check_folder(folder: Path) -> None:
    """Refuse a folder that is no study. Raises ``ConfigError``."""
    if not folder.is_dir() or not (folder / CONFIG).is_file():
        raise ConfigError(f"{folder} is not a study: it has no {CONFIG}; make one with: kindle study init FOLDER")
    if not (folder / JOURNAL).is_file():
        raise ConfigError(f"{folder} has no {JOURNAL}; the study is damaged: restore the file from a copy")


def read_config(path: Path) -> StudyConfig:
    """study.toml, its published doses laid under the laboratory's own values."""
    return convert(with_treatment_presets(read_toml(path)), StudyConfig, str(path))


@contextmanager
def open_study(folder: Path) -> Iterator[Study]:
    check_folder(folder)
    config = read_config(folder / CONFIG)
    if config.database is not None:
        check_database(config.database)
    journal = Journal.open(folder / JOURNAL)
    try:
        if config.database is not None:
            journal.others = open_copies(folder)
        yield Study(folder, config, journal)
    finally:
        journal.close()


def strictest(limits: Sequence[SafetyLimits]) -> SafetyLimits:
    """The tighter of each limit: intervals and lock-outs are the longest, all else the lowest."""
    longest = {"min_interval_s", "lockout_after_afterdischarge_s"}
    chosen = {
        name: (max if name in longest else min)(getattr(limit, name) for limit in limits)
        for name in SafetyLimits.__struct_fields__
    }
    return SafetyLimits(**chosen)
