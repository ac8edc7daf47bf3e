"""EDF+ files, one for each stretch without a gap: the counts as they were recorded, and everything said about them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kindle import window_map
from kindle.edf_signals import EXACT_START
from kindle.export.contents import Chosen, Contents, Stored
from kindle.export.destination import Meter
from kindle.export.edf_bytes import header, labels, packed, records_for, scale_of, startdate, subfield
from kindle.export.events import Event, events_of, within
from kindle.export.subject import sex_of
from kindle.recording import Segment

_BYTES_AT_ONCE = 1 << 23


def write_edf(chosen: Chosen, folder: Path, meter: Meter) -> list[Path]:
    """Raises ``ConfigError`` for a rate or a scale that the format cannot hold."""
    written: list[Path] = []
    for contents in chosen.contents:
        for stored in contents.recordings:
            events = events_of(contents, stored)
            for name, start, segment in stored.segments:
                path = folder / f"{name}.edf"
                _write(path, contents, stored, segment, list(within(events, start, segment.n_samples)), meter)
                written.append(path)
    return written


def _write(path: Path, contents: Contents, stored: Stored, segment: Segment, events: list[Event], meter: Meter) -> None:
    channels, rate_hz = stored.recording.channels, stored.recording.rate_hz
    records = records_for(rate_hz, len(channels))
    n_records = -(-segment.n_samples // records.n_samples)
    n_padded = n_records * records.n_samples - segment.n_samples
    named = labels(channels)
    notes: list[tuple[float, float | None, str]] = [(0.0, None, f"{EXACT_START}{segment.start_utc.isoformat()}")]
    notes += [
        (0.0, None, f"channel {label} = {channel.name}")
        for label, channel in zip(named, channels, strict=True)
        if label != channel.name
    ]
    notes += [(event.sample / rate_hz, event.n_samples / rate_hz, event.text) for event in events]
    if n_padded:
        notes.append((segment.n_samples / rate_hz, n_padded / rate_hz, "BAD_ACQ_SKIP"))
    annotations = packed(notes, records, n_records)
    head = header(
        patient=_patient(contents),
        recording=f"{startdate(segment.start_utc)} {subfield(contents.id)} X {_rig(contents)}",
        start=segment.start_utc,
        channels=[(label, channel, scale_of(channel)) for label, channel in zip(named, channels, strict=True)],
        records=records,
        n_records=n_records,
        annotation_bytes=len(annotations[0]),
    )
    with path.open("wb") as file:
        file.write(head)
        number = 0
        for counts in _records(segment, len(channels), records.n_samples):
            for record in counts:
                file.write(record.tobytes())
                file.write(annotations[number])
                number += 1
            meter.add(counts.size)


def _records(
    segment: Segment, n_channels: int, per_record: int
) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.int16]]]:
    """``(n_records, n_channels, per_record)``, a few at a time; the last is filled up with its last sample."""
    step = per_record * max(1, _BYTES_AT_ONCE // (2 * n_channels * per_record))
    signal = segment.header_path.with_suffix(".eeg")
    for first in range(0, segment.n_samples, step):
        last = min(segment.n_samples, first + step)
        counts = window_map.window(signal, np.dtype("<i2"), n_channels, first, last)
        missing = -(last - first) % per_record
        whole = np.pad(counts, ((0, 0), (0, missing)), mode="edge")
        yield np.ascontiguousarray(whole.reshape(n_channels, -1, per_record).transpose(1, 0, 2))


def _patient(contents: Contents) -> str:
    """Code, sex, birthdate and name, as EDF+ has them; of an animal the name is its strain."""
    animal = contents.animal
    kind = "_".join(subfield(part) for part in (animal.species, animal.strain) if part)
    return f"{subfield(animal.id)} {sex_of(animal).replace('U', 'X')} X {kind or 'X'}"


def _rig(contents: Contents) -> str:
    return "X" if contents.view is None else subfield(contents.view.started.rig)
