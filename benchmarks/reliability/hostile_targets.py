"""Every place at which kindle reads what somebody else wrote."""

from pathlib import Path

from benchmarks.reliability.instrument_targets import instrument_targets
from benchmarks.reliability.recording_targets import recording_targets
from benchmarks.reliability.study_targets import study_targets
from benchmarks.reliability.target import Target
from benchmarks.reliability.text_targets import text_targets


def targets(study: Path, made: Path) -> tuple[Target, ...]:
    """``study`` is a sound study with one recorded session; ``made`` is a folder for what is made of it."""
    recording = next((study / "recordings").glob("*/*/signal.vhdr")).parent
    return (
        *text_targets(),
        *study_targets(study, made),
        *recording_targets(recording),
        *instrument_targets(),
    )
