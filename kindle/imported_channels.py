"""In which steps, units and roles the channels of a file are kept as counts of 16 bits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.interface import Block, Role
from kindle.channel_roles import microvolts_per
from kindle.errors import ConfigError, RecordingError
from kindle.imported_rows import ImportedChannel
from kindle.loading import Loaded, Track
from kindle.naming import first_free

COARSEST_EEG_UV = 1.0
"""A step above this says too little of the background that afterdischarges are measured against."""

_FULL_SCALE = 32_000
"""Counts that the largest value is given, of 32,767."""
_ODD = 1e-3
"""How far from a whole number a count may come back through 32-bit floats."""
_SAMPLES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """``step`` is one count in the unit in which the file is read."""

    channel: ImportedChannel
    step: float


@dataclass(frozen=True, slots=True)
class _Measured:
    """``whole`` where every value is an int16 multiple of the step that the file names."""

    peak: float
    whole: bool


def kept_channels(
    signals: Loaded,
    names: Sequence[str],
    roles: Mapping[str, Role],
    path: Path,
    told: Callable[[float], None],
) -> list[Kept]:
    """As what each channel is kept; those that do not say that they hold int16 counts are measured first."""
    tracks = {track.name: track for track in signals.tracks}
    measured = _measured(signals, [tracks[name] for name in names if tracks[name].step is None], told)
    kept: list[Kept] = []
    for name in names:
        track = tracks[name]
        role = roles.get(name, track.role)
        if role == "eeg" and microvolts_per(track.unit) is None:
            raise ConfigError(f"channel {name!r} of {path} is in {track.unit!r}, not in volts: give it another --role")
        step = track.step
        if step is None and measured[name].whole:
            step = track.maybe_step
        exact = step is not None
        if step is None:
            step = _round_step(measured[name].peak / _FULL_SCALE)
            if role == "eeg" and step * (microvolts_per(track.unit) or 1.0) > COARSEST_EEG_UV:
                raise RecordingError(
                    f"channel {name!r} of {path} reaches {measured[name].peak:.4g} {track.unit}, so that 16 bits would "
                    f"leave steps of {step:.3g} {track.unit}: remove its offset first, or leave the file where it is, "
                    "kindle detect reads it there"
                )
        safe = _safe_name(name, [one.channel.name for one in kept])
        # A gate that was read as if it might be the brain's is in microvolts: nobody writes it so.
        in_volts = role == "stimulus_ttl" and track.unit == "µV"
        unit, resolution = ("V", step * 1e-6) if in_volts else (track.unit.strip().replace("=", "-") or "n/a", step)
        kept.append(Kept(ImportedChannel(safe, name, role, unit, resolution, exact), step))
    return kept


def _measured(signals: Loaded, tracks: Sequence[Track], told: Callable[[float], None]) -> dict[str, _Measured]:
    names = [track.name for track in tracks]
    steps = np.array([track.maybe_step or np.inf for track in tracks])
    lowest, highest, odd = np.zeros((3, len(tracks)))
    for first, last in windows(0, signals.n_samples, len(tracks)) if tracks else ():
        window = np.nan_to_num(signals.read(names, first, last), nan=0.0, posinf=np.inf, neginf=-np.inf)
        lowest, highest = np.minimum(lowest, window.min(axis=1)), np.maximum(highest, window.max(axis=1))
        counts = window / steps[:, None]
        odd = np.maximum(odd, np.abs(counts - np.rint(counts)).max(axis=1))
        told(last / signals.n_samples)
    peaks = np.maximum(-lowest, highest)
    fits = (lowest > -32_768.5 * steps) & (highest < 32_767.5 * steps)
    whole = (odd < _ODD) & fits & np.isfinite(steps) & (peaks > 0.5 * steps)
    return {
        track.name: _Measured(float(peak), bool(is_whole))
        for track, peak, is_whole in zip(tracks, peaks, whole, strict=True)
    }


def counts_of(
    values: NDArray[np.float64],
    steps: NDArray[np.float64],
    names: Sequence[str],
    first: int,
    signals: Loaded,
    path: Path,
) -> Block:
    """Values from sample ``first`` on in ``steps``. Raises ``RecordingError`` for one that is none, or does not fit."""
    counts = np.rint(values / steps[:, None])
    held = np.abs(counts + 0.5) <= 32767.5
    if not held.all():
        row, column = np.argwhere(~held)[0]
        value = values[row, column]
        what = "no value" if np.isnan(value) else f"the value {value:g}, which does not fit its scale,"
        raise RecordingError(
            f"channel {names[row]!r} of {path} has {what} at {(first + column) / signals.rate_hz:.3f} s, where others "
            "have samples: leave it out by naming the others with --channel"
        )
    return counts.astype(np.int16)


def windows(begin: int, end: int, n_channels: int) -> Iterator[tuple[int, int]]:
    """``[begin, end)`` in pieces that fit in memory however long the file is."""
    step = max(1, _SAMPLES_AT_ONCE // n_channels)
    for first in range(begin, end, step):
        yield first, min(end, first + step)


def _safe_name(name: str, taken: Sequence[str]) -> str:
    bare = "".join(letter for letter in name.replace("=", "-").replace("\\1", " ") if letter.isprintable())
    bare = " ".join(bare.replace("[Comment]", "Comment").split()) or "channel"
    return first_free(bare, lambda other: other in taken)


def _round_step(step: float) -> float:
    """Three figures, rounded up: a step that people can read and that the largest value fits."""
    if not step:
        return 1.0
    unit = 10.0 ** (floor(log10(step)) - 2)
    return float(np.ceil(step / unit) * unit)
