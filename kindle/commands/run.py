"""`kindle run`: protocols on a rig, into a study."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from kindle.commands.study import STUDY

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindle.ordering import ProtocolName
    from kindle.prepared import Prepared
    from kindle.rig_config import RigConfig
    from kindle.session import Finished, LastTrain
    from kindle.study import Study


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

    rig = rig or rig_of(folder)
    finished = run_threshold_at_terminal(folder, animal_id, rig, preset, cast("LastTrain", last_train))
    with open_study(folder) as study:
        page = write_session_report(study, finished.session)
    console().print(f"report: {page}")


RIG = click.option(
    "--rig",
    metavar="FILE",
    help="The rig's TOML file; or simulated or emulated, with a simulated rat. Default: rig.toml in the study folder, "
    "else simulated.",
)
ANIMAL = click.option("--animal", "animal_id", required=True, metavar="ID", help="An animal of the study.")
LAST_TRAIN = click.option(
    "--last-train",
    type=click.Choice(["ask", "delivered", "void"]),
    default="ask",
    show_default=True,
    help="When resuming: whether a train that was due came, where the recording does not show it.",
)
MARK = click.option(
    "--mark", metavar="TEXT", help="What the mark or barcode of the animal on the rig reads; another one is refused."
)
TREATMENT = click.option(
    "--treatment",
    default="control",
    show_default=True,
    metavar="NAME",
    help="One of the [[treatments]] of study.toml; control is a day without an injection.",
)
ALTHOUGH = click.option(
    "--although",
    default="",
    metavar="REASON",
    help="Test although the course forbids it today; rule and reason stand in the journal.",
)


@run.command(short_help="A kindling session: the trains of the schedule, each scored.")
@STUDY
@ANIMAL
@MARK
@RIG
@LAST_TRAIN
def kindling(folder: Path, animal_id: str, mark: str | None, rig: str | None, last_train: str) -> None:
    """Give the trains of the study's schedule at the animal's current; each is watched, and its stage is asked for.

    Stages and items typed while the signal runs are stamped with its sample. With nobody at the keyboard the stage is
    left open, for kindle score.
    """
    check_mark(animal_id, mark)
    prepare = preparation("kindling", animal_id, "control")
    run_at_terminal(folder, animal_id, rig or rig_of(folder), prepare, cast("LastTrain", last_train))


@run.command("drug-test", short_help="Inject, wait for the pretreatment time, test.")
@STUDY
@ANIMAL
@MARK
@RIG
@TREATMENT
@click.option("--threshold", "at_threshold", is_flag=True, help="A threshold test instead of the kindling train.")
@ALTHOUGH
@LAST_TRAIN
def drug_test(
    folder: Path,
    animal_id: str,
    mark: str | None,
    rig: str | None,
    treatment: str,
    at_threshold: bool,
    although: str,
    last_train: str,
) -> None:
    """Inject a treatment, wait its pretreatment time by the sample clock, and test the animal.

    No train follows an injection that was withheld, or whose time was missed. A treatment in the washout, without a
    control before it or out of its order is refused, unless --although says why.
    """
    check_mark(animal_id, mark)
    prepare = preparation("drug-test", animal_id, treatment, threshold=at_threshold, although=although)
    run_at_terminal(folder, animal_id, rig or rig_of(folder), prepare, cast("LastTrain", last_train))


@run.command(short_help="Inject pentylenetetrazol and observe.")
@STUDY
@ANIMAL
@MARK
@RIG
@TREATMENT
@ALTHOUGH
def ptz(folder: Path, animal_id: str, mark: str | None, rig: str | None, treatment: str, although: str) -> None:
    """Inject a treatment, or none, then the convulsant of study.toml, and observe the animal. No train is given.

    In a study of pentylenetetrazol kindling the course says the dose, and when it may be given.
    """
    check_mark(animal_id, mark)
    prepare = preparation("ptz", animal_id, treatment, although=although)
    run_at_terminal(folder, animal_id, rig or rig_of(folder), prepare, "ask", marks="ptz")


@run.command(short_help="Observe an animal after a maximal electroshock given by hand.")
@STUDY
@ANIMAL
@MARK
@RIG
@TREATMENT
@ALTHOUGH
def electroshock(
    folder: Path, animal_id: str, mark: str | None, rig: str | None, treatment: str, although: str
) -> None:
    """Inject a treatment, or none, have the shock of study.toml given by hand, and observe what follows.

    The shock comes from an instrument of its own, which this program never switches. The end point is the tonic
    extension of the hindlimbs, marked with its key when it begins and again when it ends.
    """
    check_mark(animal_id, mark)
    prepare = preparation("electroshock", animal_id, treatment, although=although)
    run_at_terminal(folder, animal_id, rig or rig_of(folder), prepare, "ask", marks="ptz")


def check_mark(animal_id: str, mark: str | None) -> None:
    from kindle.interlocks import check_identity

    if mark is not None:
        check_identity(animal_id, mark)


def preparation(
    protocol: str, animal_id: str, treatment: str, *, threshold: bool = False, although: str = ""
) -> "Callable[[Study, RigConfig], Prepared]":
    """What makes the plan of a protocol, by its name on the command line."""
    from kindle.ordering import Order, prepare
    from kindle.session import utc_now

    order = Order(cast("ProtocolName", protocol), animal_id, treatment, threshold, although=although)
    return lambda study, rig: prepare(study, order, rig, utc_now().astimezone())


def rig_of(study: Path) -> str:
    own = study / "rig.toml"
    return str(own) if own.is_file() else "simulated"


def run_threshold_at_terminal(
    folder: Path, animal_id: str, rig: str, preset_id: str | None, last_train: "LastTrain"
) -> "Finished":
    """What `run threshold` and `demo` share: assemble, show progress, run to the outcome, print it."""
    from kindle.prepared import prepare_threshold

    def prepare(study: "Study", config: "RigConfig") -> "Prepared":
        return prepare_threshold(study, animal_id, config, preset_id)

    return run_at_terminal(folder, animal_id, rig, prepare, last_train)


def run_at_terminal(
    folder: Path,
    animal_id: str,
    rig: str,
    prepare: "Callable[[Study, RigConfig], Prepared]",
    last_train: "LastTrain",
    *,
    marks: str = "kindling",
) -> "Finished":
    """Any session at the terminal; ``marks`` names the ethogram whose keys the observer has."""
    from kindle.assembly import assembled
    from kindle.ethogram import load_ethogram
    from kindle.marking_keys import MarkingKeys
    from kindle.protocols.catalogue import describe_outcome, name_of, trains_of
    from kindle.rig_config import load_rig
    from kindle.session import run_session
    from kindle.sharing import freshened
    from kindle.study import open_study
    from kindle.terminal import AtTerminal, Display, StopKey, StoppableUnattended, at_keyboard, console

    out = console()
    config = load_rig(rig)
    stop = StopKey()
    with open_study(folder) as study:
        if (stale := freshened(study)) is not None:
            out.print(stale)
        prepared = prepare(study, config)
        begun = study.unfinished(animal_id, name_of(prepared.plan))
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
        keys = MarkingKeys(load_ethogram(marks))
        experimenter = AtTerminal(stop, out, display, keys) if at_keyboard() else StoppableUnattended(stop)
        with assembled(config, animal_id) as instruments, stop.aborting(instruments.stimulator.abort):
            trains = trains_of(plan)
            currents = f", {len(trains)} currents up to {trains[-1].current_ua:.4g} uA" if len(trains) > 1 else ""
            currents = f", {trains[0].current_ua:.4g} uA" if len(trains) == 1 else currents
            out.print(f"{animal_id}: preset {plan.preset}{currents} on rig {config.name}")
            if at_keyboard() and name_of(plan) != "threshold":
                out.print(keys.help())
            with display:
                finished = run_session(study, prepared, instruments, experimenter, display, last_train=last_train)
    out.print(f"{animal_id}: {describe_outcome(finished.outcome)}", style="bold")
    return finished
