"""`kindle report`, `kindle verify`, `kindle recover`: what was written, shown, checked and mended."""

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="STUDY")
@click.option("--session", help="Only this session.")
def report(folder: Path, session: str | None) -> None:
    """Write the report pages of a study's sessions."""
    from kindle.report import write_session_report
    from kindle.study import open_study

    with open_study(folder) as study:
        views = study.sessions() if session is None else [study.session(session)]
        for view in views:
            click.echo(write_session_report(study, view.id))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="STUDY")
def verify(folder: Path) -> None:
    """Check the journal's chain and every recorded block of a study; says where something was changed."""
    from kindle.errors import KindleError
    from kindle.verification import verify_study

    problems = verify_study(folder)
    for problem in problems:
        click.echo(str(problem))
    if problems:
        raise KindleError(f"{folder}: {len(problems)} problems; the lines above name file, rows and samples")
    click.echo(f"{folder}: journal and recordings are whole")


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
def recover(recording: Path) -> None:
    """Trim the torn end of a recording that was cut off; what is cut is kept in tail.bin."""
    from kindle.recording import recover as recover_recording

    click.echo(str(recover_recording(recording)))
