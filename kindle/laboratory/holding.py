"""An animal belongs to the rig that took it, until that rig lets it go: no lease that a lost network could end."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from kindle.errors import KindleError
from kindle.laboratory.line import Line, NotFree
from kindle.laboratory.tables import HOLDINGS


@dataclass(frozen=True, slots=True)
class Holder:
    rig: str
    since_utc: datetime


def holders(connection: Connection, study: str) -> dict[str, Holder]:
    """Who holds each animal of the study; those that nobody holds are left out."""
    last = (
        select(HOLDINGS.c.animal, func.max(HOLDINGS.c.n).label("n"))
        .where(HOLDINGS.c.study == study)
        .group_by(HOLDINGS.c.animal)
        .subquery()
    )
    in_force = (
        select(HOLDINGS.c.animal, HOLDINGS.c.rig, HOLDINGS.c.utc)
        .join(last, (HOLDINGS.c.animal == last.c.animal) & (HOLDINGS.c.n == last.c.n))
        .where(HOLDINGS.c.study == study, HOLDINGS.c.act != "released")
        .order_by(HOLDINGS.c.animal)
    )
    return {
        str(animal): Holder(str(rig), datetime.fromisoformat(utc)) for animal, rig, utc in connection.execute(in_force)
    }


def take(line: Line, study: str, animal: str) -> None:
    """For this rig. Raises ``KindleError`` naming the rig that holds it."""
    with line.transaction() as connection:
        holder = holders(connection, study).get(animal)
    if holder is None:
        try:
            _act(line, study, animal, "taken")
            return
        except NotFree:  # another rig, or another program of this one, was a moment earlier
            with line.transaction() as connection:
                holder = holders(connection, study).get(animal)
    if holder is None or holder.rig != line.config.rig:
        raise held_elsewhere(animal, holder)


def release(line: Line, study: str, animal: str) -> None:
    """Raises ``NotFree`` when this rig does not hold it."""
    _act(line, study, animal, "released")


def take_over(line: Line, study: str, animal: str, author: str, reason: str) -> None:
    """From a rig that cannot release it any more; who did it and why is written down."""
    _act(line, study, animal, "taken over", author, reason)


def held_elsewhere(animal: str, holder: Holder | None) -> KindleError:
    if holder is None:
        return KindleError(f"{animal} was taken and released by another rig this very moment: try again")
    return KindleError(
        f"{animal} is held by rig {holder.rig} since {holder.since_utc:%Y-%m-%d %H:%M} UTC: release it there with "
        "kindle mirror release, then try again"
    )


def _act(line: Line, study: str, animal: str, act: str, author: str = "", reason: str = "") -> None:
    with line.transaction() as connection:
        of_animal = (HOLDINGS.c.study == study, HOLDINGS.c.animal == animal)
        n = connection.execute(select(func.coalesce(func.max(HOLDINGS.c.n), 0)).where(*of_animal)).scalar_one()
        values = {"study": study, "animal": animal, "n": n + 1, "rig": line.config.rig, "act": act, "utc": ""}
        connection.execute(HOLDINGS.insert().values(**values, author=author, reason=reason))
