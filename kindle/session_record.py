"""What a session writes: its rows in the journal, its recording, and the markers beside the signal."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import msgspec

from kindle.assembly import Instruments
from kindle.errors import RecordingError
from kindle.exchange import Reply, Request
from kindle.journal import Journal
from kindle.markers import markers_of
from kindle.naming import first_free
from kindle.progress import Alarmed, Back, Listener, Lost, Marked, Progress
from kindle.recording import RecordingWriter, open_recording, recover
from kindle.rows import (
    Answered,
    Asked,
    BehaviourMarked,
    RecordingClosed,
    RecordingSealed,
    RecordingStarted,
    SignalBack,
    SignalLost,
    StatusAlarmed,
    kind_of,
)
from kindle.sealing import digests
from kindle.stream import Stream
from kindle.study import Study

LOG = logging.getLogger(__name__)

Clock = Callable[[], datetime]


class SessionJournal:
    """Rows of one session, stamped with the sample index of the stream that is running."""

    def __init__(self, journal: Journal, session: str, now: Clock) -> None:
        self.stream: Stream | None = None
        self._journal = journal
        self._session = session
        self._now = now

    def write(self, row: msgspec.Struct) -> None:
        sample = None if self.stream is None else self.stream.n_samples
        self._journal.append(self._session, kind_of(row), row, sample=sample, utc=self._now())

    def asked(self, request: Request) -> None:
        self.write(Asked(request))

    def answered(self, reply: Reply) -> None:
        self.write(Answered(reply))


@contextmanager
def recording_of(
    study: Study,
    journal: SessionJournal,
    instruments: Instruments,
    identities: tuple[str, str],
    folder: str,
    begun: datetime,
) -> Iterator[tuple[RecordingWriter, str]]:
    source = instruments.source
    name = first_free(folder, lambda name: (study.folder / name).exists())
    recording = RecordingWriter.create(study.folder / name, source.channels, source.rate_hz, begun)
    try:
        journal.write(
            RecordingStarted(name, *identities, source.rate_hz, tuple(channel.name for channel in source.channels))
        )
        source.start()
        yield recording, name
    except BaseException as error:
        with not_hiding(error):
            journal.write(_closed(recording, name))
        raise
    journal.write(_closed(recording, name))


def _closed(recording: RecordingWriter, name: str) -> RecordingClosed:
    return RecordingClosed(name, recording.close(), digests(recording.folder))


def noting_gaps(journal: SessionJournal, recording: str, rate_hz: float, listener: Listener) -> Listener:
    """Write gaps of the signal, marks and alarms to the journal; then tell ``listener``."""

    def told(progress: Progress) -> None:
        match progress:
            case Lost(sample, reason, stop):
                journal.write(SignalLost(recording, sample, reason, stop.value))
            case Back(sample, n_lost, source):
                journal.write(SignalBack(recording, sample, n_lost, n_lost / rate_hz, source))
            case Marked(sample, mark):
                journal.write(BehaviourMarked(recording, sample, str(mark)))
            case Alarmed(sample, cause):
                journal.write(StatusAlarmed(recording, sample, cause))
            case _:
                pass
        listener(progress)

    return told


@contextmanager
def not_hiding(error: BaseException) -> Iterator[None]:
    """What fails while things are put away is told with ``error``, never in its place."""
    try:
        yield
    except Exception as later:
        if reason_of(later) != reason_of(error):
            error.add_note(f"Besides: {reason_of(later)}")


def restore_markers(study: Study, session: str, now: Clock) -> None:
    """Trials that were settled later, or whose marker the program died before, are marked in their own recording."""
    view = study.session(session)
    journal = SessionJournal(study.journal, session, now)
    for started in view.recordings:
        folder = study.folder / started.folder
        markers = [marker for t in view.trials if t.recording == started.folder for marker in markers_of(t)]
        try:
            n_samples = open_recording(folder).n_samples
            recover(folder, markers=[marker for marker in markers if marker.sample < n_samples])
        except RecordingError as error:
            LOG.warning("%s: the journal's markers cannot be written beside the signal: %s", folder, error)
        else:
            if (files := digests(folder)) != view.sealed.get(started.folder):
                journal.write(RecordingSealed(started.folder, files))


def reason_of(error: BaseException) -> str:
    return str(error) or type(error).__name__
