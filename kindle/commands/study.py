"""`kindle study` and `kindle animal`."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from kindle.kindling_presets import KindledPreset, KindlingPreset
    from kindle.ledger import EventKind

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
    from kindle.presets import load_threshold_preset, needed_fields, threshold_presets, unavailable

    for name in threshold_presets():
        preset = load_threshold_preset(name)
        click.echo(f"{name}: {preset.label}")
        click.echo(f"  {preset.citation}")
        n_open = len(needed_fields(preset))
        click.echo(f"  {n_open} {'value' if n_open == 1 else 'values'} to fill in")
        for field, stated in unavailable(preset).items():
            click.echo(f"  its {field}, {stated}, is not available yet: the laboratory sets another")


@study.command(short_help="List the published kindling schedules and criteria.")
def schedules() -> None:
    """List the published kindling schedules, and the criteria of full kindling, that a study can take."""
    from kindle.kindling_presets import KindledPreset, KindlingPreset, load_preset, open_fields_of, presets_of

    for name in presets_of(KindlingPreset):
        _listed("schedule", load_preset(KindlingPreset, name), open_fields_of(load_preset(KindlingPreset, name)))
    for name in presets_of(KindledPreset):
        _listed("criterion", load_preset(KindledPreset, name), open_fields_of(load_preset(KindledPreset, name)))


def _listed(kind: str, preset: "KindlingPreset | KindledPreset", missing: tuple[str, ...]) -> None:
    click.echo(f'{kind} = "{preset.id}": {preset.label}')
    click.echo(f"  {preset.citation}")
    click.echo(f"  to fill in: {', '.join(missing) or 'nothing'}")


@study.command(short_help="List the sessions and their outcomes.")
@FOLDER
def show(folder: Path) -> None:
    """List the sessions of a study with the rig, the number of trains and the outcome of each."""
    from kindle.protocols.catalogue import describe_outcome as describe
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
    from kindle.protocols.catalogue import describe_outcome as describe
    from kindle.session import end_unfinished
    from kindle.study import open_study

    with open_study(folder) as opened:
        finished = end_unfinished(opened, animal_id, reason)
    click.echo(f"{finished.session}: {describe(finished.outcome)}")


@study.command(short_help="Draw who gets which treatment in which order.")
@FOLDER
@click.option(
    "--kind", type=click.Choice(["latin_square", "blocks"]), default="blocks", show_default=True, help="Of design."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="The same seed gives the same design. Default: by chance.",
)
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True, help="Blocks for each animal.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Blind the study: the journal gets codes only, this file what they mean. Keep it away from the study.",
)
def design(folder: Path, kind: str, seed: int | None, repeats: int, key_file: Path | None) -> None:
    """Draw the order of the [[treatments]] of study.toml for every animal of STUDY, once and for all."""
    if key_file is not None and seed is not None:
        raise click.UsageError("a blinded design takes its seed by chance: who knows the seed knows the design")
    import secrets

    from kindle.blinding import store_design
    from kindle.design import blocks, latin_square
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as opened:
        seed = secrets.randbits(32) if seed is None else seed
        animals = sorted(opened.animals())
        treatments = [treatment.name for treatment in opened.config.treatments]
        if kind == "blocks":
            drawn = blocks(animals, treatments, seed, repeats=repeats)
        else:
            drawn = latin_square(animals, treatments, seed)
        shown = store_design(opened, drawn, utc_now(), key_file=key_file)
    for id, order in shown.orders.items():
        click.echo(f"{id}  {', '.join(order)}")


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
