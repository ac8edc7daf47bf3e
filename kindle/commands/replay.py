"""`kindle replay`: a stored session through the whole rig again."""

from pathlib import Path

import click


@click.command()
@click.argument("session", type=click.Path(path_type=Path), metavar="STUDY/recordings/ANIMAL/SESSION")
def replay(session: Path) -> None:
    """Run a stored session's protocol again on its own recording, and compare what comes out."""
    from kindle.errors import KindleError
    from kindle.progress import Done, Progress
    from kindle.protocols.threshold import describe
    from kindle.replaying import replay_session
    from kindle.terminal import trial_line

    def told(progress: Progress) -> None:
        if isinstance(progress, Done):
            click.echo(trial_line(progress.trial))

    replayed = replay_session(session, told)
    click.echo(f"recorded: {describe(replayed.recorded)}")
    click.echo(f"replayed: {describe(replayed.now)}")
    if not replayed.same:
        raise KindleError(
            f"{replayed.session}: the replay does not give what was recorded; another detector version or other "
            "parameters are in force"
        )
    click.echo("the same outcome, trial by trial and to the sample")
