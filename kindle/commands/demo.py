"""`kindle demo`: a whole threshold test, or a whole study, without hardware."""

from pathlib import Path

import click


@click.command(short_help="A whole threshold test, or study, without hardware.")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    default=Path("kindle-demo"),
    show_default=True,
    help="Study folder to make; a number is added where it exists.",
)
@click.option("--threshold-ua", type=click.FloatRange(1, 900), default=None, help="Plant this threshold in the rat.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which simulated rat, or rats.")
@click.option("--study", "whole", is_flag=True, help="A whole study instead, in process: takes some minutes.")
@click.option("--rats", type=click.IntRange(4, 400), default=32, show_default=True, help="Of a whole study.")
def demo(folder: Path, threshold_ua: float | None, seed: int, whole: bool, rats: int) -> None:
    """Run an afterdischarge threshold test on the emulated rig, from the first train to the report.

    The real nidaqmx client reads an emulated NI board and the real pyserial programmes an emulated Pulse Pal; a
    simulated rat hears the current that comes out of it. With --study a population of rats goes from the threshold
    through kindling to a dose-response of valproate, and what was found is held against what was planted.
    """
    if whole:
        if threshold_ua is not None:
            raise click.UsageError("--threshold-ua plants one threshold; the rats of --study draw their own")
        _whole_study(folder, rats, seed)
        return
    from kindle.commands.run import run_threshold_at_terminal
    from kindle.demonstration import DEMO_ANIMAL, demo_rig, demo_study
    from kindle.report import write_session_report
    from kindle.study import open_study
    from kindle.terminal import console

    study_folder = demo_study(folder)
    rig = demo_rig(study_folder, seed, threshold_ua)
    finished = run_threshold_at_terminal(study_folder, DEMO_ANIMAL, str(rig), None, "ask")
    with open_study(study_folder) as study:
        page = write_session_report(study, finished.session)
    console().print(f"report: {page}")


def _whole_study(folder: Path, n_rats: int, seed: int) -> None:
    from rich.progress import Progress

    from kindle.demonstration import free_folder
    from kindle.recovery import told
    from kindle.simulated_study import PLANTED_ED50_MG_PER_KG, run_simulated_study
    from kindle.terminal import console

    free = free_folder(folder)
    with Progress(console=console(), transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def tell(share: float, what: str) -> None:
            bar.update(task, completed=share, description=what)

        findings = run_simulated_study(free, n_rats=n_rats, seed=seed, tell=tell)
    for line in told(findings, PLANTED_ED50_MG_PER_KG):
        click.echo(line)
    click.echo(f"the study folders of the rigs: {free}")
