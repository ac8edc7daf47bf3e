"""The report of one session: a single file that needs no network and no other file."""

from pathlib import Path

from kindle.durable import write_whole
from kindle.errors import KindleError
from kindle.report.conditions import charge_section, limits_section, parameters_section
from kindle.report.definitions import definitions_section
from kindle.report.delivery_section import delivery_section
from kindle.report.ladder_figure import ladder_figure
from kindle.report.markup import NOTHING, Html, element, joined, section
from kindle.report.provenance import course_section, instruments_section, journal_section, recordings_section
from kindle.report.result import heading, result, title, warnings
from kindle.report.staircase import staircase_table
from kindle.report.style import CSS
from kindle.report.svg import inline_svg
from kindle.report.trains import Train, trains
from kindle.report.trial_section import opened_recordings, trial_section
from kindle.session_view import SessionView
from kindle.study import Study


def write_session_report(study: Study, session: str, out: Path | None = None) -> Path:
    """Write the page to ``out``, by default ``reports/SESSION.html`` in the study, and return where it is.

    The same journal and recordings give the same bytes. A recording that cannot be opened is said so on the page.
    Raises ``KindleError`` when there is no such session or the file cannot be written.
    """
    view = _as_amended(study, session)
    path = out or study.folder / "reports" / f"{session}.html"
    page = session_page(study, view)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page.encode())
    except OSError as error:
        raise KindleError(f"cannot write the report {path} ({error}): check the disk and its permissions") from error
    return path


def _as_amended(study: Study, session: str) -> SessionView:
    """The session with every correction; where a trial was read in another way, its reason says so."""
    study.session(session)
    return next(view for view in study.sessions(amended=True) if view.id == session and not view.rig_of_journal)


def session_page(study: Study, view: SessionView) -> Html:
    started = view.started
    series = trains(view)
    rows = study.journal.rows(view.id)
    replies = {train.reply.recording for train in series if train.reply is not None}
    recordings = opened_recordings(study.folder, replies | {recording.folder for recording in view.recordings})
    criterion = started.plan.criterion
    body = joined(
        heading(study.config.name, study.animal(started.animal), view),
        warnings(view),
        result(view, series),
        _series(view, series),
        section("Trials", *(trial_section(train, recordings, criterion) for train in series)) if series else NOTHING,
        delivery_section(series, started, {recording.folder: recording.rate_hz for recording in view.recordings}),
        parameters_section(started.parameters),
        limits_section(started.limits),
        charge_section(series, started),
        instruments_section(view),
        course_section(rows),
        recordings_section(study.folder, view, recordings),
        journal_section(study, rows),
        definitions_section(criterion),
    )
    head = element(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title(view)),
        element("style", Html(CSS)),
    )
    return Html(f"<!doctype html>\n{element('html', head, element('body', body), lang='en')}\n")


def _series(view: SessionView, series: list[Train]) -> Html:
    if not series:
        return section("Series", element("p", "No train was asked for."))
    figure = inline_svg(ladder_figure(series, view.outcome), "ladder", f"The series of trains. {title(view)}")
    return section("Series", element("figure", figure), staircase_table(series))
