"""The study and the session of a long run: trains now and then, the signal read and recorded all the while."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kindle.keeping import note_event, weigh
from kindle.rows import Animal
from kindle.study import create_study, open_study

ANIMAL = "R01"
BASELINE_S, WATCH_S, ONSET_S = 10.0, 12.0, 5.0
LAST_S = 30.0
"""From the last train, with its longest discharge, to the end of the session."""
CURRENT_UA = 100.0

_STUDY = """\
name = "soak"
preset = "hannover_ascending"
scale = "racine_1972"
[threshold]
max_ua = 400.0
interval_s = 60.0
onset_window_s = {onset_s}
lockout_after_ad_s = 10.0
[threshold.train]
shape = "biphasic"
[threshold.criterion]
secondary_window_s = {onset_s}
[kindling]
trains_per_day = {trains}
interval_s = {interval_s}
lockout_after_ad_s = 10.0
baseline_s = {baseline_s}
watch_s = {watch_s}
current = {{ kind = "fixed", current_ua = {current_ua} }}
[kindling.train]
shape = "biphasic"
phase_us = 1000.0
pulse_hz = 50.0
train_s = 1.0
[animals]
max_trains_per_day = 1000
[course]
workdays = []
"""


def soak_study(folder: Path, *, lasts_s: float, trains: int) -> Path:
    """A kindling session of one animal that takes about ``lasts_s`` of signal."""
    interval_s = max(20.0, (lasts_s - BASELINE_S - LAST_S) / max(1, trains - 1))
    create_study(
        folder,
        _STUDY.format(
            trains=trains,
            interval_s=round(interval_s, 3),
            baseline_s=BASELINE_S,
            watch_s=WATCH_S,
            onset_s=ONSET_S,
            current_ua=CURRENT_UA,
        ),
    )
    now = datetime.now(UTC)
    with open_study(folder) as study:
        study.add_animal(Animal(ANIMAL), now - timedelta(days=20))
        note_event(study, ANIMAL, "implanted", "", now - timedelta(days=14))
        weigh(study, ANIMAL, 250.0, now)
    return folder
