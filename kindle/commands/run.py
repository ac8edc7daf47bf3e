"""`kindle run`: protocols on a rig, into a study."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from kindle.commands.study import STUDY

if TYPE_CHECKING:
    from kindle.session import Finished, LastTrain


@click.group()
def run() -> None:
    """Run a protocol on a rig, into a study folder."""


@run.command(short_help="Find the afterdischarge threshold of an animal.")
@STUDY
@click.option("--animal", "animal_id", required=True, metavar="ID", help="An animal of the study.")
@click.option(
    "--rig",
    metavar="FILE",
    help="The rig's TOML file; or simulated or emulated, with a simulated rat. Default: rig.toml in the study folder, "
    "else simulated.",
)
@click.option("--preset", metavar="NAME", help="Another threshold protocol than the study's.")
@click.option(
    "--last-train",
    type=click.Choice(["ask", "delivered", "void"]),
    default="ask",
    show_default=True,
    help="When resuming: whether a train that was due came, where the recording does not show it.",
)
def threshold(folder: Path, animal_id: str, rig: str | None, preset: str | None, last_train: str) -> None:
    """Find the afterdischarge threshold of an animal by a rising series of currents.

    Ctrl-C stops current first. The same command goes on with an interrupted test; no train is repeated.
    """
    from kindle.report import write_session_report
    from kindle.study import open_study
    from kindle.terminal import console

    rig = rig or _rig_of(folder)
    finished = run_threshold_at_terminal(folder, animal_id, rig, preset, cast("LastTrain", last_train))
    with open_study(folder) as study:
        page = write_session_report(study, finished.session)
    console().print(f"report: {page}")


def _rig_of(study: Path) -> str:
    own = study / "rig.toml"
    return str(own) if own.is_file() else "simulated"


def run_threshold_at_terminal(
    folder: Path, animal_id: str, rig: str, preset_id: str | None, last_train: "LastTrain"
) -> "Finished":
    """What `run threshold` and `demo` share: assemble, show progress, run to the outcome, print it."""
    from kindle.assembly import assembled
    from kindle.prepared import prepare_threshold
    from kindle.protocols.threshold import describe
    from kindle.rig_config import load_rig
    from kindle.session import run_threshold
    from kindle.study import open_study
    from kindle.terminal import AtTerminal, Display, StopKey, StoppableUnattended, at_keyboard, console

    out = console()
    config = load_rig(rig)
    stop = StopKey()
    with open_study(folder) as study:
        prepared = prepare_threshold(study, animal_id, config, preset_id)
        begun = study.unfinished(animal_id, "threshold")
        plan = prepared.plan if begun is None else begun.started.plan
        if begun is not None:
            out.print(f"{animal_id}: going on with session {begun.id} after {len(begun.trials)} trains")
            if plan != prepared.plan:
                out.print(
                    f"{animal_id}: the preset or study.toml has changed since; the session goes on with its own plan "
                    f"(to begin anew, end it first: kindle study end {folder} --animal {animal_id} --reason ...)"
                )
        unreal = "" if config.bench is None else " (a simulated rat: no animal is stimulated)"
        out.print(f"rig {config.name}{unreal}: connecting")
        display = Display(plan, out)
        experimenter = AtTerminal(stop, out, display) if at_keyboard() else StoppableUnattended(stop)
        with assembled(config, animal_id) as instruments, stop.aborting(instruments.stimulator.abort):
            out.print(
                f"{animal_id}: preset {plan.preset}, {len(plan.rungs_ua)} currents up to "
                f"{plan.rungs_ua[-1]:.4g} uA on rig {config.name}"
            )
            with display:
                finished = run_threshold(study, prepared, instruments, experimenter, display, last_train=last_train)
    out.print(f"{animal_id}: {describe(finished.outcome)}", style="bold")
    return finished
