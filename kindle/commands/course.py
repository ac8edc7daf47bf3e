"""`kindle due`, `score`, `amend`, `preview` and `show`: the days of a study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindle.commands.study import FOLDER, STUDY

if TYPE_CHECKING:
    from kindle.course_plan import Standing
    from kindle.study import Study

BY = click.option("--by", "author", required=True, metavar="NAME", help="Who enters this.")


@click.command(short_help="Who is due for what now, and why.")
@FOLDER
@click.option("--animal", "animal_id", metavar="ID", help="One animal only.")
def due(folder: Path, animal_id: str | None) -> None:
    """Tell for each animal of STUDY what is due now and why, or until when nothing is.

    The journal decides, by the rules under [course] in study.toml; nothing is stored besides.
    """
    from kindle.course import standing
    from kindle.course_in_force import course_of
    from kindle.ledger_view import ledger_of
    from kindle.session import utc_now
    from kindle.sharing import freshened
    from kindle.study import open_study

    now = utc_now().astimezone()
    with open_study(folder) as study:
        if (stale := freshened(study)) is not None:
            click.echo(stale)
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
    click.echo(f"{animal_id}: stage {scored.stage:g} on {scored.scale} for journal row {scored.trial_row}")


@click.command(short_help="Acknowledge an alarm for status epilepticus.")
@STUDY
@click.option("--animal", "animal_id", required=True, metavar="ID")
@BY
def acknowledge(folder: Path, animal_id: str, author: str) -> None:
    """Say that somebody has seen to an animal after an alarm for status epilepticus: until then it gets no train."""
    from kindle.keeping import acknowledge as write
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as study:
        alarm = write(study, animal_id, author, utc_now())
    click.echo(f"{animal_id}: the alarm of session {alarm.session} ({alarm.cause}) is acknowledged by {author}")


@click.command(short_help="Correct a value, or a reading; the old one stays.")
@STUDY
@click.argument("row")
@click.argument("key")
@click.argument("value")
@click.option("--animal", "animal_id", metavar="ID", help="Refuse a trial of any other animal.")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is corrected.")
@BY
def amend(folder: Path, row: str, key: str, value: str, animal_id: str | None, reason: str, author: str) -> None:
    """Correct KEY of ROW to VALUE. A new row names the old one, the author and the reason; nothing is overwritten.

    ROW is a row of the journal, or a trial as SESSION:NUMBER. Times are seconds from the end of the train.

    \b
    kindle amend ... 41 stage 4                          the stage of a trial
    kindle amend ... 41 onset 2.5                        of its first discharge
    kindle amend ... 41 end 43.1
    kindle amend ... 41 discharges 2.5-43.1,50-61.2      all of them
    kindle amend ... 41 verdict none                     or undetermined, or void
    kindle amend ... 12 weight_g 251                     of a weight; also strain, sex, note of an animal
    """
    from kindle.keeping import amend as write
    from kindle.session import utc_now
    from kindle.study import open_study
    from kindle.tracing import stage_row, trial_row
    from kindle.typed_readings import KEYS

    with open_study(folder) as study:
        seq = trial_row(study, row)
        if (key, value) == ("verdict", "void"):
            click.echo(_called_void(study, seq, animal_id, author, reason))
            return
        if key in KEYS:
            click.echo(_read_anew(study, seq, key, value, animal_id, author, reason))
            return
        if key == "stage":
            seq, key = stage_row(study, seq)
        amended = write(study, seq, key, _number_or_text(value), author, reason, utc_now(), animal=animal_id)
    click.echo(f"{key} of row {seq}: {amended.old} is now {amended.new}")


def _called_void(study: "Study", seq: int, animal_id: str | None, author: str, reason: str) -> str:
    from kindle.amending import void_trial
    from kindle.protocols.catalogue import describe_outcome
    from kindle.session import utc_now

    void_trial(study, seq, author, reason, utc=utc_now(), animal=animal_id)
    mine = (view for view in study.sessions(amended=True) if not view.rig_of_journal)
    view = next(view for view in mine if seq in view.reply_seqs)
    came_to = "not over" if view.outcome is None else describe_outcome(view.outcome)
    return f"row {seq}: the trial is void from now on; {view.id}: {came_to}"


def _read_anew(study: "Study", seq: int, key: str, value: str, animal_id: str | None, author: str, reason: str) -> str:
    from kindle.amending import amend_afterdischarges, trial_at
    from kindle.session import utc_now
    from kindle.typed_readings import reading_text, typed_reading

    trial = trial_at(study, seq)
    new = typed_reading(trial, key, value)
    amended = amend_afterdischarges(
        study, seq, new.discharges, author, reason, utc=utc_now(), verdict=new.verdict, animal=animal_id
    )
    return f"row {seq}: {reading_text(trial, amended.old)} is now {reading_text(trial, amended.new)}"


def _number_or_text(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


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
@click.argument("protocol", type=click.Choice(["threshold", "kindling", "drug-test", "ptz", "electroshock"]))
@STUDY
@click.option("--animal", "animal_id", required=True, metavar="ID")
@click.option("--rig", metavar="FILE", help="As for kindle run.")
@click.option("--treatment", default="control", show_default=True, metavar="NAME", help="Of study.toml.")
@click.option("--although", default="", metavar="REASON", help="As for kindle run.")
def preview(protocol: str, folder: Path, animal_id: str, rig: str | None, treatment: str, although: str) -> None:
    """Say the worst-case currents, number of trains, charge and length of PROTOCOL before anything is armed."""
    from kindle.commands.run import preparation, rig_of
    from kindle.previewing import preview as lines
    from kindle.rig_config import load_rig
    from kindle.study import open_study

    with open_study(folder) as study:
        prepared = preparation(protocol, animal_id, treatment, although=although)(
            study, load_rig(rig or rig_of(folder))
        )
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
