"""What an isolator makes of a volt: measured into a known resistor, kept beside the rig file with date and author."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import tomli_w
from msgspec import Meta

from kindle.durable import write_whole
from kindle.errors import ConfigError
from kindle.toml_files import decode_toml

Positive = Annotated[float, Meta(gt=0, le=1e9)]

LEAST_LEVELS = 3
LINEARITY = 0.02
"""Of the largest current: offset and residuals of a straight line may be this large."""

NOMINAL_TOLERANCE = 0.2
"""Of the factor in rig.toml: a measured one that differs by more comes from another range, or another resistor."""

VALID_DAYS = 365


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One point: the voltage that the isolator was commanded, and the current that flowed through the resistor."""

    command_v: float
    current_ua: float


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``offset_ua`` is what the straight line through the levels leaves at 0 V; nothing corrects for it."""

    ua_per_v: Positive
    offset_ua: float
    load_ohm: Positive
    date: date
    author: Annotated[str, Meta(min_length=1)]
    stimulator: str = ""
    """As it identified itself."""
    levels: tuple[Level, ...] = ()


def fitted(
    levels: Sequence[Level], *, nominal_ua_per_v: float, load_ohm: float, measured: date, author: str, stimulator: str
) -> Calibration:
    """The straight line through ``levels``. Raises ``ConfigError`` where they lie on none, or far from nominal."""
    command_v = np.array([level.command_v for level in levels])
    current_ua = np.array([level.current_ua for level in levels])
    if len(set(command_v.tolist())) < LEAST_LEVELS or not np.all(np.isfinite(current_ua)):
        raise ConfigError(
            f"{len(levels)} levels were measured; a line needs {LEAST_LEVELS} different ones, each a number"
        )
    ua_per_v, offset_ua = (float(value) for value in np.polyfit(command_v, current_ua, 1))
    largest_ua = float(np.abs(current_ua).max())
    residuals_ua = current_ua - (ua_per_v * command_v + offset_ua)
    worst = int(np.abs(residuals_ua).argmax())
    if abs(residuals_ua[worst]) > LINEARITY * largest_ua:
        raise ConfigError(
            f"at {command_v[worst]:.4g} V {current_ua[worst]:.4g} uA flowed, {abs(residuals_ua[worst]):.3g} uA off the "
            "line through all levels: the isolator may have run out of voltage, or a reading is wrong; measure again"
        )
    if abs(offset_ua) > LINEARITY * largest_ua:
        raise ConfigError(
            f"the line leaves {offset_ua:.3g} uA at 0 V, more than {LINEARITY:.0%} of the largest current: adjust the "
            "isolator's zero, then measure again"
        )
    _check_near(ua_per_v, nominal_ua_per_v)
    return Calibration(ua_per_v, offset_ua, load_ohm, measured, author, stimulator, tuple(levels))


def check_calibration(
    rig: str, calibration: Calibration | None, nominal_ua_per_v: float, today: date, valid_days: int
) -> None:
    """Refuse a rig whose isolator was not measured, too long ago, or on another range. Raises ``ConfigError``."""
    if calibration is None:
        raise ConfigError(
            f"rig {rig!r} has no calibration of its isolator, so nobody knows how much current a volt is; measure it "
            "with: kindle calibrate RIG.toml"
        )
    age = today - calibration.date
    if age > timedelta(days=valid_days):
        raise ConfigError(
            f"the calibration of rig {rig!r} is of {calibration.date}, {age.days} days ago, and holds for "
            f"{valid_days}; measure again with: kindle calibrate RIG.toml"
        )
    if age < timedelta(days=-1):
        raise ConfigError(
            f"the calibration of rig {rig!r} is of {calibration.date}, which is yet to come; check the computer's clock"
        )
    _check_near(calibration.ua_per_v, nominal_ua_per_v)


def calibration_path(rig: Path) -> Path:
    """The calibration file of a rig file: ``room2.toml`` has ``room2.calibration.toml`` beside it."""
    return rig.with_suffix(".calibration.toml")


def read_calibration(rig: Path) -> Calibration | None:
    path = calibration_path(rig)
    return decode_toml(path, Calibration) if path.is_file() else None


def write_calibration(rig: Path, calibration: Calibration) -> Path:
    path = calibration_path(rig)
    try:
        write_whole(path, tomli_w.dumps(msgspec.to_builtins(calibration, builtin_types=(date,))).encode())
    except OSError as error:
        raise ConfigError(f"cannot write {path} ({error.strerror}); check the folder and its permissions") from None
    return path


def _check_near(measured_ua_per_v: float, nominal_ua_per_v: float) -> None:
    if abs(measured_ua_per_v - nominal_ua_per_v) > NOMINAL_TOLERANCE * nominal_ua_per_v:
        raise ConfigError(
            f"the isolator was measured to make {measured_ua_per_v:.4g} uA of a volt; rig.toml's ua_per_v says "
            f"{nominal_ua_per_v:.4g}: check its range switch and the resistor, correct rig.toml, or measure again"
        )
