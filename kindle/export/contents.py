"""What of a study is exported: its sessions as amended, with the recordings that lie here, on one clock each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from kindle.amended import amended_rows
from kindle.errors import ConfigError
from kindle.exchange import CodedDose, Injected, Reply, Trial, VoidTrial
from kindle.imported import imported_recordings
from kindle.ledger import InjectionFact, Ledger, TrainFact
from kindle.ledger_view import ledger_of
from kindle.loading import segment_starts
from kindle.recording import Recording, Segment, open_recording
from kindle.rows import Animal, RecordingImported, decode
from kindle.session_view import SessionView, sessions_in
from kindle.study import CONFIG, Study


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """One recording of a session, and the names that files made of it take: plain ASCII, good on every system."""

    folder: str
    """Relative to the study."""
    name: str
    recording: Recording
    starts: tuple[int, ...]
    """Where each segment begins on the clock of the recording, what was lost between them included."""

    def segment_name(self, number: int) -> str:
        """Of segment ``number``, counted from 0."""
        return self.name if number == 0 else f"{self.name}-{number + 1}"

    @property
    def segments(self) -> Iterator[tuple[str, int, Segment]]:
        """Name, place on the clock of the recording, and segment; one in which nothing was recorded is left out."""
        for number, (start, segment) in enumerate(zip(self.starts, self.recording.segments, strict=True)):
            if segment.n_samples:
                yield self.segment_name(number), start, segment

    def on_clock(self, sample: int) -> int:
        """A sample as the journal counts it, without what was lost, on the clock of the recording."""
        place = 0
        for start, segment in zip(self.starts, self.recording.segments, strict=True):
            if segment.first_sample <= sample:
                place = start + sample - segment.first_sample
        return place

    def seconds(self, sample: int) -> float:
        return self.on_clock(sample) / self.recording.rate_hz


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of a session, amended, with its journal row and when its request was written."""

    reply: Reply
    seq: int
    asked_utc: datetime


@dataclass(frozen=True, eq=False)
class Contents:
    """One session, or one imported recording, which has no ``view``."""

    id: str
    animal: Animal
    ledger: Ledger
    protocol: str
    view: SessionView | None
    recordings: tuple[Stored, ...]
    imported: RecordingImported | None = None

    @property
    def answers(self) -> Iterator[Answer]:
        if self.view is None:
            return
        asked = zip(self.view.exchanges, self.view.asked_utc, strict=True)
        answered = [(exchange.reply, utc) for exchange, utc in asked if exchange.reply is not None]
        for (reply, utc), seq in zip(answered, self.view.reply_seqs, strict=True):
            yield Answer(reply, seq, utc)

    @property
    def trials(self) -> list[tuple[Answer, Trial | VoidTrial]]:
        return [(answer, answer.reply) for answer in self.answers if isinstance(answer.reply, Trial | VoidTrial)]

    @cached_property
    def trains(self) -> Mapping[int, TrainFact]:
        """What the ledger says of each trial, by its journal row: its stage and its condition."""
        rig = "" if self.view is None else self.view.rig_of_journal
        return {fact.seq: fact for fact in self.ledger.trains if fact.session == self.id and fact.rig == rig}

    @property
    def injections(self) -> tuple[InjectionFact, ...]:
        """As the study may show them: codes while it is blind."""
        return tuple(fact for fact in self.ledger.injections if fact.session == self.id)

    @property
    def start_utc(self) -> datetime:
        if self.recordings:
            return self.recordings[0].recording.start_utc
        assert self.view is not None
        return self.view.started_utc

    @property
    def weight_g(self) -> float | None:
        """The last one before the session, as drawn for an injection or entered."""
        drawn = [a.reply.drawn.weight_g for a in self.answers if isinstance(a.reply, Injected) and a.reply.drawn]
        before = [fact.weight_g for fact in self.ledger.weights if fact.utc <= self.start_utc]
        known = drawn or before
        return known[-1] if known else None

    def stored(self, folder: str) -> Stored | None:
        return next((stored for stored in self.recordings if stored.folder == folder), None)

    def offset_s(self, stored: Stored) -> float:
        """Of a recording after the first, from the start of the session's clock: two recordings share no samples."""
        return (stored.recording.start_utc - self.start_utc).total_seconds()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is exported, and one sentence for everything that is not, though it was asked for."""

    contents: tuple[Contents, ...]
    left_out: tuple[str, ...]

    @property
    def n_samples(self) -> int:
        """Of all channels."""
        return sum(
            stored.recording.n_samples * len(stored.recording.channels)
            for content in self.contents
            for stored in content.recordings
        )


def study_of(path: Path) -> tuple[Path, str]:
    """The study that ``path`` is or lies in, and the recording it names, relative to it; empty for all of it.

    Raises ``ConfigError`` where there is none.
    """
    named = path if path.is_dir() else path.parent
    resolved = named.resolve()
    for folder in (resolved, *resolved.parents):
        if (folder / CONFIG).is_file() and path.exists():
            return (named, "") if folder == resolved else (folder, resolved.relative_to(folder).as_posix())
    raise ConfigError(
        f"{path} is neither a study nor a recording in one: give a folder with {CONFIG}, or a folder in its recordings"
    )


def contents_of(study: Study, sessions: Sequence[str] = (), recording: str = "") -> Chosen:
    """Sessions by their id, or the one that holds ``recording``; all of them where nothing is named.

    Raises ``ConfigError`` for a session that the study does not have, ``RecordingError`` for damaged signals.
    """
    everything = [*_sessions(study), *_imported(study)]
    known = {told.id for told in everything}
    if missing := [id for id in sessions if id not in known]:
        raise ConfigError(f"no session {missing[0]!r} in {study.folder}; kindle study show lists them")
    wanted = [told for told in everything if told.id in sessions] if sessions else everything
    if recording:
        wanted = [told for told in wanted if recording in told.folders]
    if not wanted:
        what = f"no session with the recording {recording}" if recording else "no sessions yet"
        raise ConfigError(f"{study.folder} has {what}: there is nothing to export")
    animals = _amended(study)
    ledgers = {id: ledger_of(study.journal, id, UTC) for id in {told.animal for told in wanted}}
    contents, left_out = [], []
    for told in wanted:
        stored: list[Stored] = []
        for folder in told.folders:
            if not (study.folder / folder).is_dir():
                left_out.append(f"{folder} is not in {study.folder}: export it on the computer that has it")
            elif (one := _stored(study, told.animal, folder)).recording.n_samples:
                stored.append(one)
            else:
                left_out.append(f"{folder} holds no samples: nothing was recorded")
        contents.append(
            Contents(
                told.id,
                animals[told.animal],
                ledgers[told.animal],
                told.protocol,
                told.view,
                tuple(stored),
                told.imported,
            )
        )
    return Chosen(tuple(contents), tuple(left_out))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the journal says, before any signal is opened."""

    id: str
    animal: str
    protocol: str
    folders: tuple[str, ...]
    view: SessionView | None = None
    imported: RecordingImported | None = None


def _sessions(study: Study) -> Iterator[_Told]:
    """With what was corrected since, of every rig."""
    for rig, journal in {"": study.journal, **study.journal.others}.items():
        for view in sessions_in(amended_rows(journal)):
            view.rig_of_journal = rig
            folders = tuple(started.folder for started in view.recordings)
            yield _Told(view.id, view.started.animal, view.started.protocol, folders, view)


def _imported(study: Study) -> Iterator[_Told]:
    for told in imported_recordings(study):
        yield _Told(told.id, told.animal, "import", (told.folder,), imported=told)


def _amended(study: Study) -> dict[str, Animal]:
    """The animals with their corrections."""
    return {
        animal.id: animal
        for journal in (study.journal, *study.journal.others.values())
        for row in amended_rows(journal)
        if row.kind == "animal_added"
        for animal in (decode(row.kind, row.payload, Animal),)
    }


def _stored(study: Study, animal: str, folder: str) -> Stored:
    recording = open_recording(study.folder / folder)
    return Stored(folder, f"{animal}_{Path(folder).name}", recording, segment_starts(recording))


def dose_name(injected: Injected) -> str:
    """What was injected, in words; of a blinded bottle its code."""
    match injected.dose:
        case CodedDose(code=code, ml_per_kg=volume, route=route):
            return f"code {code} {volume:g} ml/kg {route}"
        case dose:
            return f"{dose.substance} {dose.mg_per_kg:g} mg/kg {dose.route}"
