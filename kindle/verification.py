"""The whole of a study against what its journal and its indexes say, and what else can be told from them."""

from collections.abc import Iterator
from pathlib import Path

from kindle.errors import ConfigError, RecordingError
from kindle.imported import imported_recordings
from kindle.journal_end import missing_rows
from kindle.journal_verification import verify_chain
from kindle.laboratory.known import read_known
from kindle.markers import markers_of
from kindle.problem import Problem
from kindle.recording import verify
from kindle.recording_extent import Extent, extents
from kindle.recording_index import ClockDrift, NoDrift, clock_drift, read_records
from kindle.rows import RecordingImported, SignalBack
from kindle.sealing import changed_files
from kindle.session_view import SessionView
from kindle.sharing import mirror_of
from kindle.study import JOURNAL, Study, open_study


def verify_study(folder: Path) -> list[Problem]:
    """Problems of the hash chain, of each recording, and of recordings that are not what the journal says."""
    problems = list(verify_chain(folder / JOURNAL))
    if problems:
        return problems
    with open_study(folder) as study:
        for view in _recorded_here(study):
            for started in view.recordings:
                path = study.folder / started.folder
                if not path.is_dir():
                    problems.append(Problem(path, "the journal names this recording, but the folder is not there"))
                    continue
                problems += verify(path, broken_off=started.folder not in view.closed)
                markers = [m for t in view.trials if t.recording == started.folder for m in markers_of(t)]
                problems += changed_files(path, view.sealed.get(started.folder, ()), markers)
                closed = view.closed.get(started.folder)
                if closed is not None and (here := _length(path)) not in (None, closed):
                    problems.append(
                        Problem(path, f"holds {here} samples; the journal says that it ended with {closed}")
                    )
        for told in imported_recordings(study):
            problems += _imported(study, told)
        problems += missing_rows(study)
        problems += _against_database(study)
    return problems


def _imported(study: Study, told: RecordingImported) -> Iterator[Problem]:
    path = study.folder / told.folder
    if not path.is_dir():
        yield Problem(path, "the journal names this imported recording, but the folder is not there")
        return
    yield from verify(path)
    yield from changed_files(path, told.sealed, ())
    if (here := _length(path)) not in (None, told.n_samples):
        yield Problem(path, f"holds {here} samples; the journal says that {told.n_samples} were imported")


def _recorded_here(study: Study) -> list[SessionView]:
    """The other rigs' recordings lie with them, and are checked there."""
    return [view for view in study.sessions() if not view.rig_of_journal]


def _against_database(study: Study) -> list[Problem]:
    if study.config.database is None:
        return []
    from kindle.laboratory.comparing import compare
    from kindle.laboratory.line import NotReached

    try:
        return compare(mirror_of(study))
    except (NotReached, ConfigError):  # told among the notes
        return _fewer_than_sent(study)


def _fewer_than_sent(study: Study) -> list[Problem]:
    known, here = read_known(study.folder), study.journal.last_seq
    if known is None or known.sent <= here:
        return []
    told = f"{known.sent} rows were sent to {study.config.database}; here are {here}: some were lost here"
    return [Problem(study.journal.path, told, seq=here + 1)]


def notes_on(folder: Path) -> Iterator[str]:
    """What is no problem and yet worth knowing: gaps, what cannot be checked, and the drift of the sample clock."""
    with open_study(folder) as study:
        if study.config.database is not None:
            from kindle.laboratory.comparing import why_not_compared

            if (why := why_not_compared(mirror_of(study))) is not None:
                yield why
        for view in _recorded_here(study):
            for started in view.recordings:
                path = study.folder / started.folder
                if not path.is_dir():
                    continue
                if not view.sealed.get(started.folder):
                    yield f"{path}: headers and markers are unchecked, the journal has no digests of them"
                yield from _gaps(view, started.folder, path)
                yield from _drifts(path)


def _gaps(view: SessionView, recording: str, path: Path) -> Iterator[str]:
    for gap in view.gaps:
        if gap.recording == recording and isinstance(gap, SignalBack):
            yield f"{path}: about {gap.n_lost} samples ({gap.gap_s:.3g} s) were lost before sample {gap.sample}"


def _drifts(recording: Path) -> Iterator[str]:
    for extent in _extents(recording):
        if not extent.indexed:
            continue
        match clock_drift(read_records(extent.files.index)[: extent.n_blocks], extent.header.rate_hz):
            case ClockDrift(ppm, low_ppm, high_ppm, span_s):
                yield (
                    f"{extent.files.index}: the sample clock ran {ppm:+.2f} ppm against this computer's "
                    f"({low_ppm:+.2f} to {high_ppm:+.2f}, over {span_s:.0f} s)"
                )
            case NoDrift(reason):
                yield f"{extent.files.index}: no drift of the sample clock can be told: {reason}"


def _length(recording: Path) -> int | None:
    """Samples that the files hold, or ``None`` where their own problems have been told already."""
    found = _extents(recording)
    return sum(extent.n_samples for extent in found) if found else None


def _extents(recording: Path) -> list[Extent]:
    try:
        return extents(recording)
    except RecordingError:
        return []
