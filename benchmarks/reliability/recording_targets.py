"""Readers of recordings, those of kindle and those of everybody else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.reliability.target import Seeds, Target, written
from kindle.brainvision import parse_header, parse_markers
from kindle.loading import load
from kindle.recording import verify

_BRAINVISION = (
    b"Brain Vision Data Exchange Header File Version 1.0\r\n\r\n[Common Infos]\r\nCodepage=UTF-8\r\nDataFile=x.eeg\r\n"
    b"MarkerFile=x.vmrk\r\nDataFormat=BINARY\r\nDataOrientation=MULTIPLEXED\r\nNumberOfChannels=2\r\n"
    b"SamplingInterval=500\r\n\r\n[Binary Infos]\r\nBinaryFormat=INT_16\r\n\r\n[Channel Infos]\r\n"
    b"Ch1=EEG,,0.1,\xc2\xb5V\r\n"
    b"Ch2=TTL,,0.001,V\r\n"
)
_FOR_MNE = _BRAINVISION.replace(b"BINARY", b"ASCII")
"""What kindle leaves to MNE."""
_MARKERS = (
    b"Brain Vision Data Exchange Marker File, Version 1.0\r\n\r\n[Common Infos]\r\nCodepage=UTF-8\r\n"
    b"DataFile=x.eeg\r\n\r\n"
    b"[Marker Infos]\r\nMk1=New Segment,,1,1,0,20260304093000000000\r\nMk2=Stimulus,train,41,10,0\r\n"
    b"Mk3=Comment,a\\1b,60,1,0\r\n"
)
_BEGUN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_PART = b"\xfe\xfd"
"""Between the files of a recording that consists of several."""
_OPEN_EPHYS = ("structure.oebin", "sample_numbers.npy", "continuous.dat", "states.npy")


def recording_targets(recording: Path) -> tuple[Target, ...]:
    """``recording`` is a sound one of kindle's own."""
    own = (recording / "signal.vhdr").read_bytes()
    return (
        Target("BrainVision of kindle", (own,), _own_header),
        Target("markers of kindle", ((recording / "signal.vmrk").read_bytes(),), _own_markers),
        Target("index of kindle", ((recording / "index.bin").read_bytes()[:400],), _own_index(recording), 0.5),
        Target("BrainVision", (_BRAINVISION, own, _FOR_MNE), _brainvision),
        Target("BrainVision markers", (_MARKERS,), _brainvision_markers, 0.5),
        Target("EDF", (edf(), edf(annotated=True)), _edf),
        Target("BDF", (edf(bdf=True), edf(bdf=True, annotated=True)), _edf, 0.5),
        Target("EEGLAB", _eeglab, partial(_read_as, "x.set")),
        Target("FIF", _fif, partial(_read_as, "x_raw.fif")),
        Target("NWB", _nwb, partial(_read_as, "x.nwb")),
        Target("Open Ephys", _open_ephys, _read_open_ephys),
    )


def edf(*, bdf: bool = False, annotated: bool = False) -> bytes:
    """Two records of 50 samples at 50 Hz, built from the fields of the format."""
    signals = [("EEG", "uV", 50), ("Status" if bdf else "TTL", "V", 50)]
    signals += [("BDF Annotations" if bdf else "EDF Annotations", "", 20)] if annotated else []
    width, top = (3, 8388607) if bdf else (2, 32767)
    kind = ("BDF+D" if bdf else "EDF+D") if annotated else ""
    fixed = (b"\xffBIOSEMI" if bdf else b"0       ") + f"{'X':80}{'Startdate 04-MAR-2026':80}04.03.2609.30.00".encode()
    fixed += f"{256 * (1 + len(signals)):<8}{kind:44}{2:<8}{1:<8}{len(signals):<4}".encode()
    columns: list[tuple[int, list[object]]] = [
        (16, [label for label, _, _ in signals]),
        (80, ["" for _ in signals]),
        (8, [unit for _, unit, _ in signals]),
        (8, [-500 for _ in signals]),
        (8, [500 for _ in signals]),
        (8, [-top - 1 for _ in signals]),
        (8, [top for _ in signals]),
        (80, ["" for _ in signals]),
        (8, [n for _, _, n in signals]),
        (32, ["" for _ in signals]),
    ]
    table = "".join(f"{cell!s:{size}}" for size, cells in columns for cell in cells).encode()
    note = [b"+0\x14\x14\0+0.5\x150.1\x14Stimulus\x14\0", b"+3\x14\x14\0"]
    samples = bytes(range(100)) + bytes(50 * width - 100 if bdf else 0)
    records = [samples * 2 + (note[n].ljust(20 * width, b"\0") if annotated else b"") for n in range(2)]
    return fixed + table + b"".join(records)


def _read_all(path: Path) -> object:
    signals = load(path)
    return signals.read(signals.names[:2], 0, min(signals.n_samples, 200))


def _read_as(name: str, given: bytes, folder: Path) -> object:
    return _read_all(written(folder, name, given))


def _own_header(given: bytes, folder: Path) -> object:
    return parse_header(given, "signal.vhdr")


def _own_markers(given: bytes, folder: Path) -> object:
    return parse_markers(given)


def _own_index(recording: Path) -> Callable[[bytes, Path], object]:
    """Beside the first samples only: what is checked against a checksum takes its time."""

    def read(given: bytes, folder: Path) -> object:
        inside = folder / "indexed"
        if not inside.is_dir():
            inside.mkdir()
            for path in recording.glob("signal*"):
                written(inside, path.name, path.read_bytes()[:20_000])
        written(inside, "index.bin", given)
        return verify(inside)

    return read


def _brainvision(given: bytes, folder: Path) -> object:
    if not (folder / "x.eeg").exists():
        written(folder, "x.eeg", np.arange(400, dtype="<i2").tobytes())
        written(folder, "x.vmrk", _MARKERS)
    return _read_all(written(folder, "x.vhdr", given))


def _brainvision_markers(given: bytes, folder: Path) -> object:
    inside = folder / "marked"
    inside.mkdir(exist_ok=True)
    if not (inside / "x.eeg").exists():
        written(inside, "x.eeg", np.arange(400, dtype="<i2").tobytes())
        written(inside, "x.vhdr", _BRAINVISION)
    written(inside, "x.vmrk", given)
    return _read_all(inside / "x.vhdr")


def _edf(given: bytes, folder: Path) -> object:
    return _read_all(written(folder, "x.bdf" if given[:1] == b"\xff" else "x.edf", given))


def _counts() -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
    return (np.arange(400).reshape(200, 2) % 37 - 18).astype(np.int16)


def _eeglab() -> Seeds:
    from scipy.io import savemat

    labels = np.array([("EEG", "EEG"), ("TTL", "TRIG")], [("labels", "O"), ("type", "O")])
    events = np.array([("stim", 41.0, 10.0)], [("type", "O"), ("latency", "O"), ("duration", "O")])
    content = {"data": _counts().T.astype(np.float32), "nbchan": 2, "pnts": 200, "trials": 1, "srate": 500.0}
    content |= {"xmin": 0.0, "xmax": 0.398, "chanlocs": labels, "event": events, "setname": "x", "icawinv": []}
    with TemporaryDirectory() as made:
        savemat(Path(made) / "x.set", {"EEG": content})
        savemat(Path(made) / "flat.set", content)
        return tuple((Path(made) / name).read_bytes() for name in ("x.set", "flat.set"))


def _fif() -> Seeds:
    import mne

    info = mne.create_info(["EEG", "TTL"], 500.0, ["eeg", "stim"])
    raw = mne.io.RawArray(_counts().T * 1e-6, info, verbose="ERROR")
    raw.set_meas_date(_BEGUN)
    raw.set_annotations(mne.Annotations([0.1], [0.02], ["stim"], orig_time=_BEGUN))
    with TemporaryDirectory() as made:
        raw.save(Path(made) / "x_raw.fif", verbose="ERROR")
        return ((Path(made) / "x_raw.fif").read_bytes(),)


def _nwb() -> Seeds:
    """Without the specification of the format, which would be most of a small file."""
    import pynwb

    file = pynwb.NWBFile("x", "x", _BEGUN)
    group = file.create_electrode_group("g", "d", "CA1", device=file.create_device("amplifier"))
    for _ in range(2):
        file.add_electrode(group=group, location="CA1")
    region = file.create_electrode_table_region([0, 1], "both")
    series = pynwb.ecephys.ElectricalSeries(name="raw", data=_counts(), rate=500.0, conversion=1e-7, electrodes=region)
    file.add_acquisition(series)
    file.add_stimulus(pynwb.TimeSeries(name="gate", data=_counts()[:, 0], unit="volts", rate=500.0, starting_time=0.0))
    with TemporaryDirectory() as made:
        with pynwb.NWBHDF5IO(Path(made) / "x.nwb", "w") as io:
            io.write(file, cache_spec=False)
        return ((Path(made) / "x.nwb").read_bytes(),)


def _open_ephys() -> Seeds:
    described = {
        "GUI version": "0.6.7",
        "continuous": [
            {
                "folder_name": "Rhythm/",
                "sample_rate": 500.0,
                "source_processor_name": "Rhythm",
                "source_processor_id": 100,
                "stream_name": "Rhythm",
                "num_channels": 2,
                "channels": [
                    {"channel_name": name, "description": "", "bit_volts": 0.195, "units": "uV"}
                    for name in ("CH1", "ADC1")
                ],
            }
        ],
        "events": [],
        "spikes": [],
    }
    numbers = _npy(np.arange(200, dtype=np.int64))
    parts = (json.dumps(described, indent=1).encode(), numbers, _counts().tobytes(), _npy(np.array([1, -1], np.int16)))
    return (_PART.join(parts),)


def _npy(values: "np.ndarray[tuple[int], np.dtype[np.generic]]") -> bytes:
    from io import BytesIO

    content = BytesIO()
    np.save(content, values)
    return content.getvalue()


def _read_open_ephys(given: bytes, folder: Path) -> object:
    parts = given.split(_PART) + [b""] * 4
    recording = folder / "node" / "experiment1" / "recording1"
    stream = recording / "continuous" / "Rhythm"
    stream.mkdir(parents=True, exist_ok=True)
    written(recording, "structure.oebin", parts[0])
    written(stream, "sample_numbers.npy", parts[1])
    written(stream, "timestamps.npy", parts[1])
    written(stream, "continuous.dat", parts[2])
    return _read_all(folder / "node")
