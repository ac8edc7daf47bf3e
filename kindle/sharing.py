"""A study that several rigs share: what its sessions and its people need of the laboratory's database."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from kindle.animal_rows import AnimalEvent
from kindle.durable import sync_folder
from kindle.errors import ConfigError, KindleError
from kindle.laboratory.known import read_known
from kindle.ledger_view import ledger_of
from kindle.locking import Busy, exclusive
from kindle.rows import kind_of
from kindle.session_view import ANIMALS
from kindle.study import Study

if TYPE_CHECKING:
    from kindle.laboratory.mirror import Mirror

LOG = logging.getLogger(__name__)


@contextmanager
def animal_alone(study: Study, animal: str) -> Iterator[None]:
    """One program of this computer at a time. Raises ``Busy``."""
    folder = study.folder / "recordings" / animal
    folder.mkdir(parents=True, exist_ok=True)
    sync_folder(folder.parent)
    with exclusive(folder / "lock.sqlite"):
        yield


@contextmanager
def shared(study: Study, animal: str) -> Iterator[None]:
    """For the time of a session: this rig holds the animal, and sends its rows to the laboratory's database.

    Nothing, and no import, in a study without one. Raises ``KindleError`` naming the rig that holds the animal, or when
    another rig's rows about it arrive only now, after the session was planned without them.
    """
    if study.config.database is None:
        yield
        return
    from kindle.laboratory.mirror import hold
    from kindle.laboratory.mirroring import mirroring

    mirror = mirror_of(study)
    planned_on = ledger_of(study.journal, animal)
    away = hold(mirror, animal)
    if away is not None:
        LOG.warning("%s: %s is held by this rig, so the session goes on, and its rows are sent later", away, animal)
    if ledger_of(study.journal, animal) != planned_on:
        raise KindleError(
            f"another rig's rows about {animal} came only now, after this session was planned: run it again"
        )
    with mirroring(mirror):
        yield


def mirror_of(study: Study) -> "Mirror":
    """Raises ``ConfigError`` where study.toml names no database."""
    from kindle.laboratory.mirror import Mirror

    if study.config.database is None:
        raise ConfigError(f"{study.folder / 'study.toml'} has no [database]: this study has one rig, and no mirror")
    return Mirror(study.folder, study.config.name, study.config.database, study.journal)


def freshened(study: Study) -> str | None:
    """Exchange rows with the other rigs; where that fails, a sentence on how old the picture is that is left.

    Raises ``JournalMismatch`` when the database contradicts the journal.
    """
    if study.config.database is None:
        return None
    from kindle.laboratory.line import NotReached
    from kindle.laboratory.mirror import sync

    try:
        sync(mirror_of(study))
    except (NotReached, Busy, ConfigError) as error:
        known = read_known(study.folder)
        if known is None:
            return f"{error}: this rig only, nothing is known of the others yet"
        return f"{error}: what the other rigs did is shown as it was known at {known.utc:%Y-%m-%d %H:%M} UTC"
    return None


def release(study: Study, animal: str) -> None:
    """Let another rig have the animal. Raises ``KindleError`` while it has a session here, running or unfinished."""
    from kindle.laboratory.mirror import release as give_back

    study.animal(animal)
    with animal_alone(study, animal):
        if (open_ := study.unfinished(animal)) is not None:
            raise KindleError(
                f"{animal} has the unfinished session {open_.id} on this rig: finish it, or end it with kindle study "
                "end, before another rig may have the animal"
            )
        give_back(mirror_of(study), animal)


def take_over(study: Study, animal: str, from_rig: str, author: str, reason: str, utc: datetime) -> None:
    """Take the animal from a rig that is lost for good; stands in the database and in this rig's journal."""
    from kindle.laboratory.mirror import take_over as take_from

    if not author.strip() or not reason.strip():
        raise ConfigError("taking an animal over needs a name and a reason; give --by and --reason")
    study.animal(animal)
    with animal_alone(study, animal):
        take_from(mirror_of(study), animal, from_rig, author, reason)
        note = AnimalEvent(animal, "note", f"taken over from rig {from_rig} by {author}: {reason}")
        study.journal.append(ANIMALS, kind_of(note), note, sample=None, utc=utc)
