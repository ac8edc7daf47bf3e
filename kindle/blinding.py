"""The design of a study in its journal, the key outside of it, and the act of opening the codes."""

import secrets
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import structs

from kindle.animal_rows import CodesOpened, CodesSealed, Designed
from kindle.design import Bottle, Design, Key, coded, opened, sealed
from kindle.durable import write_whole
from kindle.errors import ConfigError, KindleError
from kindle.json_reading import from_json
from kindle.rows import decode, kind_of
from kindle.session_view import ANIMALS
from kindle.study import Study
from kindle.treatments import bottles_of

T = TypeVar("T", bound=msgspec.Struct)


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
    contents = _contents(study, design)
    # The codes by chance alone; the seed of the design is for the key, because it tells the design.
    key = sealed(design.treatments, secrets.randbits(64), secrets.token_hex(16))
    key = structs.replace(key, seed=design.seed, contents=contents)
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
        key = from_json(key_file.read_bytes(), Key)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"{key_file} is no key that can be read ({error}); give the file of the sealed codes"
        ) from None
    treatments = opened(key, row.sha256)
    if opened_act(study) is not None:
        raise KindleError(f"{study.folder}: the codes were opened already; kindle study show tells by whom")
    act = CodesOpened(row.sha256, treatments, author, reason, key.contents or _described(study, treatments))
    study.journal.append(ANIMALS, kind_of(act), act, sample=None, utc=utc)
    return treatments


def design_of(study: Study) -> Design | None:
    """Of all rigs; in codes where it is blinded, whether or not they are open by now."""
    designed = _last(study, "designed", Designed)
    return None if designed is None else designed.design


def opened_act(study: Study) -> CodesOpened | None:
    """The act that opened the codes; ``None`` while the study is blind, or was never blinded."""
    return _last(study, "codes_opened", CodesOpened)


def in_the_open(design: Design, act: CodesOpened | None) -> Design:
    """The design in treatments once its codes are open."""
    if act is None:
        return design
    orders = {animal: tuple(act.treatments.get(one, one) for one in order) for animal, order in design.orders.items()}
    return structs.replace(
        design, treatments=tuple(act.treatments.get(one, one) for one in design.treatments), orders=orders
    )


def codes_of(study: Study) -> tuple[str, ...]:
    """Codes of a blinded design; none where it is open from the beginning."""
    row = _sealed(study)
    return () if row is None else row.codes


def _sealed(study: Study) -> CodesSealed | None:
    return _last(study, "codes_sealed", CodesSealed)


def _last(study: Study, kind: str, type: type[T]) -> T | None:
    rows = [row for row in study.rows_of_all_rigs(ANIMALS) if row.kind == kind]
    return decode(kind, rows[-1].payload, type) if rows else None


def _contents(study: Study, design: Design) -> dict[str, tuple[Bottle, ...]]:
    """What each bottle is to hold. Raises ``ConfigError`` where one could not be given in the common volume."""
    coded_alike = study.config.blinding
    if coded_alike is None:
        raise ConfigError("study.toml has no [blinding]; it takes ml_per_kg, route and pretreatment_min of all codes")
    named = {treatment.name: treatment for treatment in study.config.treatments}
    return {name: bottles_of(named[name], coded_alike) for name in design.treatments if name in named}


def _described(study: Study, treatments: dict[str, str]) -> dict[str, tuple[Bottle, ...]]:
    """For codes that were sealed without what is in the bottles: as study.toml has it now."""
    if study.config.blinding is None:
        return {}
    coded_alike = study.config.blinding
    known = [treatment for treatment in study.config.treatments if treatment.name in treatments.values()]
    return {treatment.name: bottles_of(treatment, coded_alike) for treatment in known}
