"""A study folder: its settings, its animals and its sessions, all of them views over the journal."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from detectors.criterion import Verdict
from drivers.interface import PulseTrain
from kindle.amended import amended_rows, called_void
from kindle.animal_rows import TrialVoided
from kindle.drug_test_presets import with_treatment_presets
from kindle.durable import sync_folder, write_whole
from kindle.electrode import Electrode
from kindle.engine import Exchange
from kindle.errors import ConfigError, JournalMismatch, KindleError
from kindle.exchange import Reply, Stimulate, Trial, VoidTrial
from kindle.interlocks import AnimalLimits
from kindle.journal import Journal, Row
from kindle.laboratory.config import DatabaseConfig, check_database
from kindle.laboratory.copies import open_copies
from kindle.protocols.catalogue import Outcome
from kindle.rows import (
    Animal,
    Answered,
    Asked,
    FileDigest,
    RecordingClosed,
    RecordingSealed,
    RecordingStarted,
    SessionEnded,
    SessionInterrupted,
    SessionStarted,
    SignalBack,
    SignalLost,
    decode,
    kind_of,
)
from kindle.safety import SafetyLimits
from kindle.status import StatusRule
from kindle.toml_files import convert, read_toml
from kindle.treatments import BlindingConfig, SyringeConfig, Treatment

ANIMALS = "animals"
"""The session name under which rows about animals stand in the journal, and corrections of any row."""

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


@dataclass
class SessionView:
    """One session as the journal tells it, across all the times that it was resumed."""

    id: str
    started: SessionStarted
    started_utc: datetime
    first_seq: int
    exchanges: list[Exchange] = field(default_factory=list)
    asked_samples: list[int] = field(default_factory=list)
    """Sample index at which each request was written, in the recording open at that time."""
    asked_utc: list[datetime] = field(default_factory=list)
    asked_in: list[RecordingStarted | None] = field(default_factory=list)
    """The recording that was open when each request was written."""
    stopped_in: RecordingStarted | None = None
    """The recording in which the last request was cut short by a stop that the program itself could still send."""
    recordings: list[RecordingStarted] = field(default_factory=list)
    closed: dict[str, int] = field(default_factory=dict)
    sealed: dict[str, tuple[FileDigest, ...]] = field(default_factory=dict)
    """Headers and markers of each recording's folder, as last written; early recordings have none."""
    gaps: list[SignalLost | SignalBack] = field(default_factory=list)
    """Where the signal was lost, and where it came back, in order."""
    interruptions: list[SessionInterrupted] = field(default_factory=list)
    held: str = ""
    """What was wrong with the last train, until somebody said that another one may follow."""
    outcome: Outcome | None = None
    last_seq: int = 0
    last_utc: datetime | None = None
    reply_seqs: list[int] = field(default_factory=list)
    rig_of_journal: str = ""
    """The other rig of the laboratory whose journal tells of it; row numbers are of that journal."""

    @property
    def trials(self) -> list[Trial | VoidTrial]:
        return [e.reply for e in self.exchanges if isinstance(e.reply, Trial | VoidTrial)]

    @property
    def trains(self) -> list[PulseTrain]:
        """Every train that was asked for, answered or not."""
        return [e.request.train for e in self.exchanges if isinstance(e.request, Stimulate)]

    def charge_uc(self, since: datetime | None = None) -> float:
        """Charge of the trains asked for, as quantised where that is known; answered or not, each counts."""
        return sum(
            _charge_uc(exchange.request.train, exchange.reply)
            for exchange, asked_utc in zip(self.exchanges, self.asked_utc, strict=True)
            if isinstance(exchange.request, Stimulate) and (since is None or asked_utc > since)
        )

    @property
    def perhaps_discharged(self) -> bool:
        """Whether a discharge was seen, or may have gone unseen, after any train or current that nobody asked for."""
        in_doubt = self.unanswered and isinstance(self.exchanges[-1].request, Stimulate)
        stray = any(interruption.stray_current for interruption in self.interruptions)
        return in_doubt or stray or any(trial.verdict is not Verdict.NONE for trial in self.trials)

    @property
    def unanswered(self) -> bool:
        return bool(self.exchanges) and self.exchanges[-1].reply is None


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
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"{folder} exists and is not an empty folder; choose another name for the new study")
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / CONFIG, config_text.encode())
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


def sessions_in(rows: Iterable[Row]) -> list[SessionView]:
    """Every session of a journal's rows, in the order in which they began."""
    views: dict[str, SessionView] = {}
    for row in rows:
        if row.session != ANIMALS:
            _tell(views, row)
    return list(views.values())


def _charge_uc(train: PulseTrain, reply: Reply | None) -> float:
    delivered = reply.delivered if isinstance(reply, Trial | VoidTrial) else None
    return train.charge_uc if delivered is None else delivered.charge_uc


def _heard_anew(view: SessionView, row: Row) -> None:
    """The protocol goes on from the trial that was called void: what it asked after it was only waits and questions."""
    voided = decode(row.kind, row.payload, TrialVoided)
    if voided.row not in view.reply_seqs:
        raise JournalMismatch(f"journal row {row.seq} calls a trial void that its session never had; run kindle verify")
    kept = view.reply_seqs.index(voided.row) + 1
    del view.exchanges[kept:], view.asked_samples[kept:], view.asked_utc[kept:], view.asked_in[kept:]
    del view.reply_seqs[kept:]
    last = view.exchanges[-1]
    if isinstance(last.reply, Trial):
        view.exchanges[-1] = Exchange(last.request, called_void(last.reply, voided))


def _tell(views: dict[str, SessionView], row: Row) -> None:
    if row.kind == "session_started":
        started = decode(row.kind, row.payload, SessionStarted)
        views[row.session] = SessionView(row.session, started, row.utc, row.seq)
    view = views.get(row.session)
    if view is None:
        raise JournalMismatch(f"journal row {row.seq} belongs to session {row.session!r}, which never started")
    view.last_seq = row.seq
    view.last_utc = row.utc
    match row.kind:
        case "asked":
            view.exchanges.append(Exchange(decode(row.kind, row.payload, Asked).request, None))
            view.asked_samples.append(row.sample or 0)
            view.asked_utc.append(row.utc)
            view.asked_in.append(view.recordings[-1] if view.recordings else None)
            view.stopped_in = None
        case "answered":
            if not view.unanswered:
                raise JournalMismatch(f"journal row {row.seq} answers a request that nobody asked; run kindle verify")
            reply = decode(row.kind, row.payload, Answered).reply
            view.exchanges[-1] = Exchange(view.exchanges[-1].request, reply)
            view.reply_seqs.append(row.seq)
            if isinstance(reply, Trial | VoidTrial):
                view.held = reply.reason if isinstance(reply, VoidTrial) and reply.contradicted else ""
        case "trains_allowed":
            view.held = ""
        case "trial_voided":
            _heard_anew(view, row)
        case "recording_started":
            view.recordings.append(decode(row.kind, row.payload, RecordingStarted))
        case "recording_closed":
            closed = decode(row.kind, row.payload, RecordingClosed)
            view.closed[closed.folder] = closed.n_samples
            if closed.files:
                view.sealed[closed.folder] = closed.files
        case "recording_sealed":
            sealed = decode(row.kind, row.payload, RecordingSealed)
            view.sealed[sealed.folder] = sealed.files
        case "signal_lost":
            view.gaps.append(decode(row.kind, row.payload, SignalLost))
        case "signal_back":
            view.gaps.append(decode(row.kind, row.payload, SignalBack))
        case "session_interrupted":
            view.interruptions.append(decode(row.kind, row.payload, SessionInterrupted))
            if view.unanswered and view.recordings and view.asked_in[-1] is view.recordings[-1]:
                view.stopped_in = view.recordings[-1]
        case "session_ended":
            view.outcome = decode(row.kind, row.payload, SessionEnded).outcome
        case _:
            pass
