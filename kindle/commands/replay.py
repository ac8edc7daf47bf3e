"""`kindle replay`: a stored session through the whole rig again."""

from pathlib import Path

import click


@click.command(short_help="Run a stored session again on its own recording.")
@click.argument("session", type=click.Path(path_type=Path), metavar="STUDY/recordings/ANIMAL/SESSION")
def replay(session: Path) -> None:
    """Run a stored session's protocol again on its own recording, and compare what comes out.

    Nothing is stimulated and nothing is written into the study.
    """
    from drivers.interface import DeviceRefused, DriverError
    from kindle.errors import KindleError
    from kindle.progress import Done, Progress
    from kindle.protocols.catalogue import describe_outcome as describe
    from kindle.replaying import replay_session
    from kindle.study import CONFIG
    from kindle.terminal import trial_line

    def told(progress: Progress) -> None:
        if isinstance(progress, Done):
            click.echo(trial_line(progress.trial))

    if (session / CONFIG).is_file():
        raise KindleError(f"{session} is a study; give one of its recordings: {session}/recordings/ANIMAL/SESSION")
    try:
        replayed = replay_session(session, told)
    except DeviceRefused as error:
        raise KindleError(f"{session} cannot be replayed: {error}") from error
    except DriverError as error:
        raise KindleError(
            f"{session} ends before its protocol does, so part of it is missing or damaged ({error}); run kindle verify"
        ) from error
    click.echo(f"recorded: {describe(replayed.recorded)}")
    click.echo(f"replayed: {describe(replayed.now)}")
    if not replayed.same:
        raise KindleError(
            f"{replayed.session}: the replay does not give what was recorded; another detector version or other "
            "parameters are in force"
        )
    click.echo("the same outcome, trial by trial and to the sample")
