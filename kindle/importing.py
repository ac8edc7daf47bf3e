"""A file of another program into a study: as a recording of an animal, sealed and journalled; the file itself stays."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree

import numpy as np

from drivers.interface import Channel, Role
from kindle.durable import sync_folder
from kindle.errors import ConfigError
from kindle.imported import imported_recordings
from kindle.imported_channels import Kept, counts_of, kept_channels, windows
from kindle.imported_markers import marker_of
from kindle.imported_rows import AlteredNote
from kindle.loading import Loaded, chosen, is_gap, load
from kindle.naming import first_free
from kindle.recording import RecordingWriter
from kindle.rows import FileDigest, RecordingImported, kind_of
from kindle.sealing import digests
from kindle.session_view import ANIMALS
from kindle.study import Study


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
    kept = kept_channels(signals, names, wanted.roles, path, lambda share: told(0.4 * share))
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


def _write(
    writer: RecordingWriter,
    signals: Loaded,
    kept: Sequence[Kept],
    stretches: Sequence["_Stretch"],
    clock_utc: datetime,
    path: Path,
) -> Iterator[float]:
    sources = [one.channel.source for one in kept]
    steps = np.array([one.step for one in kept])
    for number, stretch in enumerate(stretches):
        if number:
            writer.new_segment(clock_utc + timedelta(seconds=stretch.begin / signals.rate_hz), stretch.n_lost)
        for first, last in windows(stretch.begin, stretch.end, len(kept)):
            block = counts_of(signals.read(sources, first, last), steps, sources, first, signals, path)
            since_ns = round(last / signals.rate_hz * 1e9)
            writer.append(block, monotonic_ns=since_ns, utc_ns=round(clock_utc.timestamp() * 1e9) + since_ns)
            yield last / signals.n_samples


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
