"""The study and the rig of the demonstration."""

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from kindle.naming import first_free
from kindle.rows import Animal
from kindle.study import create_study, open_study

DEMO_ANIMAL = "rat-1"

_STUDY = """\
name = "Demonstration"
preset = "hannover_ascending"

# What the preset leaves open, and a biphasic train instead of its monophasic one, which carries direct current.
[threshold]
max_ua = 900.0
onset_window_s = 30.0
lockout_after_ad_s = 14400.0

[threshold.train]
shape = "biphasic"

[electrode]
material = "stainless steel"
area_cm2 = 3.46e-3 # 200 um wire, 0.5 mm bare
"""


def demo_study(folder: Path) -> Path:
    """A new study with one animal, at ``folder`` or, where that is taken, at the first free ``folder-N``."""
    free = free_folder(folder)
    create_study(free, _STUDY)
    with open_study(free) as study:
        study.add_animal(Animal(DEMO_ANIMAL, strain="simulated"), datetime.now(UTC))
    return free


def free_folder(folder: Path) -> Path:
    return folder.with_name(first_free(folder.name, lambda name: folder.with_name(name).exists()))


def demo_rig(study: Path, seed: int, threshold_ua: float | None) -> Path:
    """The built-in emulated rig with this rat, written beside the study as the rig.toml that it was run with."""
    text = (files("kindle") / "rigs" / "emulated.toml").read_text(encoding="utf-8")
    planted = "" if threshold_ua is None else f"threshold_ua = {threshold_ua!r}\n"
    path = study / "rig.toml"
    path.write_text(text.replace("seed = 1\n", f"seed = {seed}\n{planted}", 1), encoding="utf-8")
    return path
