"""`kindle export`: studies and sessions as other programs want them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kindle.export.contents import Chosen
    from kindle.export.destination import Meter
    from kindle.study import Study

    Writer = Callable[[Study, Chosen, Path, Meter], list[Path]]

WHAT = click.argument("what", type=click.Path(path_type=Path), metavar="STUDY-or-RECORDING")
OUT = click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
SESSION = click.option("--session", "sessions", multiple=True, metavar="ID", help="Only this session; repeatable.")
FORCE = click.option("--force", is_flag=True, help="Replace an earlier export of the same format.")


@click.group(short_help="Write a study as NWB, EDF+, BIDS, FIF or tables.")
def export() -> None:
    """Write a study, or the session of one recording, as NWB, EDF+, BIDS, FIF or tables.

    OUT is a new folder. It is there whole or not at all, and kindle_export.json in it says what it was made of.
    After a gap every format goes on in a further file or series, at the right time. Of a blinded study codes are
    written, never treatments.
    """


@export.command(short_help="NWB, one file for each session.")
@WHAT
@OUT
@SESSION
@FORCE
def nwb(what: Path, out: Path, sessions: tuple[str, ...], force: bool) -> None:
    """Write NWB: signals, stimulus, trials, afterdischarges, doses, parameters and software. Needs the extra nwb."""
    from kindle.export.nwb import write_nwb

    _export(what, out, sessions, force, "nwb", write_nwb)


@export.command(short_help="EDF+, one file for each stretch of signal.")
@WHAT
@OUT
@SESSION
@FORCE
def edf(what: Path, out: Path, sessions: tuple[str, ...], force: bool) -> None:
    """Write EDF+ with annotations; the 16-bit counts stay what they were."""
    from kindle.export.edf import write_edf

    _export(what, out, sessions, force, "edf", lambda _study, *rest: write_edf(*rest))


@export.command(short_help="A BIDS dataset of intracranial EEG.")
@WHAT
@OUT
@SESSION
@FORCE
def bids(what: Path, out: Path, sessions: tuple[str, ...], force: bool) -> None:
    """Write a BIDS dataset with the recordings as they are, and the tables as derivatives. Needs the extra bids."""
    from kindle.export.bids import write_bids

    _export(what, out, sessions, force, "bids", write_bids)


@export.command(short_help="FIF files for MNE.")
@WHAT
@OUT
@SESSION
@FORCE
def mne(what: Path, out: Path, sessions: tuple[str, ...], force: bool) -> None:
    """Write FIF files with annotations. From Python kindle.open_recording(path) gives the same without a copy."""
    from kindle.export.fif import write_fif

    _export(what, out, sessions, force, "mne", write_fif)


@export.command(short_help="Tidy CSV, a codebook, and tables for Prism.")
@WHAT
@OUT
@SESSION
@FORCE
def tables(what: Path, out: Path, sessions: tuple[str, ...], force: bool) -> None:
    """Write one row for each animal, session, train, afterdischarge, dose and observation."""
    from kindle.export.tables import write_tables

    _export(what, out, sessions, force, "tables", lambda study, chosen, folder, _: write_tables(study, chosen, folder))


def _export(what: Path, out: Path, sessions: tuple[str, ...], force: bool, format: str, write: "Writer") -> None:
    from rich.progress import Progress

    from kindle.errors import ConfigError
    from kindle.export.contents import contents_of, study_of
    from kindle.export.destination import Meter, new_folder
    from kindle.study import open_study

    folder, recording = study_of(what)
    if recording and sessions:
        raise click.UsageError("a recording names its session already: give the study with --session, or a recording")
    with open_study(folder) as study:
        chosen = contents_of(study, sessions, recording)
        with (
            Progress(transient=True, disable=not sys.stderr.isatty()) as bar,
            new_folder(out, study, chosen, format, force=force) as made,
        ):
            task = bar.add_task(f"{format} of {study.config.name}", total=1.0)
            meter = Meter(chosen.n_samples, lambda share: bar.update(task, completed=share))
            written = write(study, chosen, made, meter)
            if not written:
                raise ConfigError(f"{what} holds no signals to export as {format}: write its tables instead")
    if format != "tables":
        for missing in chosen.left_out:
            click.echo(f"left out: {missing}", err=True)
    click.echo(f"{out}: {len(written)} {'file' if len(written) == 1 else 'files'}")
