"""An animal in the words of the formats: species by its Latin name, sex as a letter, age as ISO 8601."""

from datetime import date, datetime

from kindle.rows import Animal

_SPECIES = {"rat": "Rattus norvegicus", "mouse": "Mus musculus"}
_SEX = {"m": "M", "male": "M", "f": "F", "female": "F"}
UNKNOWN_AGE = "P0D/"
"""From birth to an unknown end: NWB wants an age, and an invented one would be worse than none."""


def species_of(animal: Animal) -> str:
    return _SPECIES.get(animal.species.strip().lower(), animal.species)


def sex_of(animal: Animal) -> str:
    """``M``, ``F``, or ``U`` where nobody wrote it down."""
    return _SEX.get(animal.sex.strip().lower(), "U")


def age_days(animal: Animal, at: datetime) -> int | None:
    return (at.date() - date.fromisoformat(animal.born)).days if animal.born else None


def age_of(animal: Animal, at: datetime) -> str:
    days = age_days(animal, at)
    return UNKNOWN_AGE if days is None or days < 0 else f"P{days}D"
