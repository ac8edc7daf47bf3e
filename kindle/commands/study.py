"""`kindle study` and `kindle animal`."""

from pathlib import Path

import click

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


@study.command(short_help="List the published threshold protocols.")
def presets() -> None:
    """List the published threshold protocols that a study can begin with."""
    from kindle.presets import load_threshold_preset, open_fields, threshold_presets, unavailable

    for name in threshold_presets():
        preset = load_threshold_preset(name)
        click.echo(f"{name}: {preset.label}")
        click.echo(f"  {preset.citation}")
        n_open = len(open_fields(preset))
        click.echo(f"  {n_open} {'value' if n_open == 1 else 'values'} to fill in")
        for field, stated in unavailable(preset).items():
            click.echo(f"  its {field}, {stated}, is not available yet: the laboratory sets another")


@study.command(short_help="List the sessions and their outcomes.")
@FOLDER
def show(folder: Path) -> None:
    """List the sessions of a study with the rig, the number of trains and the outcome of each."""
    from kindle.protocols.threshold import describe
    from kindle.study import open_study

    with open_study(folder) as opened:
        sessions = opened.sessions()
        click.echo(
            f"{opened.config.name}: {_counted(len(opened.animals()), 'animal')}, "
            f"{_counted(len(sessions), 'session')}, preset {opened.config.preset}"
        )
        for view in sessions:
            outcome = (
                describe(view.outcome)
                if view.outcome
                else "unfinished: kindle run resumes it, kindle study end ends it"
            )
            click.echo(f"  {view.id}  {_counted(len(view.trials), 'train')}, rig {view.started.rig}")
            click.echo(f"    {outcome}")


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
    from kindle.protocols.threshold import describe
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
def add(folder: Path, id: str, strain: str, sex: str, note: str) -> None:
    """Add the animal ID to a study.

    Its recordings lie in a folder of this name: letters A to Z, digits, dot, dash and underscore. What is written
    stays: an animal cannot be renamed or removed.
    """
    from kindle.rows import Animal
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as opened:
        opened.add_animal(Animal(id, strain=strain, sex=sex, note=note), utc_now())
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
