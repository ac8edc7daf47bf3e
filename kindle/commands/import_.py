"""`kindle import`: a recording of another program into a study."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindle.commands.study import STUDY

if TYPE_CHECKING:
    from drivers.interface import Role
    from kindle.rows import RecordingImported

ROLES = ("eeg", "stimulus_ttl", "current_monitor", "aux")


@click.command("import", short_help="Take a recording of another program into a study.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@STUDY
@click.option("--animal", required=True, metavar="ID", help="Whose recording it is.")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    metavar="NAME",
    help="Only this channel, or those that match a pattern such as 'HPC*'; repeatable.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="NAME=ROLE",
    help=f"What a channel is for: {', '.join(ROLES)}; repeatable. Default: by its type, name and unit.",
)
@click.option(
    "--start",
    metavar="TIME",
    help="When it began, with its time zone, such as 2026-03-04T09:30+01:00. Default: as the file says, taken as UTC.",
)
@click.option("--note", default="", metavar="TEXT", help="Whatever the journal should say of it.")
def import_(
    file: Path,
    folder: Path,
    animal: str,
    channels: tuple[str, ...],
    roles: tuple[str, ...],
    start: str | None,
    note: str,
) -> None:
    """Take FILE into a study as a recording of an animal.

    Reads what kindle detect reads. The signal is written as kindle writes its own, annotations become markers, and the
    journal keeps the digest of the file, which itself stays where it is. 16-bit files keep their counts; others are
    rounded to the step that is told.
    """
    from rich.progress import Progress

    from kindle.importing import Wanted, import_recording
    from kindle.session import utc_now
    from kindle.study import open_study

    wanted = Wanted(channels, dict(map(_role, roles)), _moment(start), note)
    with open_study(folder) as study, Progress(transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(file.name, total=1.0)
        row = import_recording(study, animal, file, wanted, utc_now(), lambda share: bar.update(task, completed=share))
    for line in _told(row):
        click.echo(line)


def _role(text: str) -> "tuple[str, Role]":
    name, equals, role = text.rpartition("=")
    for known in ("eeg", "stimulus_ttl", "current_monitor", "aux"):
        if equals and role == known:
            return name, known
    raise click.BadParameter(f"{text!r} is not NAME=ROLE with one of: {', '.join(ROLES)}", param_hint="--role")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time such as 2026-03-04T09:30+01:00", param_hint="--start") from None
    if moment.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no time zone: write it behind, as in +01:00 or Z", param_hint="--start")
    return moment


def _told(row: "RecordingImported") -> "list[str]":
    n_channels = "1 channel" if len(row.channels) == 1 else f"{len(row.channels)} channels"
    lines = [
        f"{row.folder}: {n_channels}, {row.n_samples / row.rate_hz:.1f} s at {row.rate_hz:g} Hz, "
        f"began {row.start_utc}" + ("" if row.start_known else " (the time of the import: the file does not say)")
    ]
    for channel in row.channels:
        renamed = "" if channel.name == channel.source else f" (in the file {channel.source!r})"
        kept = (
            "counts as they were" if channel.exact else f"rounded to steps of {channel.resolution:.3g} {channel.unit}"
        )
        lines.append(f"  {channel.name}{renamed}: {channel.role}, {kept}")
    if row.left_out:
        lines.append(f"  left out: {', '.join(row.left_out)}")
    lines += [f"  about {n_lost} samples are missing before sample {sample}" for sample, n_lost in row.gaps]
    if row.altered_notes:
        n_altered = len(row.altered_notes)
        what = "1 annotation" if n_altered == 1 else f"{n_altered} annotations"
        lines.append(f"  {what} could not become markers as they were; the journal has the text")
    return lines
