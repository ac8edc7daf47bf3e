"""Every animal of a study with its card: what a morning begins with."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kindle.blinding import codes_of
from kindle.sharing import freshened
from kindle.start_card import StartCard, start_card
from kindle.study import open_study


@dataclass(frozen=True, slots=True)
class Roster:
    folder: Path
    name: str
    cards: tuple[StartCard, ...]
    treatments: tuple[str, ...]
    """Of study.toml, and the codes of a blinded study."""
    read_at: datetime
    stale: str = ""
    """How old the picture of the other rigs is, where they could not be asked."""


def read_roster(folder: Path, now: datetime) -> Roster:
    """What the laboratory's other rigs did is fetched first. Raises ``ConfigError`` for a folder that is no study."""
    with open_study(folder) as study:
        stale = freshened(study) or ""
        cards = tuple(start_card(study, animal, now) for animal in sorted(study.animals()))
        named = tuple(treatment.name for treatment in study.config.treatments)
        codes = tuple(code for code in codes_of(study) if code not in named)
        return Roster(folder, study.config.name, cards, named + codes, now, stale)
