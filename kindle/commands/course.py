"""`kindle due`, `score`, `amend`, `preview` and `show`: the days of a study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindle.commands.study import FOLDER, STUDY

if TYPE_CHECKING:
    from kindle.course_plan import Standing

BY = click.option("--by", "author", required=True, metavar="NAME", help="Who enters this.")


@click.command(short_help="Who is due for what now, and why.")
@FOLDER
@click.option("--animal", "animal_id", metavar="ID", help="One animal only.")
def due(folder: Path, animal_id: str | None) -> None:
    """Tell for each animal of STUDY what is due now and why, or until when nothing is.

    The journal decides, by the rules under [course] in study.toml; nothing is stored besides.
    """
    from kindle.course import standing
    from kindle.ledger_view import ledger_of
    from kindle.preparing import course_of
    from kindle.session import utc_now
    from kindle.study import open_study

    now = utc_now().astimezone()
    with open_study(folder) as study:
        ids = [animal_id] if animal_id else sorted(study.animals())
        if not ids:
            click.echo(f"{folder} has no animals yet; add one with: kindle animal add --study {folder} ID")
        for id in ids:
            study.animal(id)
            plan = course_of(study, id)
            ledger = ledger_of(study.journal, id, now.tzinfo)
            told = standing(ledger, plan, now, study.config.animals)
            click.echo(f"{id}  {told.state}: {_next(told)}")
            for flag in told.flags:
                click.echo(f"{' ' * len(id)}  ! {flag}")


def _next(told: "Standing") -> str:
    from kindle.course_plan import Due, NeedsPerson, Over, Wait

    match told.next:
        case Due(protocol, reason, condition):
            return f"DUE {protocol}{f' ({condition})' if condition else ''}: {reason}"
        case Wait(until, reason):
            return f"not before {until:%a %Y-%m-%d %H:%M}: {reason}"
        case NeedsPerson(reason):
            return f"TO DECIDE: {reason}"
        case Over(reason):
            return reason


@click.command(short_help="Enter the stage of a trial that waits for one.")
@STUDY
@click.option("--animal", "animal_id", required=True, metavar="ID")
@click.option("--stage", type=float, required=True, metavar="NUMBER", help="On the scale of the trial.")
@click.option("--row", type=int, metavar="ROW", help="Journal row of the trial; default: the only one that waits.")
@BY
def score(folder: Path, animal_id: str, stage: float, row: int | None, author: str) -> None:
    """Enter the stage of a trial after its session, from video or by another observer."""
    from kindle.keeping import score_trial
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as study:
        scored = score_trial(study, animal_id, stage, author, utc_now(), trial_row=row)
    click.echo(f"{animal_id}: stage {scored.stage:g} on {scored.scale} for the train of journal row {scored.trial_row}")


@click.command(short_help="Correct a value; the old one stays in the journal.")
@STUDY
@click.argument("row", type=int)
@click.argument("key")
@click.argument("value")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is corrected.")
@BY
def amend(folder: Path, row: int, key: str, value: str, reason: str, author: str) -> None:
    """Correct KEY of journal row ROW to VALUE, such as: kindle amend 41 reply.stage 4

    Stages, weights and what is said of an animal can be amended. A new row names the old one, the author and the
    reason; nothing that was written is changed.
    """
    from kindle.keeping import amend as write
    from kindle.session import utc_now
    from kindle.study import open_study

    try:
        new: float | str = float(value)
    except ValueError:
        new = value
    with open_study(folder) as study:
        amended = write(study, row, key, new, author, reason, utc_now())
    click.echo(f"{key} of row {row}: {amended.old} is now {amended.new}")


@click.command(short_help="The rows and samples behind a trial.")
@STUDY
@click.argument("trial")
def show(folder: Path, trial: str) -> None:
    """Show everything that stands behind TRIAL, given as SESSION:NUMBER or as its row in the journal."""
    from kindle.study import open_study
    from kindle.tracing import trace, trial_row

    with open_study(folder) as study:
        for line in trace(study, trial_row(study, trial)):
            click.echo(line)


@click.command(short_help="The worst that a protocol may deliver to an animal.")
@click.argument("protocol", type=click.Choice(["threshold", "kindling", "drug-test", "ptz"]))
@STUDY
@click.option("--animal", "animal_id", required=True, metavar="ID")
@click.option("--rig", metavar="FILE", help="As for kindle run.")
@click.option("--treatment", default="control", show_default=True, metavar="NAME", help="Of study.toml.")
def preview(protocol: str, folder: Path, animal_id: str, rig: str | None, treatment: str) -> None:
    """Say the worst-case currents, number of trains, charge and length of PROTOCOL before anything is armed."""
    from kindle.commands.run import preparation, rig_of
    from kindle.previewing import preview as lines
    from kindle.rig_config import load_rig
    from kindle.study import open_study

    with open_study(folder) as study:
        prepared = preparation(protocol, animal_id, treatment)(study, load_rig(rig or rig_of(folder)))
        for line in lines(prepared):
            click.echo(line)


@click.command(short_help="Open the codes of a blinded study; the act is written down.")
@FOLDER
@click.option(
    "--key", "key_file", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The key of the codes."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why the codes are opened.")
@BY
def unblind(folder: Path, key_file: Path, reason: str, author: str) -> None:
    """Open the codes of STUDY with their key. Who did it, when and why stands in the journal from then on."""
    from kindle.blinding import unblind as open_codes
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as study:
        treatments = open_codes(study, key_file, author, reason, utc_now())
    for code, treatment in treatments.items():
        click.echo(f"{code}  {treatment}")
