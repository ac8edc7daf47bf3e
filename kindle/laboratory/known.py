"""What the last contact with the laboratory's database told, kept in the study folder for when there is none."""

from datetime import datetime
from pathlib import Path

import msgspec

from kindle.durable import write_whole
from kindle.errors import ConfigError
from kindle.json_reading import from_json
from kindle.laboratory.copies import OTHER_RIGS


class Known(msgspec.Struct, frozen=True):
    """``holders`` gives for each animal that is held the rig that holds it; ``sent`` counts this rig's rows."""

    utc: datetime
    holders: dict[str, str] = {}
    sent: int = 0


def read_known(study: Path) -> Known | None:
    """``None`` before the first contact."""
    path = _path(study)
    try:
        return from_json(path.read_bytes(), Known)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): delete it and run kindle mirror sync") from None


def write_known(study: Path, known: Known) -> None:
    """On the disk when it returns."""
    _path(study).parent.mkdir(exist_ok=True)
    write_whole(_path(study), msgspec.json.encode(known))


def _path(study: Path) -> Path:
    return study / OTHER_RIGS / "known.json"
