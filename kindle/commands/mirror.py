"""`kindle mirror`: one database for the rigs of a laboratory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindle.commands.course import BY
from kindle.commands.study import FOLDER

if TYPE_CHECKING:
    from kindle.laboratory.sending import Told

ANIMAL = click.option("--animal", "animal_id", required=True, metavar="ID", help="An animal of the study.")


@click.group(short_help="One PostgreSQL database for several rigs.")
def mirror() -> None:
    """Share a study between several rigs through a PostgreSQL database.

    The table [database] of study.toml names it. Every rig keeps its own journal, and goes on without the network.
    """


@mirror.command(short_help="Make the tables in the database.")
@FOLDER
@click.option("--owner", required=True, metavar="USER", help="Who owns the tables; not the user of the rigs.")
@click.option("--mend", is_flag=True, help="Put lost triggers back, once kindle verify found every rig's rows whole.")
def init(folder: Path, owner: str, mend: bool) -> None:
    """Make the tables in the database of STUDY, or bring older ones up to date. Once for a laboratory.

    The user that study.toml names may then read and add rows, and nothing else. The password of the owner is taken
    from PGPASSWORD or ~/.pgpass.
    """
    import msgspec

    from kindle.errors import ConfigError
    from kindle.laboratory.line import connected
    from kindle.laboratory.schema import bring_up
    from kindle.sharing import mirror_of
    from kindle.study import open_study

    with open_study(folder) as study:
        config = mirror_of(study).config
    if owner == config.user:
        raise ConfigError(f"{owner!r} is the user of the rigs: an owner can undo what keeps rows from being altered")
    with connected(msgspec.structs.replace(config, user=owner)) as line, line.transaction() as connection:
        bring_up(connection, rigs_user=config.user, mend=mend)
    click.echo(f"{config}: ready; user {config.user!r} may read and add rows")


@mirror.command(short_help="Send and fetch rows now.")
@FOLDER
def sync(folder: Path) -> None:
    """Send the rows of this rig that the database does not have yet, and fetch those of the other rigs."""
    from kindle.laboratory.mirror import sync as exchange
    from kindle.sharing import mirror_of
    from kindle.study import open_study

    with open_study(folder) as study:
        mirror = mirror_of(study)
        with _shown() as told:
            exchange(mirror, told)
        others = ", ".join(f"{rig} {journal.last_seq}" for rig, journal in study.journal.others.items()) or "none"
        click.echo(f"{mirror.config}: all {study.journal.last_seq} rows of this rig ({mirror.config.rig}) are there")
        click.echo(f"rows of the other rigs: {others}")


@mirror.command(short_help="Which rigs, how many rows, who holds which animal.")
@FOLDER
def show(folder: Path) -> None:
    """Show the rigs of STUDY with their rows, and which rig holds which animal."""
    from kindle.laboratory.known import read_known
    from kindle.sharing import freshened, mirror_of
    from kindle.study import open_study

    with open_study(folder) as study:
        mirror = mirror_of(study)
        click.echo(freshened(study) or f"{mirror.config}: reached, all rows of this rig are there")
        click.echo(f"{mirror.config.rig}  {study.journal.last_seq} rows (this rig)")
        for rig, journal in study.journal.others.items():
            click.echo(f"{rig}  {journal.last_seq} rows")
        known = read_known(folder)
        for animal, rig in sorted({} if known is None else known.holders.items()):
            click.echo(f"{animal} is held by rig {rig}")


@mirror.command(short_help="Let another rig have an animal.")
@FOLDER
@ANIMAL
def release(folder: Path, animal_id: str) -> None:
    """Let another rig have the animal. Every row of this rig is sent first; a session that is open must be ended."""
    from kindle.sharing import release as give_back
    from kindle.study import open_study

    with open_study(folder) as study:
        give_back(study, animal_id)
    click.echo(f"{animal_id}: released; the next rig that runs a session with it holds it")


@mirror.command(short_help="Take an animal from a rig that is lost.")
@FOLDER
@ANIMAL
@click.option("--from", "from_rig", required=True, metavar="RIG", help="The rig that holds it, and cannot release it.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; stands in the database and in the journal.")
@BY
def take(folder: Path, animal_id: str, from_rig: str, reason: str, author: str) -> None:
    """Take the animal from a rig whose computer is lost for good.

    What that rig never sent is not known to anybody: look at its journal first, if there is one. A rig that is only
    cut off from the network does not hear of this, and must not test the animal any more.
    """
    from kindle.session import utc_now
    from kindle.sharing import take_over
    from kindle.study import open_study

    with open_study(folder) as study:
        take_over(study, animal_id, from_rig, author, reason, utc_now())
    click.echo(f"{animal_id}: taken over from rig {from_rig}, which must not test it any more")


@contextmanager
def _shown() -> Iterator["Told"]:
    """A bar for each rig, once there is anything to wait for."""
    from rich.progress import Progress, TaskID

    from kindle.terminal import console

    out = console()
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        bars: dict[str, TaskID] = {}

        def told(rig: str, done: int, of: int) -> None:
            if rig not in bars:
                bars[rig] = progress.add_task(f"rows of {rig}", total=of)
            progress.update(bars[rig], completed=done, total=of)

        yield told
