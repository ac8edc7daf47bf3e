"""`kindle study` and `kindle animal`."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kindle.ledger import EventKind
    from kindle.study import Study

FOLDER = click.argument("folder", type=click.Path(path_type=Path), metavar="STUDY")
STUDY = click.option(
    "--study", "folder", type=click.Path(path_type=Path), required=True, help="The study folder.", metavar="DIR"
)


@click.group()
def study() -> None:
    """Make and look at study folders."""


@study.command(short_help="Make a study folder.")
@FOLDER
@click.option("--name", metavar="TEXT", help="The study's name; default: the folder's.")
@click.option(
    "--preset",
    default="hannover_ascending",
    show_default=True,
    metavar="NAME",
    help="Published threshold protocol to begin with; kindle study presets lists them.",
)
def init(folder: Path, name: str | None, preset: str) -> None:
    """Make a study in STUDY, with a commented study.toml to fill in.

    What the publication leaves open, such as the highest current, is for the laboratory to set there.
    """
    from kindle.presets import load_threshold_preset
    from kindle.study import create_study
    from kindle.study_template import study_toml

    create_study(folder, study_toml(name or folder.resolve().name, load_threshold_preset(preset)))
    click.echo(f"{folder}: study made. Fill in what the preset leaves open: {folder / 'study.toml'}")


@study.command(short_help="List the sessions and their outcomes.")
@FOLDER
def show(folder: Path) -> None:
    """List the sessions of a study with the rig, the number of trains and the outcome of each.

    Of a blinded study codes are told, and treatments from the moment on that somebody has opened them.
    """
    from kindle.blinding import opened_act
    from kindle.imported import imported_recordings
    from kindle.opened_codes import outcome_with_codes_opened
    from kindle.protocols.catalogue import describe_outcome as describe
    from kindle.sharing import freshened
    from kindle.study import open_study

    with open_study(folder) as opened:
        if (stale := freshened(opened)) is not None:
            click.echo(stale)
        sessions = opened.sessions(amended=True)
        click.echo(
            f"{opened.config.name}: {_counted(len(opened.animals()), 'animal')}, "
            f"{_counted(len(sessions), 'session')}, preset {opened.config.preset}"
        )
        for line in _design(opened):
            click.echo(line)
        act = opened_act(opened)
        for view in sessions:
            outcome = (
                describe(outcome_with_codes_opened(view.outcome, act))
                if view.outcome
                else "unfinished: kindle run resumes it, kindle study end ends it"
            )
            elsewhere = f", on {view.rig_of_journal}" if view.rig_of_journal else ""
            click.echo(f"  {view.id}  {_counted(len(view.trials), 'train')}, rig {view.started.rig}{elsewhere}")
            click.echo(f"    {outcome}")
        for told in imported_recordings(opened):
            click.echo(f"  {told.id}  imported from {told.source}, {told.n_samples / told.rate_hz:.1f} s")


def _design(opened: "Study") -> "Iterator[str]":
    """Who gets what in which order, and who opened the codes when."""
    from kindle.blinding import codes_of, design_of, in_the_open, opened_act

    design, act = design_of(opened), opened_act(opened)
    if design is None:
        return
    seed = "seed in its key" if codes_of(opened) else f"seed {design.seed}"
    yield f"design: {design.kind.replace('_', ' ')}, {seed}"
    if act is not None:
        told = ", ".join(f"{code} is {treatment}" for code, treatment in act.treatments.items())
        yield f"codes opened by {act.author}: {act.reason}; {told}"
    for id, order in in_the_open(design, act).orders.items():
        yield f"  {id}  {', '.join(order)}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


@study.command(short_help="End an interrupted session instead of resuming it.")
@FOLDER
@click.option("--animal", "animal_id", required=True, metavar="ID", help="Whose session.")
@click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    help="Why it is not resumed; stands in the journal and in the report.",
)
def end(folder: Path, animal_id: str, reason: str) -> None:
    """End the interrupted session of an animal for good, instead of resuming it.

    After a discharge, or a train that may have evoked one, the lock-out for the next session begins now.
    """
    from kindle.protocols.catalogue import describe_outcome as describe
    from kindle.session import end_unfinished
    from kindle.study import open_study

    with open_study(folder) as opened:
        finished = end_unfinished(opened, animal_id, reason)
    click.echo(f"{finished.session}: {describe(finished.outcome)}")


@click.group()
def animal() -> None:
    """Add and list the animals of a study."""


@animal.command(short_help="Add an animal to a study.")
@STUDY
@click.argument("id")
@click.option("--strain", default="", metavar="TEXT", help="Such as Wistar.")
@click.option("--sex", default="", metavar="TEXT", help="Such as f or m.")
@click.option("--note", default="", metavar="TEXT", help="Whatever the report should say of it.")
@click.option("--born", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Of birth, such as 2026-01-31.")
def add(folder: Path, id: str, strain: str, sex: str, note: str, born: "datetime | None") -> None:
    """Add the animal ID to a study.

    Its recordings lie in a folder of this name: letters A to Z, digits, dot, dash and underscore. What is written
    stays: an animal cannot be renamed or removed.
    """
    from kindle.rows import Animal
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as opened:
        date = f"{born:%Y-%m-%d}" if born else ""
        opened.add_animal(Animal(id, strain=strain, sex=sex, note=note, born=date), utc_now())
    click.echo(f"{id} added to {folder}")


@animal.command("list")
@STUDY
def list_(folder: Path) -> None:
    """List the animals of a study: id, species, strain, sex and note."""
    from kindle.study import open_study

    with open_study(folder) as opened:
        animals = opened.animals().values()
        if not animals:
            click.echo(f"{folder} has no animals yet; add one with: kindle animal add --study {folder} ID")
        width = max((len(known.id) for known in animals), default=0)
        for known in animals:
            told = (known.species, known.strain, known.sex, known.note)
            about = ", ".join(" ".join(part.split()) for part in told if part)
            click.echo(f"{known.id:<{width}}  {about}")


@animal.command("show", short_help="Show the life of an animal.")
@STUDY
@click.argument("id")
def show_animal(folder: Path, id: str) -> None:
    """Show the life of the animal ID: weights, events, thresholds, every train and every injection."""
    from kindle.ledger_view import ledger_of
    from kindle.life import life
    from kindle.study import open_study

    with open_study(folder) as opened:
        known = opened.animal(id)
        ledger = ledger_of(opened.journal, id)
        click.echo(" ".join(part for part in (known.id, known.species, known.strain, known.sex) if part))
        for line in life(ledger):
            click.echo(line)


@animal.command(short_help="Enter the weight of an animal.")
@STUDY
@click.argument("id")
@click.argument("grams", type=float)
def weigh(folder: Path, id: str, grams: float) -> None:
    """Enter the weight of the animal ID in grams."""
    from kindle.keeping import weigh as write
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as opened:
        write(opened, id, grams, utc_now())
    click.echo(f"{id}: {grams:g} g")


@animal.command(short_help="Enter what happened to an animal.")
@STUDY
@click.argument("id")
@click.argument("kind", type=click.Choice(["implanted", "rested", "electrode_lost", "excluded", "died", "note"]))
@click.option("--reason", default="", metavar="TEXT", help="Needed for excluded and note.")
def event(folder: Path, id: str, kind: str, reason: str) -> None:
    """Enter that the animal ID was implanted, excluded, died, lost its electrode, or anything else as a note."""
    from kindle.keeping import note_event
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as opened:
        note_event(opened, id, cast("EventKind", kind), reason, utc_now())
    click.echo(f"{id}: {kind.replace('_', ' ')}{f', {reason}' if reason else ''}")
