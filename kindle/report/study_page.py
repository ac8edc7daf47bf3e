"""The report of a whole study: one page that needs no network, its figures as SVG and PNG, its tables as CSV."""

from collections.abc import Callable, Sequence
from pathlib import Path

from kindle.errors import KindleError
from kindle.report import (
    study_animals,
    study_curves,
    study_doses,
    study_isoboles,
    study_journal,
    study_methods,
    study_missing,
    study_ptz,
    study_strips,
    study_thresholds,
    study_trains,
    study_treatments,
)
from kindle.report.markup import NOTHING, Html, element, joined
from kindle.report.report_folder import PAGE, write_folder
from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts, study_facts
from kindle.report.study_sources import Source, read_sources, sources_of
from kindle.report.study_strips import CSS as STRIP_CSS
from kindle.report.study_style import CSS as STUDY_CSS
from kindle.report.style import CSS
from kindle.study import Study

SectionOf = Callable[[StudyFacts, Drawer], Section | None]

SECTIONS: tuple[SectionOf, ...] = (
    study_animals.section,
    study_thresholds.section,
    study_curves.section,
    study_treatments.section,
    study_doses.section,
    study_isoboles.section,
    study_ptz.section,
    study_missing.section,
)
"""In the order of the page; the methods follow, which name their statistics."""

RECORDS: tuple[SectionOf, ...] = (study_trains.section, study_strips.section, study_journal.section)
"""Last on the page; the journal comes at its end, because it lists what all others cite."""


def write_study_report(study: Study) -> Path:
    """Write STUDY/report and return its page. Raises ``KindleError`` without a session, or where it cannot write."""
    return _write(sources_of(study), study.folder / "report")


def write_joint_report(folders: Sequence[Path], out: Path) -> Path:
    """The report of one study that lies in several folders, into ``out``. Raises as ``write_study_report`` does."""
    return _write(read_sources(folders), out)


def _write(sources: tuple[Source, ...], out: Path) -> Path:
    facts = study_facts(sources)
    if not facts.sessions:
        names = ", ".join(str(source.folder) for source in sources)
        raise KindleError(f"{names} has no sessions yet; kindle run threshold makes one")
    draw = Drawer()
    page = study_page(facts, draw)
    write_folder(out, draw.files | {PAGE: page.encode()})
    return out / PAGE


def study_page(facts: StudyFacts, draw: Drawer) -> Html:
    sections = [found for make in SECTIONS if (found := make(facts, draw)) is not None]
    sections.append(study_methods.section(facts, draw, {one.title for one in sections}))
    sections += [found for make in RECORDS if (found := make(facts, draw)) is not None]
    simulated = any(view.started.simulated for view in facts.sessions)
    warning = "Sessions of simulated animals are in it: nothing here says anything about a rat."
    body = joined(
        element("h1", facts.name),
        element("p", _about(facts), class_="about"),
        element("p", warning, class_="warning") if simulated else NOTHING,
        *(
            element(
                "p", f"The journal of {source.name} was changed or is damaged; see Journal below.", class_="warning"
            )
            for source in facts.sources
            if source.problems
        ),
        element("nav", *(element("a", one.title, href=f"#{one.anchor}") for one in sections)),
        *(element("section", element("h2", one.title), one.body, id=one.anchor) for one in sections),
    )
    head = element(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", facts.name),
        element("style", Html(CSS + STUDY_CSS + STRIP_CSS)),
    )
    return Html(f"<!doctype html>\n{element('html', head, element('body', body), lang='en')}\n")


def _about(facts: StudyFacts) -> str:
    first, last = facts.sessions[0], max(view.last_utc or view.started_utc for view in facts.sessions)
    folders = f"{len(facts.sources)} study folders, " if len(facts.sources) > 1 else ""
    n_animals, n_sessions = len(facts.animals), len(facts.sessions)
    return (
        f"{folders}{n_animals} animal{'' if n_animals == 1 else 's'}, "
        f"{n_sessions} session{'' if n_sessions == 1 else 's'}, {first.started_utc:%Y-%m-%d} to {last:%Y-%m-%d}"
    )
