"""`kindle demo`: a whole threshold test without hardware."""

from pathlib import Path

import click


@click.command(short_help="A whole threshold test without hardware.")
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
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which simulated rat.")
def demo(folder: Path, threshold_ua: float | None, seed: int) -> None:
    """Run an afterdischarge threshold test on the emulated rig, from the first train to the report.

    The real nidaqmx client reads an emulated NI board and the real pyserial programmes an emulated Pulse Pal; a
    simulated rat hears the current that comes out of it.
    """
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
