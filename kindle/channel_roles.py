"""What a channel of somebody else's file is for, told by its name and its unit where the file does not say."""

import re

from drivers.interface import Role

TTL_NAME = re.compile(
    r"(?i)^(ttl|trig(ger)?|stim(ulus|ulation)?|sync|gate|sti ?\d+)([ _\-.]?(ttl|trig(ger)?|in|out|\d+))*$"
)
BODY_NAME = re.compile(r"(?i)^(ecg|ekg|emg|eog|resp(iration)?|temp(erature)?|acc(el)?|sao2|spo2)([ _\-.]|\d|$)")
"""Signals of the body that are no brain signals, as the labels of EDF+ name them."""

_MICROVOLTS = {
    "v": 1e6,
    "volt": 1e6,
    "volts": 1e6,
    "mv": 1e3,
    "uv": 1.0,
    "µv": 1.0,
    "μv": 1.0,
    "microvolt": 1.0,
    "microvolts": 1.0,
    "nv": 1e-3,
}
_AMPERES = {"a": 1.0, "ampere": 1.0, "amperes": 1.0, "ma": 1e-3, "ua": 1e-6, "µa": 1e-6, "μa": 1e-6, "na": 1e-9}


def microvolts_per(unit: str) -> float | None:
    """``None`` for what is no voltage."""
    return _MICROVOLTS.get(unit.strip().casefold())


def amperes_per(unit: str) -> float | None:
    """``None`` for what is no current."""
    return _AMPERES.get(unit.strip().casefold())


def role_by_name(name: str, unit: str) -> Role:
    """A unit that is empty counts as microvolts, as in BrainVision files."""
    if TTL_NAME.match(name):
        return "stimulus_ttl"
    if amperes_per(unit) is not None:
        return "current_monitor"
    is_brain = (not unit.strip() or microvolts_per(unit) is not None) and not BODY_NAME.match(name)
    return "eeg" if is_brain else "aux"
