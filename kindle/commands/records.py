"""`kindle report`, `kindle verify`, `kindle recover`: what was written, shown, checked and mended."""

from pathlib import Path

import click

from kindle.commands.study import FOLDER


@click.command(short_help="Write the report of a study, or of a session.")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="STUDY...")
@click.option("--session", metavar="ID", help="The page of this session instead; kindle study show lists them.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="PATH", help="Where to write it; with --session the page itself."
)
def report(folders: tuple[Path, ...], session: str | None, out: Path | None) -> None:
    """Write the report of a study to STUDY/report: animals, thresholds, kindling, drugs, methods, signals.

    One HTML page that opens in any browser and needs no network, with its figures as SVG and PNG and its tables as CSV,
    ready for Prism, beside it. A study with a folder for each rig takes them all, or the folder that they lie in, and
    is reported in FOLDER/report there. With --session the page of one session, in STUDY/reports.
    """
    from kindle.errors import ConfigError
    from kindle.report import write_joint_report, write_session_report
    from kindle.report.study_sources import report_folder, study_folders
    from kindle.sharing import freshened
    from kindle.study import open_study

    if session is None:
        found = study_folders(folders)
        for folder in found:
            with open_study(folder) as study:
                if (stale := freshened(study)) is not None:
                    click.echo(stale, err=True)
        click.echo(write_joint_report(found, out or report_folder(folders, found)))
        return
    if len(folders) != 1:
        raise ConfigError(f"--session takes the one study folder that the session is in, not {len(folders)} folders")
    with open_study(folders[0]) as study:
        click.echo(write_session_report(study, session, out))


@click.command(short_help="Check that nothing written was changed or lost.")
@FOLDER
def verify(folder: Path) -> None:
    """Check the journal, every recorded block, the headers and the markers of a study against their checksums.

    Rows cut off the journal's end are told by the recordings, trains, markers and reports that rest on them. Changes
    nothing. Each finding is a line that names the file, and the row or the samples. Told besides: gaps in the
    signal, what cannot be checked, and how fast the sample clock ran against the computer's.
    """
    from kindle.errors import KindleError
    from kindle.study import check_folder
    from kindle.verification import notes_on, verify_study

    check_folder(folder)
    problems = verify_study(folder)
    for problem in problems:
        click.echo(str(problem))
    if problems:
        found = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise KindleError(f"{folder}: {found} found, listed above; compare the files with a copy before going on")
    for note in notes_on(folder):
        click.echo(note)
    click.echo(f"{folder}: journal and recordings are whole")


@click.command(short_help="Trim the torn end of a recording.")
@click.argument("recording", type=click.Path(path_type=Path), metavar="STUDY/recordings/ANIMAL/SESSION")
def recover(recording: Path) -> None:
    """Trim the torn end of a recording that a crash or a power cut left behind.

    What is cut is kept beside it in tail.bin. Opening a recording through kindle does the same by itself.
    """
    from kindle.recording import recover as recover_recording

    recovered = recover_recording(recording)
    for cut in recovered.cuts:
        kept = f"kept in {cut.kept_in}" if cut.kept_in else "torn lines, not kept"
        click.echo(f"{recording / cut.file}: {cut.n_bytes} bytes cut, {kept}")
    done = "" if recovered.cuts else ", nothing to cut"
    click.echo(f"{recording}: {recovered.n_samples} samples{done}")
