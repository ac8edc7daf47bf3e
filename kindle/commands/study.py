"""`kindle study` and `kindle animal`."""

from pathlib import Path

import click

STUDY = click.option(
    "--study", "folder", type=click.Path(path_type=Path), required=True, help="The study folder.", metavar="DIR"
)


@click.group()
def study() -> None:
    """Make and look at study folders."""


@study.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="The study's name; default: the folder's.")
@click.option("--preset", default="hannover_ascending", show_default=True, help="Threshold preset.")
def init(folder: Path, name: str | None, preset: str) -> None:
    """Make a study in FOLDER, with a commented study.toml to fill in."""
    from kindle.presets import load_threshold_preset
    from kindle.study import create_study
    from kindle.study_template import study_toml

    create_study(folder, study_toml(name or folder.resolve().name, load_threshold_preset(preset)))
    click.echo(f"{folder}: study made. Fill in what the preset leaves open: {folder / 'study.toml'}")


@study.command()
@click.argument("folder", type=click.Path(path_type=Path))
def show(folder: Path) -> None:
    """List the sessions of the study in FOLDER with their outcomes."""
    from kindle.protocols.threshold import describe
    from kindle.study import open_study

    with open_study(folder) as opened:
        click.echo(f"{opened.config.name}: {len(opened.animals())} animals, preset {opened.config.preset}")
        for view in opened.sessions():
            outcome = describe(view.outcome) if view.outcome else "unfinished: kindle run resumes it, study end ends it"
            click.echo(f"  {view.id}  {len(view.trials)} trains  {outcome}")


@study.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--animal", "animal_id", required=True, metavar="ID")
@click.option("--reason", required=True, help="Why it is not resumed; stands in the journal and in the report.")
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


@animal.command()
@STUDY
@click.argument("id")
@click.option("--strain", default="")
@click.option("--sex", default="")
@click.option("--note", default="")
def add(folder: Path, id: str, strain: str, sex: str, note: str) -> None:
    """Add the animal ID to a study."""
    from kindle.rows import Animal
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as opened:
        opened.add_animal(Animal(id, strain=strain, sex=sex, note=note), utc_now())
    click.echo(f"{id} added to {folder}")


@animal.command("list")
@STUDY
def list_(folder: Path) -> None:
    """List the animals of a study."""
    from kindle.study import open_study

    with open_study(folder) as opened:
        for known in opened.animals().values():
            click.echo("\t".join((known.id, known.species, known.strain, known.sex, known.note)))
