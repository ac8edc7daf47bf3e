"""NWB files, one for each session: counts as they were recorded, on one clock, and everything known of them."""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from drivers.interface import Channel
from kindle.channel_roles import amperes_per, microvolts_per
from kindle.errors import ConfigError
from kindle.export.contents import Chosen, Contents, Stored
from kindle.export.destination import Meter
from kindle.export.nwb_tables import add_tables
from kindle.export.subject import age_of, sex_of, species_of
from kindle.nwb_signals import PART
from kindle.protocols.catalogue import describe_outcome
from kindle.recording import Segment
from kindle.study import Study


def write_nwb(study: Study, chosen: Chosen, folder: Path, meter: Meter) -> list[Path]:
    """Raises ``ConfigError`` where the extra is missing."""
    try:
        from pynwb import NWBHDF5IO
    except ImportError:
        raise ConfigError("NWB files need the extra nwb: install it with: pip install 'kindle-eeg[nwb]'") from None
    written: list[Path] = []
    for contents in chosen.contents:
        if not contents.recordings:
            continue
        path = folder / f"{contents.recordings[0].name}.nwb"
        with NWBHDF5IO(path, "w") as io:
            io.write(_file(study, contents, meter))
        written.append(path)
    return written


def _file(study: Study, contents: Contents, meter: Meter) -> Any:
    from pynwb import NWBFile

    file = NWBFile(
        session_description=f"{contents.protocol} session of a kindling study",
        identifier=str(uuid5(NAMESPACE_URL, f"{study.journal.head_hash}/{contents.id}")),
        session_start_time=contents.start_utc,
        session_id=contents.id,
        experiment_description=f"{study.config.name}: electrical kindling",
        protocol=contents.protocol,
        keywords=["kindling", "epilepsy", "afterdischarge", "electroencephalography"],
        notes=_notes(contents),
        pharmacology="; ".join(fact.name for fact in contents.injections) or None,
        stimulus_notes="Constant-current trains; see the intervals table trials",
        was_generated_by=[["kindle-eeg", version("kindle-eeg")]],
        subject=_subject(contents),
    )
    devices = _devices(file, contents)
    region = _electrodes(file, study, contents, devices)
    for stored in contents.recordings:
        for _, start, segment in stored.segments:
            _add_segment(file, contents, stored, start, segment, region, meter)
    add_tables(file, contents)
    return file


def _notes(contents: Contents) -> str:
    view = contents.view
    if view is None:
        return f"Imported from {contents.imported.source}" if contents.imported else ""
    simulated = "SIMULATED ANIMAL: no result says anything about a living one. " if view.started.simulated else ""
    outcome = "unfinished" if view.outcome is None else describe_outcome(view.outcome)
    return f"{simulated}Outcome: {outcome}"


def _subject(contents: Contents) -> Any:
    from pynwb.file import Subject

    animal, weight_g = contents.animal, contents.weight_g
    return Subject(
        subject_id=animal.id,
        species=species_of(animal),
        strain=animal.strain or None,
        age=age_of(animal, contents.start_utc),
        sex=sex_of(animal),
        weight=None if weight_g is None else f"{weight_g / 1000:.4g} kg",
        description=animal.note or None,
    )


def _devices(file: Any, contents: Contents) -> dict[str, Any]:
    view = contents.view
    if view is None or not view.recordings:
        source = contents.imported.source if contents.imported else "unknown"
        return {"amplifier": file.create_device("amplifier", description=f"recording of another program: {source}")}
    started = view.recordings[0]
    return {
        "amplifier": file.create_device("amplifier", description=started.source),
        "stimulator": file.create_device("stimulator", description=started.stimulator),
    }


def _electrodes(file: Any, study: Study, contents: Contents, devices: dict[str, Any]) -> Any:
    """One electrode for each EEG channel, and one for the stimulation where the study describes it."""
    names = list(dict.fromkeys(channel.name for channel in _channels(contents) if channel.role == "eeg"))
    if not names:
        return None
    in_session = None if contents.view is None else contents.view.started.electrode
    electrode = in_session or study.config.electrode
    described = f", {electrode.material}, {electrode.area_cm2:g} cm2" if electrode else ""
    group = file.create_electrode_group(
        "implanted",
        description=f"chronically implanted electrodes{described}",
        location="unknown",
        device=devices["amplifier"],
    )
    file.add_electrode_column("channel_name", "name of the channel in the recording")
    for name in names:
        file.add_electrode(group=group, location="unknown", channel_name=name)
    return {name: number for number, name in enumerate(names)}


def _channels(contents: Contents) -> Iterator[Channel]:
    for stored in contents.recordings:
        yield from stored.recording.channels


def _add_segment(
    file: Any, contents: Contents, stored: Stored, start: int, segment: Segment, region: Any, meter: Meter
) -> None:
    from pynwb.base import TimeSeries
    from pynwb.ecephys import ElectricalSeries

    channels = stored.recording.channels
    starting_time = contents.offset_s(stored) + start / stored.recording.rate_hz
    timing = {"starting_time": round(starting_time, 9), "rate": stored.recording.rate_hz}
    brain = [row for row, channel in enumerate(channels) if channel.role == "eeg"]
    if brain:
        volts = [_volts(channels[row]) for row in brain]
        file.add_acquisition(
            ElectricalSeries(
                name=_free(file, "eeg"),
                description="Brain signals as the converter delivered them",
                data=_compressed(segment, len(channels), brain, meter),
                electrodes=file.create_electrode_table_region(
                    [region[channels[row].name] for row in brain], "the channels of the recording"
                ),
                conversion=volts[0],
                channel_conversion=None if len(set(volts)) == 1 else [one / volts[0] for one in volts],
                **timing,
            )
        )
    for row, channel in enumerate(channels):
        if channel.role == "eeg":
            continue
        unit, conversion = _si(channel)
        series = TimeSeries(
            name=_free(file, _series_name(channel.name)),
            description={
                "stimulus_ttl": "Gate of the stimulus as the stimulator put it out",
                "current_monitor": "Current as the stimulator's monitor shows it",
                "aux": "Another input of the recording",
            }[channel.role],
            data=_compressed(segment, len(channels), [row], meter),
            unit=unit,
            conversion=conversion,
            **timing,
        )
        (file.add_acquisition if channel.role == "aux" else file.add_stimulus)(series)


def _compressed(segment: Segment, n_channels: int, rows: list[int], meter: Meter) -> Any:
    from hdmf.backends.hdf5 import H5DataIO

    from kindle.export.nwb_counts import Counts

    return H5DataIO(Counts(segment, rows, n_channels, meter), compression="gzip", shuffle=True)


def _free(file: Any, name: str) -> str:
    """After a gap, and in a recording that a session went on in, a channel has a further series."""
    taken = {*file.acquisition, *file.stimulus}
    if name not in taken:
        return name
    return next(part for number in range(2, 1_000_000) if (part := f"{name}{PART}{number}") not in taken)


def _series_name(name: str) -> str:
    """HDF5 takes a slash, and NWB a colon, for something else."""
    return name.replace("/", "_").replace(":", "_")


def _volts(channel: Channel) -> float:
    """Volts per count."""
    return channel.resolution * (microvolts_per(channel.unit) or 1.0) * 1e-6


def _si(channel: Channel) -> tuple[str, float]:
    """NWB wants units without a prefix."""
    if microvolts_per(channel.unit) is not None:
        return "volts", _volts(channel)
    if (amperes := amperes_per(channel.unit)) is not None:
        return "amperes", channel.resolution * amperes
    return channel.unit, channel.resolution
