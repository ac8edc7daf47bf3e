"""One contact with the laboratory's database: send, fetch, and see, take or release who holds which animal."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from kindle.errors import ConfigError, KindleError
from kindle.journal import Journal
from kindle.laboratory import holding
from kindle.laboratory.config import DatabaseConfig
from kindle.laboratory.copies import OTHER_RIGS, open_copy
from kindle.laboratory.fetching import fetch, rigs_of
from kindle.laboratory.known import Known, read_known, write_known
from kindle.laboratory.line import Line, NotReached, connected
from kindle.laboratory.schema import check
from kindle.laboratory.sending import Told, send, silent
from kindle.locking import Busy, exclusive

PATIENCE_S = 10.0
"""How long one contact waits for another one of the same study folder."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """The journal of a study folder and its place in the laboratory's database."""

    folder: Path
    study: str
    config: DatabaseConfig
    journal: Journal


def sync(mirror: Mirror, told: Told = silent) -> Known:
    """Send and fetch everything; ``mirror.journal`` knows the other rigs' rows from then on.

    Raises ``NotReached`` when the network fails, ``JournalMismatch`` when the two sides contradict each other.
    """
    with _contact(mirror, told) as (_, known):
        return known


def hold(mirror: Mirror, animal: str) -> NotReached | ConfigError | None:
    """See to it that this rig holds the animal, taking it if nobody does.

    Without the database only an animal that this rig holds already: then returns why it was not reached, or let nobody
    in. Raises ``KindleError`` naming the rig that holds it.
    """
    try:
        with _contact(mirror, silent) as (line, known):
            if known.holders.get(animal) != mirror.config.rig:
                holding.take(line, mirror.study, animal)
                write_known(mirror.folder, _with_holder(known, animal, mirror.config.rig))
    except (NotReached, ConfigError) as error:
        last = read_known(mirror.folder)
        holder = None if last is None else last.holders.get(animal)
        if holder == mirror.config.rig:
            return error
        known_as = "nobody" if holder is None else f"rig {holder}"
        when = "" if last is None else f" at {last.utc:%Y-%m-%d %H:%M} UTC"
        raise NotReached(
            f"{error}; {animal} was held by {known_as}{when}, so another rig may have it: only an animal that this rig "
            "holds can be tested without the database"
        ) from None
    return None


def release(mirror: Mirror, animal: str) -> None:
    """Let another rig have the animal, once every row of this rig is in the database. Raises ``KindleError``."""
    with _contact(mirror, silent) as (line, known):
        if known.holders.get(animal) != mirror.config.rig:
            raise KindleError(f"{animal} is not held by this rig ({mirror.config.rig}): there is nothing to release")
        # Forgotten here first: if the answer is lost, this rig must not believe that it still holds the animal.
        others = {other: rig for other, rig in known.holders.items() if other != animal}
        write_known(mirror.folder, replace(known, holders=others))
        holding.release(line, mirror.study, animal)


def take_over(mirror: Mirror, animal: str, from_rig: str, author: str, reason: str) -> None:
    """Take the animal from a rig that will never release it. Raises ``KindleError``."""
    with _contact(mirror, silent) as (line, known):
        holder = known.holders.get(animal)
        if holder != from_rig:
            raise KindleError(f"{animal} is held by {holder or 'nobody'}, not by {from_rig}: nothing was taken")
        holding.take_over(line, mirror.study, animal, author, reason)
        write_known(mirror.folder, _with_holder(known, animal, mirror.config.rig))


def _with_holder(known: Known, animal: str, rig: str) -> Known:
    return replace(known, holders={**known.holders, animal: rig})


@contextmanager
def _contact(mirror: Mirror, told: Told) -> Iterator[tuple[Line, Known]]:
    with _alone(mirror.folder), connected(mirror.config) as line:
        with line.transaction() as connection:
            check(connection)
        sent = send(line, mirror.study, mirror.journal, told)
        fetch(line, mirror.study, mirror.folder, told)
        with line.transaction() as connection:
            held = holding.holders(connection, mirror.study)
            rigs = rigs_of(connection, mirror.study)
        known = Known(datetime.now(UTC), {animal: holder.rig for animal, holder in held.items()}, sent)
        write_known(mirror.folder, known)
        new = [rig for rig in rigs if rig != mirror.config.rig and rig not in mirror.journal.others]
        mirror.journal.others = {**mirror.journal.others, **{rig: open_copy(mirror.folder, rig) for rig in new}}
        yield line, known


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two contacts at once could write down what they know in the wrong order."""
    (folder / OTHER_RIGS).mkdir(exist_ok=True)
    until = time.monotonic() + PATIENCE_S
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(exclusive(folder / OTHER_RIGS / "lock.sqlite"))
                break
            except Busy:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield
