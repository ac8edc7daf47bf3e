"""Where the numbers of a page come from: instruments, software, course of the session, files, journal."""

from pathlib import Path

from kindle.electrode import warning_text
from kindle.errors import RecordingError
from kindle.journal import Row
from kindle.protocols.catalogue import describe_outcome as describe
from kindle.recording import Recording
from kindle.report.markup import Html, element, escaped, joined, section, table
from kindle.report.trial_section import Opened
from kindle.report.wording import MISSING, typeset, utc
from kindle.rows import (
    RecordingClosed,
    RecordingStarted,
    SessionEnded,
    SessionInterrupted,
    SignalBack,
    SignalLost,
    WarningAcknowledged,
    decode,
)
from kindle.session_view import SessionView
from kindle.study import Study


def instruments_section(view: SessionView) -> Html:
    rows: list[tuple[str, ...]] = [("rig", view.started.rig)]
    for started in view.recordings:
        known = [value for _, value in rows]
        rows += [
            (name, value)
            for name, value in (("acquisition", started.source), ("stimulator", started.stimulator))
            if value not in known
        ]
    rows += [(name, f"version {version}") for name, version in sorted(view.started.software.items())]
    return section("Instruments and software", table(("what", "as identified"), rows, class_="keys"))


def course_section(rows: list[Row]) -> Html:
    """Beginning, interruptions, resumptions and end, as the journal has them."""
    told = []
    n_recordings = 0
    for row in rows:
        n_recordings += row.kind == "recording_started"
        words = _in_words(row, n_recordings)
        if words:
            told.append((str(row.seq), utc(row.utc), words))
    return section("Course", table(("journal row", "time", "event"), told, class_="keys"))


def _in_words(row: Row, n_recordings: int) -> str:
    match row.kind:
        case "session_started":
            return "session begun"
        case "warning_acknowledged":
            said = decode(row.kind, row.payload, WarningAcknowledged)
            return f"warned: {typeset(warning_text(said.report))}; {said.answer}"
        case "signal_lost":
            lost = decode(row.kind, row.payload, SignalLost)
            stop = f"the stimulator's stop is {lost.stimulator_stop}"
            return f"signal lost at sample {lost.sample}, {stop}: {typeset(lost.reason)}"
        case "signal_back":
            back = decode(row.kind, row.payload, SignalBack)
            return f"signal back in a new segment; about {back.n_lost} samples ({back.gap_s:.3g} s) are missing"
        case "recording_started":
            folder = decode(row.kind, row.payload, RecordingStarted).folder
            return (
                f"recording begun: {folder}" if n_recordings == 1 else f"resumed, with a recording of its own: {folder}"
            )
        case "recording_closed":
            return f"recording closed after {decode(row.kind, row.payload, RecordingClosed).n_samples} samples"
        case "session_interrupted":
            interrupted = decode(row.kind, row.payload, SessionInterrupted)
            return f"interrupted: {typeset(interrupted.reason)}; stop of the stimulator: {interrupted.stimulator_stop}"
        case "session_ended":
            return f"ended: {typeset(describe(decode(row.kind, row.payload, SessionEnded).outcome))}"
        case _:
            return ""


def recordings_section(study: Path, view: SessionView, recordings: Opened) -> Html:
    rows: list[tuple[str, ...]] = [
        (
            element("code", started.folder),
            *_extent(recordings[started.folder], started.folder in view.closed),
            f"{started.rate_hz:g}",
            ", ".join(started.channels),
            _files(study / started.folder),
        )
        for started in view.recordings
    ]
    headers = ("folder in the study", "begun", "length s", "rate Hz", "channels", "files")
    return section("Recordings", table(headers, rows))


def _extent(recording: Recording | RecordingError, closed: bool) -> tuple[str, str]:
    if isinstance(recording, RecordingError):
        return f"cannot be opened: {recording}", MISSING
    length = f"{recording.n_samples / recording.rate_hz:.1f}"
    return utc(recording.start_utc), length if closed else f"{length} (the program stopped before closing it)"


def _files(folder: Path) -> str:
    return ", ".join(sorted(path.name for path in folder.iterdir() if path.is_file())) if folder.is_dir() else MISSING


def journal_section(study: Study, rows: list[Row]) -> Html:
    last = rows[-1]
    return section(
        "Journal",
        table(
            ("what", "value"),
            [
                ("rows of this session", f"{rows[0].seq} to {last.seq}"),
                ("hash of its last row", element("code", last.hash)),
                ("head hash of the journal when this page was written", element("code", study.journal.head_hash)),
            ],
            class_="keys",
        ),
        element(
            "p",
            joined(
                escaped("Each hash covers all rows before it: as long as the journal holds these two and "),
                element("code", "kindle verify"),
                escaped(" finds nothing, no row that this page rests on was altered."),
            ),
            class_="quiet",
        ),
    )
