"""Where the criterion of a reanalysis comes from: the defaults, a preset, or a file of the laboratory's own."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from detectors.criterion import Criterion
from kindle.errors import ConfigError
from kindle.presets import load_threshold_preset
from kindle.toml_files import convert, read_toml


def criterion_from(preset: str | None, file: Path | None, laboratory: Mapping[str, Any] | None = None) -> Criterion:
    """What the preset states, then what the file states, over the defaults of ``Criterion``.

    ``laboratory`` are the values of study.toml that are laid over those of the preset.
    """
    criterion = Criterion()
    if preset is not None:
        stated = load_threshold_preset(preset, laboratory)
        values = {
            "min_spike_hz": stated.criterion.min_spike_hz.value,
            "amplitude_ratio": stated.criterion.amplitude_ratio.value,
            "min_duration_s": stated.criterion.min_duration_s.value,
            "max_gap_s": stated.criterion.max_gap_s.value,
            "secondary_window_s": stated.criterion.secondary_window_s.value,
            "onset_window_s": stated.onset_window_s.value,
            "baseline_s": stated.baseline_s.value,
        }
        criterion = replace(criterion, **{name: value for name, value in values.items() if value is not None})
    if file is not None:
        raw = read_toml(file)
        known = [field.name for field in fields(Criterion)]
        unknown = sorted(set(raw) - set(known))
        if unknown:
            raise ConfigError(f"{file}: unknown key {unknown[0]!r}; a criterion has: {', '.join(known)}")
        numbers = convert(raw, dict[str, float], str(file))
        if any(not 0 < value < 1e6 for value in numbers.values()):
            raise ConfigError(f"{file}: every value of a criterion is a positive number below a million")
        criterion = replace(criterion, **numbers)
    return criterion
