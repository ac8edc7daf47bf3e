"""The design of a study in its journal, the key outside of it, and the act of opening the codes."""

import secrets
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import structs

from kindle.animal_rows import CodesOpened, CodesSealed, Designed
from kindle.design import Design, Key, coded, opened, sealed
from kindle.durable import write_whole
from kindle.errors import ConfigError, KindleError
from kindle.rows import decode, kind_of
from kindle.study import ANIMALS, Study


def store_design(study: Study, design: Design, utc: datetime, *, key_file: Path | None = None) -> Design:
    """Write the design into the journal; with ``key_file`` as codes only, and the key into that file.

    Raises ``KindleError`` where a design is there already, ``ConfigError`` for a key inside the study.
    """
    if design_of(study) is not None:
        raise KindleError(f"{study.folder} has a design already; a second one would break the first")
    if key_file is None:
        study.journal.append(ANIMALS, "designed", Designed(design), sample=None, utc=utc)
        return design
    if key_file.resolve().is_relative_to(study.folder.resolve()):
        raise ConfigError(f"{key_file} lies in the study, where everybody finds it; keep the key elsewhere")
    if key_file.exists():
        raise ConfigError(f"{key_file} exists; choose another name for the key")
    # The codes by chance alone; the seed of the design is for the key, because it tells the design.
    key = structs.replace(sealed(design.treatments, secrets.randbits(64), secrets.token_hex(16)), seed=design.seed)
    write_whole(key_file, msgspec.json.format(msgspec.json.encode(key), indent=2))
    shown = coded(design, key)
    for row in (CodesSealed(tuple(key.codes), key.sha256), Designed(shown)):
        study.journal.append(ANIMALS, kind_of(row), row, sample=None, utc=utc)
    return shown


def unblind(study: Study, key_file: Path, author: str, reason: str, utc: datetime) -> dict[str, str]:
    """Open the codes and write down who did it, when and why. Raises ``KindleError`` and ``ConfigError``."""
    if not author.strip() or not reason.strip():
        raise ConfigError("opening the codes needs a name and a reason; give --by and --reason")
    row = _sealed(study)
    if row is None:
        raise KindleError(f"{study.folder} has no sealed codes to open")
    try:
        key = msgspec.json.decode(key_file.read_bytes(), type=Key)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"{key_file} is no key that can be read ({error}); give the file of the sealed codes"
        ) from None
    treatments = opened(key, row.sha256)
    act = CodesOpened(row.sha256, treatments, author, reason)
    study.journal.append(ANIMALS, kind_of(act), act, sample=None, utc=utc)
    return treatments


def design_of(study: Study) -> Design | None:
    rows = [row for row in study.journal.rows(ANIMALS) if row.kind == "designed"]
    return decode(rows[-1].kind, rows[-1].payload, Designed).design if rows else None


def codes_of(study: Study) -> tuple[str, ...]:
    """Codes of a blinded design; none where it is open from the beginning."""
    row = _sealed(study)
    return () if row is None else row.codes


def _sealed(study: Study) -> CodesSealed | None:
    rows = [row for row in study.journal.rows(ANIMALS) if row.kind == "codes_sealed"]
    return decode(rows[-1].kind, rows[-1].payload, CodesSealed) if rows else None
