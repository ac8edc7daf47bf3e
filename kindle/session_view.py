"""The sessions of a journal: views computed from its rows, never a second truth."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from detectors.criterion import Verdict
from drivers.interface import PulseTrain
from kindle.amended import called_void
from kindle.animal_rows import TrialVoided
from kindle.engine import Exchange
from kindle.errors import JournalMismatch
from kindle.exchange import Reply, Stimulate, Trial, VoidTrial
from kindle.journal import Row
from kindle.protocols.catalogue import Outcome
from kindle.rows import (
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
)

ANIMALS = "animals"
"""The session name under which rows about animals stand in the journal, and corrections of any row."""


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
