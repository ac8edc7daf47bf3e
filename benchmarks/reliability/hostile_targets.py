"""Every place at which kindle reads what somebody else wrote, with sound examples to begin from."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from drivers import am4100_codec, pulsepal_codec, stimjim_codec
from drivers.am4100 import AM4100
from drivers.pulsepal import PulsePal
from drivers.simulated.am4100_device import AM4100Device
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.stimjim_device import StimJimDevice
from drivers.stimjim import StimJim
from kindle.brainvision import parse_header, parse_markers
from kindle.canonical import canonical_json
from kindle.criteria import criterion_from
from kindle.dose_tables import read_dose_tables
from kindle.journal import JournalReader
from kindle.journal_verification import verify_chain
from kindle.loading import load
from kindle.presets import load_threshold_preset
from kindle.recording import verify
from kindle.rig_config import load_rig
from kindle.rows import KINDS, decode
from kindle.study import read_config
from kindle.two_drug_tables import read_two_drugs

Seeds = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Target:
    """``read`` takes one input; ``folder`` is all that it may write to, and holds sound files besides."""

    name: str
    seeds: Seeds
    read: Callable[[bytes, Path], object]
    share: float = 1.0
    """Of the inputs, against the others: what is slow gets fewer."""


RIG_BY_HAND = b"""name = "rig"
[daq]
kind = "nidaq"
device = "Dev1"
rate_hz = 2000.0
[[daq.inputs]]
physical = "ai0"
name = "EEG"
role = "eeg"
unit = "uV"
units_per_volt = 1000.0
[[daq.inputs]]
physical = "ai2"
name = "TTL"
role = "stimulus_ttl"
unit = "V"
units_per_volt = 1.0
"""
STUDIES = (
    b'name = "a"\npreset = "hannover_ascending"\nscale = "racine_1972"\n[threshold]\nstart_ua = 12.0\nmax_ua = 600.0\n'
    b'interval_s = 30.0\n[threshold.train]\nshape = "biphasic"\n[threshold.criterion]\nmin_spike_hz = 1.0\n',
    b'name = "b"\nschedule = "hannover_daily"\ncriterion = "etsp"\n[course]\n'
    b'model = "kindling"\npreset = "conventional"\n'
    b'recovery_days = 7\ncontrol_gap_days = [1, 3]\ntests = ["valproate 200"]\n[animals]\n[status]\n',
    b'name = "c"\n[[treatments]]\nname = "vpa"\n[[treatments.injections]]\nsubstance = "sodium valproate"\n'
    b'route = "i.p."\namount_per_kg = 200.0\nbasis = "mg_salt"\nmg_per_ml = 100.0\npretreatment_min = 15.0\n[syringe]\n'
    b"graduation_ml = 0.01\ncapacity_ml = 1.0\n[electrode]\narea_mm2 = 0.1\n",
)
TABLES = (
    b"dose (mg/kg),n,protected\n100,8,1\n150,8,3\n200,8,6\n300,8,8\n",
    b"drug;dose (mg/kg);n;protected\nvpa;100,5;8;1\nvpa;200;8;6\nvpa;0;8;0\ntpm;20;8;2\ntpm;40;8;7\n",
    b"animal\tdose\tprotected\nR1\t100\t0\nR2\t200\t1\nR3\t150\tyes\n",
    b"valproate (mg/kg),topiramate (mg/kg),n,protected\n100,0,8,1\n"
    b"200,0,8,6\n0,20,8,2\n0,40,8,7\n50,10,8,3\n90,18,8,7\n",
    b"drug,ED50 (mg/kg),SEM,n\nA,120,10,32\nB,40,4,32\nA + B,70,6,32\n",
)
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


def targets(study: Path) -> tuple[Target, ...]:
    """``study`` is a sound study with one recorded session."""
    recording = next((study / "recordings").glob("*/*/signal.vhdr")).parent
    with JournalReader.open(study / "journal.sqlite") as journal:
        rows = [f"{row.kind}\n{row.payload}".encode() for row in journal.rows()]
    own = (recording / "signal.vhdr").read_bytes()
    return (
        Target("study.toml", STUDIES, _study_toml),
        Target("rig.toml", _rigs(), _rig_toml),
        Target("preset TOML", _presets(), _preset_toml),
        Target("criterion TOML", (b"min_spike_hz = 1.0\namplitude_ratio = 2.0\nmax_gap_s = 5\n",), _criterion_toml),
        Target("calibration TOML", _calibrations(), _calibration_toml),
        Target("journal rows", tuple(dict.fromkeys(rows)), _journal_row),
        Target("journal file", ((study / "journal.sqlite").read_bytes(),), _journal_file, 0.02),
        Target("BrainVision of kindle", (own,), _own_header),
        Target("markers of kindle", ((recording / "signal.vmrk").read_bytes(),), _own_markers),
        Target("index of kindle", ((recording / "index.bin").read_bytes(),), _own_index(recording), 0.05),
        Target("BrainVision", (_BRAINVISION, own, _FOR_MNE), _brainvision),
        Target("BrainVision markers", (_MARKERS,), _brainvision_markers, 0.5),
        Target("EDF", (edf(), edf(annotated=True)), _edf, 0.5),
        Target("BDF", (edf(bdf=True), edf(bdf=True, annotated=True)), _edf, 0.3),
        Target("CSV of one drug", TABLES, _one_drug),
        Target("CSV of two drugs", TABLES, _two_drugs),
        Target("answers, codecs", _answers(), _codecs),
        Target("Pulse Pal on the wire", _spoken(PulsePalDevice, _pulse_pal), _pulse_pal),
        Target("StimJim on the wire", _spoken(StimJimDevice, _stim_jim), _stim_jim, 0.3),
        Target("4100 on the wire", _spoken(AM4100Device, _am_4100), _am_4100, 0.3),
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


def _written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _study_toml(given: bytes, folder: Path) -> object:
    config = read_config(_written(folder, "study.toml", given))
    return load_threshold_preset(config.preset, config.threshold)


def _rig_toml(given: bytes, folder: Path) -> object:
    return load_rig(str(_written(folder, "rig.toml", given)))


def _calibration_toml(given: bytes, folder: Path) -> object:
    (folder / "calibrated.toml").write_bytes(_rigs()[0])
    _written(folder, "calibrated.calibration.toml", given)
    return load_rig(str(folder / "calibrated.toml"))


def _preset_toml(given: bytes, folder: Path) -> object:
    """A laboratory's own values over each kind of published record."""
    from kindle.drug_test_presets import with_treatment_presets
    from kindle.toml_files import read_toml

    raw = read_toml(_written(folder, "preset.toml", given))
    load_threshold_preset("hannover_ascending", raw)
    return with_treatment_presets({"treatments": [raw]})


def _criterion_toml(given: bytes, folder: Path) -> object:
    return criterion_from(None, _written(folder, "criterion.toml", given))


def _journal_row(given: bytes, folder: Path) -> object:
    """The first line is the kind, the rest the payload."""
    kind, _, payload = given.decode("utf-8", "replace").partition("\n")
    wanted = next((type for type, name in KINDS.items() if name == kind), None)
    return None if wanted is None else canonical_json(decode(kind, payload, wanted))


def _journal_file(given: bytes, folder: Path) -> object:
    path = _written(folder, "journal.sqlite", given)
    for left in folder.glob("journal.sqlite-*"):
        left.unlink()
    verify_chain(path)
    with JournalReader.open(path) as journal:
        return journal.rows()


def _own_header(given: bytes, folder: Path) -> object:
    return parse_header(given, "signal.vhdr")


def _own_markers(given: bytes, folder: Path) -> object:
    return parse_markers(given)


def _own_index(recording: Path) -> Callable[[bytes, Path], object]:
    def read(given: bytes, folder: Path) -> object:
        inside = folder / "indexed"
        if not inside.is_dir():
            inside.mkdir()
            for path in recording.iterdir():
                _written(inside, path.name, path.read_bytes())
        _written(inside, "index.bin", given)
        return verify(inside)

    return read


def _read_all(path: Path) -> object:
    signals = load(path)
    return signals.read(signals.names[:2], 0, min(signals.n_samples, 200))


def _brainvision(given: bytes, folder: Path) -> object:
    if not (folder / "x.eeg").exists():
        _written(folder, "x.eeg", np.arange(400, dtype="<i2").tobytes())
        _written(folder, "x.vmrk", _MARKERS)
    return _read_all(_written(folder, "x.vhdr", given))


def _brainvision_markers(given: bytes, folder: Path) -> object:
    inside = folder / "marked"
    inside.mkdir(exist_ok=True)
    if not (inside / "x.eeg").exists():
        _written(inside, "x.eeg", np.arange(400, dtype="<i2").tobytes())
        _written(inside, "x.vhdr", _BRAINVISION)
    _written(inside, "x.vmrk", given)
    return _read_all(inside / "x.vhdr")


def _edf(given: bytes, folder: Path) -> object:
    return _read_all(_written(folder, "x.bdf" if given[:1] == b"\xff" else "x.edf", given))


def _one_drug(given: bytes, folder: Path) -> object:
    return read_dose_tables(_written(folder, "table.csv", given))


def _two_drugs(given: bytes, folder: Path) -> object:
    return read_two_drugs(_written(folder, "table.csv", given))


def _codecs(given: bytes, folder: Path) -> None:
    """Every pure reader of answers; ``ValueError`` is what they promise."""
    text = given.decode("latin-1")
    one_by_one: list[Callable[[], object]] = [
        lambda: pulsepal_codec.parse_version_reply(given),
        lambda: am4100_codec.parse_revision(text),
        lambda: am4100_codec.parse_activity(text),
        lambda: am4100_codec.parse_condition(text),
        lambda: _matched(stimjim_codec.ECHO, given, stimjim_codec.parse_definition),
        lambda: _matched(stimjim_codec.OFFSETS_ANSWER, given, stimjim_codec.parse_current_offsets),
        lambda: _matched(stimjim_codec.summary_answer(2), given, stimjim_codec.parse_summary),
        lambda: stimjim_codec.STOPPED.search(given),
        lambda: am4100_codec.answer_to(b"g r").search(given),
    ]
    for read in one_by_one:
        try:
            read()
        except ValueError:
            continue


def _matched(pattern: re.Pattern[bytes], given: bytes, parse: Callable[[re.Match[bytes]], object]) -> object:
    found = pattern.search(given)
    return None if found is None else parse(found)


class HostileWire:
    """Says what it was given in pieces, whatever it is asked, then nothing at all."""

    def __init__(self, said: bytes) -> None:
        self.timeout: float | None = None
        self._pieces = [piece for piece in re.split(b"(?<=\n)|\xfe\xfd", said) if piece]
        self._now = b""

    def read(self, size: int = 1, /) -> bytes:
        given, self._now = self._now[:size], self._now[size:]
        return given

    def write(self, data: bytes, /) -> int:
        self._now += self._pieces.pop(0) if self._pieces else b""
        return len(data)

    def close(self) -> None:
        self._now = b""


class _Overheard:
    """A device whose answers are written down, one piece for each message."""

    def __init__(self, device: object) -> None:
        self._wire = MemoryWire(device, lambda: 0)  # type: ignore[arg-type]
        self.timeout: float | None = None
        self.said: list[bytes] = []

    def read(self, size: int = 1, /) -> bytes:
        return self._wire.read(size)

    def write(self, data: bytes, /) -> int:
        before = self._wire.in_waiting
        n = self._wire.write(data)
        self.said.append(bytes(self._wire._received[before:]))
        return n

    def close(self) -> None:
        self._wire.close()


def _spoken(device: Callable[[], object], talk: Callable[..., object]) -> Seeds:
    overheard = _Overheard(device())
    talk(b"", Path(), wire=overheard)
    return (b"\xfe\xfd".join(overheard.said), b"")


def _pulse_pal(given: bytes, folder: Path, wire: "HostileWire | _Overheard | None" = None) -> object:
    one = PulsePal("x", ua_per_v=100.0, max_current_ua=900.0, settle_s=0.0, wire=wire or HostileWire(given))
    try:
        return one.identify()
    finally:
        one.close()


def _stim_jim(given: bytes, folder: Path, wire: "HostileWire | _Overheard | None" = None) -> object:
    one = StimJim("x", max_current_ua=900.0, settle_s=0.0, wire=wire or HostileWire(given))
    try:
        return one.identify()
    finally:
        one.close()


def _am_4100(given: bytes, folder: Path, wire: "HostileWire | _Overheard | None" = None) -> object:
    one = AM4100("x", max_current_ua=900.0, settle_s=0.0, wire=wire or HostileWire(given))
    try:
        return one.identify()
    finally:
        one.close()


def _rigs() -> Seeds:
    shipped = [(files("kindle") / "rigs" / f"{name}.toml").read_bytes() for name in ("simulated", "emulated")]
    stimulator = b"[stimulator]" + shipped[0].partition(b"[stimulator]")[2]
    return (*shipped, RIG_BY_HAND + stimulator)


def _calibrations() -> Seeds:
    return (b'ua_per_v = 100.0\noffset_ua = 0.0\nload_ohm = 20000.0\ndate = 2026-01-01\nauthor = "x"\n',)


def _presets() -> Seeds:
    own = b'start_ua = 20.0\nmax_ua = 200.0\nbaseline_s = 10.0\n[train]\nshape = "biphasic"\npulse_hz = 50.0\n'
    treatment = b'name = "a"\n[[injections]]\npreset = "valproate"\nmg_per_ml = 100.0\nbatch = "x"\n'
    return (own, treatment)


def _answers() -> Seeds:
    offsets = (
        b"ADC offsets (+-2.5V): 1, 2\r\nADC offsets (+-10V): 1, 2\r\n"
        b"current offsets: -3, 5\r\nvoltage offsets: 1, 2\r\n\r\n"
    )
    summary = (
        b"Train complete. Delivered 50 pulses.\r\nCurrent/Voltage by stage: \r\n  Ch0  Ch1 \r\n"
        b"Stage 0  100uA,  0uA,\r\nStage 1  -100uA,  0uA,\r\n"
    )
    return (b"K\x14\0\0\0", b"M1_F1", b"Ready low output", b"@A", b"g r\r\nM1_F1\r\n*\r\n", offsets, summary)
