"""A BIDS dataset of intracranial EEG: every stretch without a gap is a run, its signal copied byte for byte."""

import json
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mne

from kindle.errors import ConfigError
from kindle.export.contents import Chosen, Contents, Stored
from kindle.export.destination import MANIFEST, Meter
from kindle.export.events import events_of, within
from kindle.export.subject import age_days, sex_of, species_of
from kindle.export.tables import write_tables
from kindle.recording import Segment
from kindle.study import Study

_TYPES = {"eeg": "seeg", "stimulus_ttl": "stim", "current_monitor": "misc", "aux": "misc"}
_PARTICIPANTS = {
    "participant_id": "Label of the animal in this dataset",
    "animal": "Id of the animal in the study",
    "species": "Latin name",
    "strain": "Strain of the animal",
    "sex": "M, F or n/a",
    "age_days": "Age in days at the first session",
}


def write_bids(study: Study, chosen: Chosen, folder: Path, meter: Meter) -> list[Path]:
    """Raises ``ConfigError`` where the extra is missing."""
    try:
        from mne_bids import make_dataset_description
    except ImportError:
        raise ConfigError(
            "BIDS datasets need the extra bids: install it with: pip install 'kindle-eeg[bids]'"
        ) from None
    recorded = [contents for contents in chosen.contents if contents.recordings]
    subjects = labels(contents.animal.id for contents in recorded)
    sessions = labels(_session(contents) for contents in recorded)
    written: list[Path] = []
    with mne.utils.use_log_level("ERROR"):
        for contents in recorded:
            where = {"subject": subjects[contents.animal.id], "session": sessions[_session(contents)]}
            written += _write_session(folder, contents, where, meter)
        make_dataset_description(
            path=folder,
            name=study.config.name,
            generated_by=[{"Name": "kindle-eeg", "Version": version("kindle-eeg")}],
            overwrite=True,
            verbose="ERROR",
        )
    _write_participants(folder, recorded, subjects)
    derived = folder / "derivatives" / "kindle"
    derived.mkdir(parents=True)
    write_tables(study, chosen, derived)
    description = {"Name": "Tables of the journal", "BIDSVersion": "1.8.0", "DatasetType": "derivative"}
    made_by = [{"Name": "kindle-eeg", "Version": version("kindle-eeg")}]
    _write_json(derived / "dataset_description.json", description | {"GeneratedBy": made_by})
    (folder / ".bidsignore").write_text(f"{MANIFEST}\n", encoding="utf-8")
    return written


def labels(names: Iterable[str]) -> dict[str, str]:
    """Letters and digits only, as BIDS wants them, and none the same for two names."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        label = re.sub(r"[^A-Za-z0-9]", "", name) or "x"
        taken = {other.casefold() for other in found.values()}
        number = 1
        free = label
        while free.casefold() in taken:
            number += 1
            free = f"{label}x{number}"
        found[name] = free
    return found


def _write_session(folder: Path, contents: Contents, where: dict[str, str], meter: Meter) -> list[Path]:
    from mne_bids import BIDSPath

    written: list[Path] = []
    run = 0
    for stored in contents.recordings:
        for _, start, segment in stored.segments:
            run += 1
            path = BIDSPath(
                **where, task=_task(contents.protocol), run=f"{run:02d}", datatype="ieeg", root=folder, suffix="ieeg"
            )
            written.append(_write_run(path, contents, stored, start, segment))
            meter.add(segment.n_samples * len(stored.recording.channels))
    return written


def _write_run(path: Any, contents: Contents, stored: Stored, start: int, segment: Segment) -> Path:
    from mne_bids import update_sidecar_json, write_raw_bids

    rate_hz = stored.recording.rate_hz
    raw = mne.io.read_raw_brainvision(segment.header_path, ignore_marker_types=True, verbose="ERROR")
    types = {channel.name: _TYPES[channel.role] for channel in stored.recording.channels}
    raw.set_channel_types(types, on_unit_change="ignore", verbose="ERROR")
    events = list(within(events_of(contents, stored), start, segment.n_samples))
    raw.set_annotations(
        mne.Annotations(
            [event.sample / rate_hz for event in events],
            [event.n_samples / rate_hz for event in events],
            [event.text for event in events],
            orig_time=raw.info["meas_date"],
        ),
        verbose="ERROR",
    )
    # Any other format rewrites the samples as 32-bit floats and drops texts and date.
    write_raw_bids(raw, path, format="auto", overwrite=False, verbose="ERROR")
    stimulated = [trial for _, trial in contents.trials if trial.recording == stored.folder]
    # Who made the file format did not make the amplifier.
    entries: dict[str, object] = {"Manufacturer": "n/a", "ElectricalStimulation": bool(stimulated)}
    if stimulated:
        train = stimulated[0].train
        entries["ElectricalStimulationParameters"] = (
            f"{len(stimulated)} {train.shape} constant-current trains of {train.train_s:g} s at {train.pulse_hz:g} Hz, "
            f"{train.phase_us:g} us per phase; currents in the tables of derivatives/kindle"
        )
    sidecar = path.copy().update(extension=".json")
    update_sidecar_json(sidecar, entries, verbose="ERROR")
    return Path(path.copy().update(extension=".vhdr").fpath)


def _session(contents: Contents) -> str:
    return Path(contents.recordings[0].folder).name


def _task(protocol: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", protocol)


def _write_participants(folder: Path, recorded: Sequence[Contents], subjects: dict[str, str]) -> None:
    first = {contents.animal.id: contents for contents in reversed(recorded)}
    lines = ["\t".join(_PARTICIPANTS)]
    for id, label in subjects.items():
        contents = first[id]
        days = age_days(contents.animal, contents.start_utc)
        cells = (
            f"sub-{label}",
            id,
            species_of(contents.animal),
            contents.animal.strain or "n/a",
            sex_of(contents.animal).replace("U", "n/a"),
            "n/a" if days is None else str(days),
        )
        lines.append("\t".join(" ".join(cell.split()) for cell in cells))
    (folder / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _write_json(folder / "participants.json", {name: {"Description": told} for name, told in _PARTICIPANTS.items()})


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
