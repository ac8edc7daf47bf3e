"""A file of another program into a study: as a recording of an animal, sealed and journalled; the file itself stays."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import file_digest
from importlib.metadata import version
from math import floor, log10
from pathlib import Path
from shutil import rmtree

import numpy as np

from drivers.interface import Block, Channel, Role
from kindle.channel_roles import microvolts_per
from kindle.durable import sync_folder
from kindle.errors import ConfigError, RecordingError
from kindle.imported import imported_recordings
from kindle.imported_markers import marker_of
from kindle.imported_rows import AlteredNote, ImportedChannel
from kindle.loading import Loaded, Track, chosen, is_gap, load
from kindle.naming import first_free
from kindle.recording import RecordingWriter
from kindle.rows import FileDigest, RecordingImported, kind_of
from kindle.sealing import digests
from kindle.study import ANIMALS, Study

COARSEST_EEG_UV = 1.0
"""A step above this says too little of the background that afterdischarges are measured against."""

_FULL_SCALE = 32_000
"""Counts that the largest value is given, of 32,767."""
_ODD = 1e-3
"""How far from a whole number a count may come back through 32-bit floats."""
_SAMPLES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person says of a file; ``start_utc`` overrides what stands in it."""

    channels: Sequence[str] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)
    start_utc: datetime | None = None
    note: str = ""


def import_recording(
    study: Study,
    animal: str,
    path: Path,
    wanted: Wanted,
    now: datetime,
    told: Callable[[float], None] = lambda share: None,
) -> RecordingImported:
    """Raises ``ConfigError`` and ``RecordingError``; then the study is what it was."""
    study.animal(animal)
    signals = load(path)
    names = _names(signals, wanted, path)
    files = tuple(_source_files(path))
    for earlier in _same_source(study, animal, files):
        raise ConfigError(f"{path} is in the study already, as {earlier.folder}")
    kept = _kept(signals, names, wanted, path, lambda share: told(0.4 * share))
    stretches = list(_stretches(signals))
    clock_utc = wanted.start_utc or signals.start_utc or now
    start_utc = clock_utc + timedelta(seconds=stretches[0].begin / signals.rate_hz)
    folder = first_free(
        f"recordings/{animal}/{start_utc:%Y%m%d_%H%M%S}_import", lambda name: (study.folder / name).exists()
    )
    partial = study.folder / f"{folder}.importing"
    if partial.exists():
        raise ConfigError(f"{partial} is left of an import that was broken off: remove it, then import again")
    told_channels = [one.channel for one in kept]
    channels = [Channel(one.name, one.role, one.unit, one.resolution) for one in told_channels]
    try:
        with RecordingWriter.create(partial, channels, signals.rate_hz, start_utc, sync_every_s=10.0) as writer:
            for share in _write(writer, signals, kept, stretches, clock_utc, path):
                told(0.4 + 0.6 * share)
            altered = tuple(_mark(writer, signals))
            n_samples = writer.n_samples
        partial.rename(study.folder / folder)
    except BaseException:
        rmtree(partial, ignore_errors=True)
        raise
    sync_folder((study.folder / folder).parent)
    row = RecordingImported(
        id=f"{animal}_{Path(folder).name}",
        animal=animal,
        folder=folder,
        source=path.name,
        files=files,
        rate_hz=signals.rate_hz,
        n_samples=n_samples,
        start_utc=start_utc.isoformat(),
        start_known=(wanted.start_utc or signals.start_utc) is not None,
        channels=tuple(told_channels),
        left_out=tuple(name for name in signals.names if name not in names),
        gaps=tuple((_recorded(signals, one.begin), one.n_lost) for one in stretches[1:]),
        altered_notes=altered,
        sealed=digests(study.folder / folder),
        software={"kindle-eeg": version("kindle-eeg"), "mne": version("mne"), "python": sys.version.split()[0]},
        note=wanted.note,
        remarks=signals.remarks,
    )
    study.journal.append(ANIMALS, kind_of(row), row, sample=None, utc=now)
    return row


def _names(signals: Loaded, wanted: Wanted, path: Path) -> tuple[str, ...]:
    if unknown := [name for name in wanted.roles if name not in signals.names]:
        raise ConfigError(f"{path} has no channel {unknown[0]!r}; it has: {', '.join(signals.names)}")
    return chosen(signals, wanted.channels, path) if wanted.channels else signals.names


def _kept(
    signals: Loaded, names: Sequence[str], wanted: Wanted, path: Path, told: Callable[[float], None]
) -> list["_Kept"]:
    """As what each channel is kept; those that do not say that they hold int16 counts are measured first."""
    tracks = {track.name: track for track in signals.tracks}
    measured = _measured(signals, [tracks[name] for name in names if tracks[name].step is None], told)
    kept: list[_Kept] = []
    for name in names:
        track = tracks[name]
        role = wanted.roles.get(name, track.role)
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
        kept.append(_Kept(ImportedChannel(safe, name, role, unit, resolution, exact), step))
    return kept


@dataclass(frozen=True, slots=True)
class _Kept:
    """``step`` is one count in the unit in which the file is read."""

    channel: ImportedChannel
    step: float


@dataclass(frozen=True, slots=True)
class _Measured:
    """``whole`` where every value is an int16 multiple of the step that the file names."""

    peak: float
    whole: bool


def _measured(signals: Loaded, tracks: Sequence[Track], told: Callable[[float], None]) -> dict[str, _Measured]:
    names = [track.name for track in tracks]
    steps = np.array([track.maybe_step or np.inf for track in tracks])
    lowest, highest, odd = np.zeros((3, len(tracks)))
    for first, last in _windows(0, signals.n_samples, len(tracks)) if tracks else ():
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


def _write(
    writer: RecordingWriter,
    signals: Loaded,
    kept: Sequence[_Kept],
    stretches: Sequence["_Stretch"],
    clock_utc: datetime,
    path: Path,
) -> Iterator[float]:
    sources = [one.channel.source for one in kept]
    steps = np.array([one.step for one in kept])
    for number, stretch in enumerate(stretches):
        if number:
            writer.new_segment(clock_utc + timedelta(seconds=stretch.begin / signals.rate_hz), stretch.n_lost)
        for first, last in _windows(stretch.begin, stretch.end, len(kept)):
            block = _counts(signals.read(sources, first, last), steps, sources, first, signals, path)
            since_ns = round(last / signals.rate_hz * 1e9)
            writer.append(block, monotonic_ns=since_ns, utc_ns=round(clock_utc.timestamp() * 1e9) + since_ns)
            yield last / signals.n_samples


def _counts(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    steps: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    names: Sequence[str],
    first: int,
    signals: Loaded,
    path: Path,
) -> Block:
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


@dataclass(frozen=True, slots=True)
class _Stretch:
    """``[begin, end)`` without a gap, behind ``n_lost`` samples that are missing."""

    begin: int
    end: int
    n_lost: int


def _stretches(signals: Loaded) -> Iterator[_Stretch]:
    begin = n_lost = 0
    for first, last in signals.gaps:
        if first > begin:
            yield _Stretch(begin, first, n_lost)
        begin, n_lost = last, last - first
    if begin < signals.n_samples:
        yield _Stretch(begin, signals.n_samples, n_lost)


def _windows(begin: int, end: int, n_channels: int) -> Iterator[tuple[int, int]]:
    step = max(1, _SAMPLES_AT_ONCE // n_channels)
    for first in range(begin, end, step):
        yield first, min(end, first + step)


def _recorded(signals: Loaded, sample: int) -> int:
    """A sample of the file's clock, counted without what was lost before it."""
    return sample - sum(min(last, sample) - first for first, last in signals.gaps if first < sample)


def _mark(writer: RecordingWriter, signals: Loaded) -> Iterator[AlteredNote]:
    """Annotations as markers; those whose text cannot stand there as it is are told."""
    for note in signals.notes:
        if is_gap(note):
            continue
        begin = round(note.onset_s * signals.rate_hz)
        end = round((note.onset_s + note.duration_s) * signals.rate_hz)
        if not 0 <= begin < signals.n_samples:
            yield AlteredNote(begin, note.text, "")
            continue
        sample = _recorded(signals, begin)
        kind, description = marker_of(note)
        writer.mark(kind, description, sample, max(1, _recorded(signals, min(end, signals.n_samples)) - sample))
        if note.text not in (description, f"{kind}/{description}"):
            yield AlteredNote(sample, note.text, f"{kind}/{description}")


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


def _source_files(path: Path) -> Iterator[FileDigest]:
    """Of the file and of those that belong to it by their name, or of everything in a folder."""
    inside = sorted(path.rglob("*")) if path.is_dir() else sorted(path.parent.glob(f"{_escaped(path.stem)}.*"))
    for one in inside:
        if one.is_file():
            with one.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
            name = one.relative_to(path).as_posix() if path.is_dir() else one.name
            yield FileDigest(name, one.stat().st_size, digest)


def _escaped(stem: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in stem)


def _same_source(study: Study, animal: str, files: Sequence[FileDigest]) -> Iterator[RecordingImported]:
    digests_now = {file.sha256 for file in files}
    for earlier in imported_recordings(study):
        if earlier.animal == animal and {file.sha256 for file in earlier.files} == digests_now:
            yield earlier
