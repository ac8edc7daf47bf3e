"""Readers of what people type into files: TOML of every kind, and tables."""

from importlib.resources import files
from pathlib import Path

from benchmarks.reliability.target import Seeds, Target, written
from kindle.criteria import criterion_from
from kindle.dose_tables import read_dose_tables
from kindle.drug_test_presets import with_treatment_presets
from kindle.presets import load_threshold_preset
from kindle.rig_config import load_rig
from kindle.scale import Scale
from kindle.study import read_config
from kindle.toml_files import decode_toml, read_toml
from kindle.two_drug_tables import read_two_drugs

STUDIES = (
    b'name = "a"\npreset = "hannover_ascending"\nscale = "racine_1972"\n[threshold]\nstart_ua = 12.0\nmax_ua = 600.0\n'
    b'interval_s = 30.0\n[threshold.train]\nshape = "biphasic"\n[threshold.criterion]\nmin_spike_hz = 1.0\n',
    b'name = "b"\nschedule = "hannover_daily"\ncriterion = "etsp"\n[course]\n'
    b'model = "kindling"\npreset = "conventional"\n'
    b'recovery_days = 7\ncontrol_gap_days = [1, 3]\ntests = ["valproate 200"]\n[animals]\n[status]\n',
    b'name = "c"\n[[treatments]]\nname = "vpa"\n[[treatments.injections]]\nsubstance = "sodium valproate"\n'
    b'route = "i.p."\namount_per_kg = 200.0\nbasis = "mg_salt"\nmg_per_ml = 100.0\npretreatment_min = 15.0\n[syringe]\n'
    b"graduation_ml = 0.01\ncapacity_ml = 1.0\n[electrode]\narea_mm2 = 0.1\n",
    b'name = "d"\n[database]\nhost = "lab.example"\nname = "study"\nuser = "kindle"\nrig = "left"\nport = 5432\n'
    b'[ptz]\npreset = "ptz_sc"\n[electroshock]\n',
)
TABLES = (
    b"dose (mg/kg),n,protected\n100,8,1\n150,8,3\n200,8,6\n300,8,8\n",
    b"drug;dose (mg/kg);n;protected\nvpa;100,5;8;1\nvpa;200;8;6\nvpa;0;8;0\ntpm;20;8;2\ntpm;40;8;7\n",
    b"animal\tdose\tprotected\nR1\t100\t0\nR2\t200\t1\nR3\t150\tyes\n",
    b"valproate (mg/kg),topiramate (mg/kg),n,protected\n100,0,8,1\n"
    b"200,0,8,6\n0,20,8,2\n0,40,8,7\n50,10,8,3\n90,18,8,7\n",
    b"drug,ED50 (mg/kg),SEM,n\nA,120,10,32\nB,40,4,32\nA + B,70,6,32\n",
)
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
_CRITERION = b"min_spike_hz = 1.0\namplitude_ratio = 2.0\nmax_gap_s = 5\n"
_CALIBRATION = b'ua_per_v = 100.0\noffset_ua = 0.0\nload_ohm = 20000.0\ndate = 2026-01-01\nauthor = "x"\n'
_PRESETS = (
    b'start_ua = 20.0\nmax_ua = 200.0\nbaseline_s = 10.0\n[train]\nshape = "biphasic"\npulse_hz = 50.0\n',
    b'name = "a"\n[[injections]]\npreset = "valproate"\nmg_per_ml = 100.0\nbatch = "x"\n',
)


def text_targets() -> tuple[Target, ...]:
    return (
        Target("study.toml", STUDIES, _study_toml),
        Target("rig.toml", rigs(), _rig_toml),
        Target("preset TOML", _PRESETS, _preset_toml),
        Target("criterion TOML", (_CRITERION,), _criterion_toml, 0.5),
        Target("calibration TOML", (_CALIBRATION,), _calibration_toml, 0.5),
        Target("scale TOML", _shipped("scales"), _scale_toml, 0.5),
        Target("CSV of one drug", TABLES, _one_drug),
        Target("CSV of two drugs", TABLES, _two_drugs),
    )


def rigs() -> Seeds:
    shipped = _shipped("rigs")
    stimulator = b"[stimulator]" + shipped[-1].partition(b"[stimulator]")[2]
    return (*shipped, RIG_BY_HAND + stimulator)


def _shipped(folder: str) -> Seeds:
    found = [entry for entry in (files("kindle") / folder).iterdir() if entry.name.endswith(".toml")]
    return tuple(entry.read_bytes() for entry in sorted(found, key=lambda entry: entry.name))


def _study_toml(given: bytes, folder: Path) -> object:
    config = read_config(written(folder, "study.toml", given))
    return load_threshold_preset(config.preset, config.threshold)


def _rig_toml(given: bytes, folder: Path) -> object:
    return load_rig(str(written(folder, "rig.toml", given)))


def _calibration_toml(given: bytes, folder: Path) -> object:
    written(folder, "calibrated.toml", rigs()[0])
    written(folder, "calibrated.calibration.toml", given)
    return load_rig(str(folder / "calibrated.toml"))


def _preset_toml(given: bytes, folder: Path) -> object:
    """A laboratory's own values over each kind of published record."""
    raw = read_toml(written(folder, "preset.toml", given))
    load_threshold_preset("hannover_ascending", raw)
    return with_treatment_presets({"treatments": [raw]})


def _criterion_toml(given: bytes, folder: Path) -> object:
    return criterion_from(None, written(folder, "criterion.toml", given))


def _scale_toml(given: bytes, folder: Path) -> object:
    return decode_toml(written(folder, "scale.toml", given), Scale).stage(4.0)


def _one_drug(given: bytes, folder: Path) -> object:
    return read_dose_tables(written(folder, "table.csv", given))


def _two_drugs(given: bytes, folder: Path) -> object:
    return read_two_drugs(written(folder, "table.csv", given))
