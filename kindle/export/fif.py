"""FIF files for MNE, one for each stretch without a gap, with annotations and the time at which it began."""

from pathlib import Path

import mne

from kindle.channel_roles import microvolts_per
from kindle.export.contents import Chosen
from kindle.export.destination import Meter
from kindle.export.events import events_of
from kindle.export.raw import raw_of
from kindle.study import Study


def write_fif(study: Study, chosen: Chosen, folder: Path, meter: Meter) -> list[Path]:
    """Counts as float32, which holds each exactly, with their step; MNE splits files beyond 2 GB by itself."""
    written: list[Path] = []
    for contents in chosen.contents:
        for stored in contents.recordings:
            raw = raw_of(study.folder / stored.folder)
            events = events_of(contents, stored)
            rate_hz = stored.recording.rate_hz
            raw.set_annotations(
                mne.Annotations(
                    [event.sample / rate_hz for event in events],
                    [event.n_samples / rate_hz for event in events],
                    [event.text for event in events],
                    orig_time=raw.info["meas_date"],
                ),
                verbose="ERROR",
            )
            steps = [
                channel.resolution * (1e-6 * (microvolts_per(channel.unit) or 1.0) if channel.role == "eeg" else 1.0)
                for channel in stored.recording.channels
            ]
            raw.info["subject_info"] = {"his_id": contents.animal.id}
            for name, start, segment in stored.segments:
                last = start + segment.n_samples - 1
                path = folder / f"{name}_raw.fif"
                part = raw.copy().crop(start / rate_hz, last / rate_hz, verbose="ERROR")
                for described, step in zip(part.info["chs"], steps, strict=True):
                    described["cal"] = step
                part.save(path, fmt="single", verbose="ERROR")
                meter.add(segment.n_samples * len(stored.recording.channels))
                written.append(path)
    return written
