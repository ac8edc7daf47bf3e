"""Rows cut off the journal's end: its chain cannot show them, but what rests on them still lies beside it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.stimulus import TtlEdges
from kindle.brainvision import Marker, checked_marker, parse_markers
from kindle.canonical import GENESIS
from kindle.errors import RecordingError
from kindle.exchange import Stimulate, Trial, VoidTrial
from kindle.imported import imported_recordings
from kindle.journal import JournalReader, Row
from kindle.markers import markers_of
from kindle.problem import Problem
from kindle.recording_extent import Extent, extents
from kindle.recording_layout import marker_pieces
from kindle.rows import Answered, Asked, RecordingStarted, SessionInterrupted, decode
from kindle.session_view import SessionView
from kindle.stream import ttl_levels
from kindle.study import Study

PAGES = ("report/*.html", "reports/*.html")
"""Reports in the study folder; each names the hash of the last row that it rests on."""

_HASH = re.compile(rb"<code>([0-9a-f]{64})</code>")
_SAMPLES_AT_ONCE = 1 << 20
_GAP = "gap/"


def missing_rows(study: Study) -> Iterator[Problem]:
    """Recordings, trains, markers and reports of the study that no row of its journal accounts for."""
    yield from _unknown_recordings(study)
    told = _told(study.journal.rows())
    for view in study.sessions():
        for started in view.recordings if not view.rig_of_journal else ():
            path = study.folder / started.folder
            try:
                segments = extents(path)
            except RecordingError:  # told where the recording itself is looked at
                continue
            known = told.get(started.folder, _Known())
            yield from _unknown_trains(path, segments, known)
            if started.folder not in view.sealed:  # the digests vouch for the others
                yield from _unknown_markers(segments, known.trials + _in_view(view, started.folder))
    yield from _reports_of_more(study)


@dataclass
class _Known:
    """What the journal says of one recording; samples count in it."""

    asked: list[list[float]] = field(default_factory=list)
    """Of each train: sample at which it was asked for, and at which that was answered; it came between them."""
    stray_until: float = -1.0
    """Trains before this sample are known as such that nobody asked for."""
    trials: list[Trial | VoidTrial] = field(default_factory=list)

    def accounts_for(self, sample: int) -> bool:
        return sample < self.stray_until or any(first <= sample < last for first, last in self.asked)


def _told(rows: Sequence[Row]) -> dict[str, _Known]:
    """By the folder of the recording."""
    known: dict[str, _Known] = {}
    recording: dict[str, str] = {}
    for row in rows:
        if row.kind == "recording_started":
            recording[row.session] = decode(row.kind, row.payload, RecordingStarted).folder
        if row.session not in recording:
            continue
        here = known.setdefault(recording[row.session], _Known())
        match row.kind:
            case "asked" if isinstance(decode(row.kind, row.payload, Asked).request, Stimulate):
                here.asked.append([row.sample or 0, inf])
            case "answered":
                # After a crash the answer comes in the next recording: then any train at the end of this one was asked.
                if here.asked and here.asked[-1][1] == inf:
                    here.asked[-1][1] = row.sample or 0
                reply = decode(row.kind, row.payload, Answered).reply
                if isinstance(reply, Trial | VoidTrial):
                    known.setdefault(reply.recording, _Known()).trials.append(reply)
            case "session_interrupted" if decode(row.kind, row.payload, SessionInterrupted).stray_current:
                here.stray_until = row.sample or 0
    return known


def _in_view(view: SessionView, recording: str) -> list[Trial | VoidTrial]:
    """Those that were called void since they were answered are marked anew."""
    return [trial for trial in view.trials if trial.recording == recording]


def _unknown_recordings(study: Study) -> Iterator[Problem]:
    named = {started.folder for view in study.sessions() for started in view.recordings}
    named |= {imported.folder for imported in imported_recordings(study)}
    for header in sorted(study.folder.glob("recordings/*/*/signal.vhdr")):
        path = header.parent
        if path.suffix == ".importing" or path.relative_to(study.folder).as_posix() in named:
            continue
        # A session that ends before its first sample may leave a recording that it did not come to name.
        if header.with_suffix(".eeg").is_file() and header.with_suffix(".eeg").stat().st_size:
            yield Problem(
                path,
                "no row of the journal names this recording: rows were cut off the journal's end, or an import broke "
                "off (then remove the folder and import again)",
            )


def _unknown_trains(path: Path, segments: Sequence[Extent], known: _Known) -> Iterator[Problem]:
    for first, last in _trains(segments):
        if not known.accounts_for(first):
            yield Problem(
                path,
                f"the TTL shows a train at sample {first} that no row of the journal asks for: rows were cut off the "
                "journal's end, or the program died before it could write what it saw",
                samples=(first, last),
            )


def _trains(segments: Sequence[Extent]) -> Iterator[tuple[int, int]]:
    """As the rig saw them: each time the TTL goes high, anew behind each gap."""
    for segment in segments:
        channels = segment.header.channels
        rows = [row for row, channel in enumerate(channels) if channel.role == "stimulus_ttl"]
        if len(rows) != 1 or segment.n_samples == 0:
            continue
        edges, onset = TtlEdges(*ttl_levels(channels[rows[0]])), None
        samples = np.memmap(segment.files.signal, "<i2", "r", shape=(segment.n_samples, len(channels)))
        start = segment.header.first_sample
        for edge in (edge for window in _windows(samples[:, rows[0]]) for edge in edges.push(window)):
            if edge.rising:
                onset = start + edge.sample
            elif onset is not None:
                yield onset, start + edge.sample
                onset = None
        if onset is not None:
            yield onset, start + segment.n_samples


def _windows(row: NDArray[np.int16]) -> Iterator[NDArray[np.int16]]:
    for first in range(0, row.size, _SAMPLES_AT_ONCE):
        yield row[first : first + _SAMPLES_AT_ONCE]


def _unknown_markers(segments: Sequence[Extent], trials: Sequence[Trial | VoidTrial]) -> Iterator[Problem]:
    """A trial is marked once its row is on the disk."""
    starts = [segment.header.first_sample for segment in segments]
    known: set[tuple[int, Marker]] = set()
    for marker in (marker for trial in trials for marker in markers_of(trial)):
        known.update(marker_pieces(checked_marker(marker), starts))
    for number, segment in enumerate(segments):
        written, _ = parse_markers(segment.files.markers.read_bytes())
        unknown = [one for one in written if (number, one) not in known and not one.description.startswith(_GAP)]
        if unknown:
            one = unknown[0]
            yield Problem(
                segment.files.markers,
                f"marks {one.description} at sample {starts[number] + one.sample}, which no row of the journal tells "
                "of: rows were cut off the journal's end",
                samples=(starts[number] + one.sample, starts[number] + one.sample + one.n_samples),
            )


def _reports_of_more(study: Study) -> Iterator[Problem]:
    pages = sorted(page for pattern in PAGES for page in study.folder.glob(pattern))
    if not pages:
        return
    journals: list[JournalReader] = [study.journal, *study.journal.others.values()]
    known = {GENESIS, *(row.hash for journal in journals for row in journal.rows())}
    for page in pages:
        for digest in dict.fromkeys(found.decode() for found in _HASH.findall(page.read_bytes())):
            if digest not in known:
                yield Problem(
                    study.journal.path,
                    f"no row has the hash {digest}, on which {page.relative_to(study.folder).as_posix()} rests: rows "
                    "that were there have been replaced or cut off",
                )
